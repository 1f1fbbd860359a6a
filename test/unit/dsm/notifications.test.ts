// What needs a person reaches DSM: of each kind not too often, and with words that the package has in both languages.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dsmNotifications } from '../../../src/dsm/notifications.ts';
import { silentLog } from '../../../src/util/log.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const TEXTS = join(import.meta.dirname, '../../../spk/ui/texts');
const HOUR_MS = 3_600_000;

test('a kind is told once in twelve hours, what is only information never', async () => {
  await using folder = await tempFolder('notified');
  const program = join(folder.path, 'synodsmnotify');
  const told = join(folder.path, 'told');
  writeFileSync(program, `#!/bin/sh\necho "$@" >>${told}\n`, { mode: 0o755 });
  writeFileSync(told, '');
  let now = 0;
  const notify = dsmNotifications(silentLog, { program, now: () => now });
  notify({ code: 'space', level: 'warning' });
  notify({ code: 'space', level: 'urgent' });
  notify({ code: 'findings', level: 'urgent' });
  notify({ code: 'integrity-behind', level: 'info' });
  notify({ code: 'second-archive-behind', level: 'warning' });
  notify({ code: 'commitment-failing', level: 'warning' });
  notify({ code: 'of no use here', level: 'urgent' });
  now = 13 * HOUR_MS;
  notify({ code: 'space', level: 'warning' });
  const lines = () => readFileSync(told, 'utf8').trim().split('\n').sort();
  while (lines().length < 5) await new Promise((resolve) => setImmediate(resolve));
  const line = (text: string) =>
    `-c SYNO.SDS.AngioVault.Application @administrators AngioVault:notification:title AngioVault:notification:${text}`;
  assert.deepEqual(lines(), [...['commitment', 'copies', 'findings', 'space', 'space'].map(line)]);
});

test('DSM has words for each, in both languages, and loads them', () => {
  const config = readFileSync(join(TEXTS, '../config'), 'utf8');
  for (const text of ['title', 'stopped', 'space', 'findings', 'behind', 'copies', 'commitment']) {
    assert.ok(config.includes(`"notification:${text}"`), text);
    for (const language of ['enu', 'chs']) {
      assert.match(
        readFileSync(join(TEXTS, language, 'strings'), 'utf8'),
        new RegExp(`^${text}="[^"]+"$`, 'm'),
      );
    }
  }
});
