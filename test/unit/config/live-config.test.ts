// Settings changed while the program runs: whole or not at all, in the file and in force.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LiveConfig } from '../../../src/config/live-config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import { changedKeys, mergePatch } from '../../../src/config/merge-patch.ts';
import { blankedAddress, withSecret } from '../../../src/http/secret-settings.ts';
import { tempFolder } from '../../support/temp-folder.ts';

async function live(folder: string, content: object = {}) {
  await writeFile(join(folder, 'config.json'), JSON.stringify(content));
  const loaded = await loadConfig({ dataDirectory: folder, overrides: { peers: [], aeTitle: 'FROM_LINE' } });
  return new LiveConfig(loaded);
}
const written = async (folder: string) => JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));

describe('JSON merge patch (RFC 7396)', () => {
  const cases: [object, object, object][] = [
    [{ a: 1 }, { a: 2 }, { a: 2 }],
    [{ a: 1, b: 2 }, { a: null }, { b: 2 }],
    [{ a: { b: 1, c: 2 } }, { a: { b: null, d: 3 } }, { a: { c: 2, d: 3 } }],
    [{ a: [1] }, { a: [2, 3] }, { a: [2, 3] }],
    [{ a: 'x' }, { a: { b: 1 } }, { a: { b: 1 } }],
    [{}, { a: { b: null } }, { a: {} }],
  ];
  for (const [before, patch, after] of cases) {
    test(`${JSON.stringify(before)} with ${JSON.stringify(patch)}`, () =>
      assert.deepEqual(mergePatch({ ...before }, { ...patch }), after));
  }
  test('a key of the prototype is a key like any other', () => {
    const patch = JSON.parse('{"__proto__": {"polluted": true}}');
    mergePatch({}, patch);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });
  test('what differs is named by its key', () => {
    assert.deepEqual(changedKeys({ a: { b: 1, c: [1] }, d: 1 }, { a: { b: 2, c: [1] }, e: 1 }), [
      'a.b',
      'd',
      'e',
    ]);
  });
});

describe('a change', () => {
  test('is written without defaults; the command line counts until the same setting is changed', async () => {
    await using folder = await tempFolder('live');
    const config = await live(folder.path, { aeTitle: 'IN_FILE' });
    await config.change((settings) => ({ ...settings, unknownCallers: 'all' }));
    assert.deepEqual(await written(folder.path), { version: 1, aeTitle: 'IN_FILE', unknownCallers: 'all' });
    assert.equal(config.current.aeTitle, 'FROM_LINE');
    await config.change((settings) => ({ ...settings, aeTitle: 'CHANGED' }));
    assert.equal(config.current.aeTitle, 'CHANGED');
    assert.equal((await written(folder.path)).aeTitle, 'CHANGED');
  });

  test('that cannot be applied is neither in force nor written', async () => {
    await using folder = await tempFolder('live');
    const config = await live(folder.path);
    config.apply = () => Promise.reject(new Error('port taken'));
    await assert.rejects(
      config.change((settings) => ({ ...settings, dimse: { port: 104 } })),
      /port taken/,
    );
    assert.equal(config.current.dimse.port, 11112);
    assert.deepEqual(await written(folder.path), {});
  });

  test('that cannot be written is taken back', async () => {
    await using folder = await tempFolder('live');
    const loaded = await loadConfig({ dataDirectory: folder.path, overrides: { peers: [] } });
    const config = new LiveConfig({ ...loaded, configFile: join(folder.path, 'gone', 'config.json') });
    const applied: number[] = [];
    config.apply = async (next) => void applied.push(next.dimse.port);
    await assert.rejects(
      config.change((settings) => ({ ...settings, dimse: { port: 104 } })),
      { code: 'config-not-written' },
    );
    assert.deepEqual(applied, [104, 11112]);
    assert.equal(config.current.dimse.port, 11112);
  });

  test('at the same time as others is one after the other, and the last twenty files are kept', async () => {
    await using folder = await tempFolder('live');
    const config = await live(folder.path);
    await Promise.all(
      Array.from({ length: 25 }, () =>
        config.change((settings) => {
          const peers = (settings.peers as object[] | undefined) ?? [];
          return { ...settings, peers: [...peers, { aeTitle: `P${peers.length}`, host: 'h', port: 104 }] };
        }),
      ),
    );
    assert.equal((await written(folder.path)).peers.length, 25);
    const backups = (await readdir(folder.path)).filter((name) => name.endsWith('.bak'));
    assert.ok(backups.length > 0 && backups.length <= 20, String(backups.length));
  });
});

describe('the password of the catalogue', () => {
  const ADDRESS = 'mariadb://angio:p%40ss@nas:3306/db?socketPath=/run/x.sock';
  test('is shown to nobody', () => {
    assert.equal(blankedAddress(ADDRESS), 'mariadb://angio:***@nas:3306/db?socketPath=/run/x.sock');
    assert.equal(blankedAddress('sqlite:catalog.sqlite'), 'sqlite:catalog.sqlite');
  });
  test('stays when what was shown comes back, also with another host', () => {
    assert.deepEqual(withSecret({ catalog: blankedAddress(ADDRESS) }, ADDRESS), { catalog: ADDRESS });
    assert.deepEqual(withSecret({ catalog: 'mariadb://angio:***@other/db' }, ADDRESS), {
      catalog: 'mariadb://angio:p%40ss@other/db',
    });
    assert.deepEqual(withSecret({ catalog: 'mariadb://angio:new@nas/db' }, ADDRESS), {
      catalog: 'mariadb://angio:new@nas/db',
    });
  });
});
