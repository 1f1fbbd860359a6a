// The end of the log and the audit, as they are read: from the last line backwards, over several files, bounded.
import assert from 'node:assert/strict';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Audit } from '../../../src/http/audit.ts';
import { readLogTail } from '../../../src/http/log-tail.ts';
import { linesBackwards } from '../../../src/util/lines-backwards.ts';
import { silentLog } from '../../../src/util/log.ts';
import { createLogger } from '../../../src/util/logger.ts';
import { tempFolder } from '../../support/temp-folder.ts';

describe('lines from the last to the first', () => {
  for (const length of [1, 100, 65_535, 65_536, 65_537, 200_000]) {
    test(`a line of ${length} characters among others`, async () => {
      await using folder = await tempFolder('lines');
      const [newer, older] = [join(folder.path, 'a'), join(folder.path, 'b')];
      const long = 'ü'.repeat(length / 2) + (length % 2 === 1 ? 'x' : '');
      await writeFile(newer, `first\n${long}\n\nlast\n`);
      await writeFile(older, 'oldest\nold');
      const lines = await Array.fromAsync(linesBackwards([newer, join(folder.path, 'none'), older], 1 << 20));
      assert.deepEqual(lines, ['last', long, 'first', 'old', 'oldest']);
    });
  }
  test('no more is read than allowed', async () => {
    await using folder = await tempFolder('lines');
    const file = join(folder.path, 'a');
    await writeFile(file, `${'x'.repeat(99)}\n`.repeat(10_000));
    const lines = await Array.fromAsync(linesBackwards([file], 100_000));
    assert.ok(lines.length <= 1400, String(lines.length));
  });
});

describe('the end of the log', () => {
  test('what the logger wrote comes back as level, message and fields', async () => {
    await using folder = await tempFolder('tail');
    const { log, close } = createLogger({ directory: folder.path, level: 'info', hiddenFields: [] });
    log.info('<< A-ASSOCIATE-RQ accepted', { association: 'A1', calling: 'MY "XA" \\ 1', empty: '' });
    await close();
    const [line] = await readLogTail(folder.path, { limit: 10 });
    assert.equal(line?.message, '<< A-ASSOCIATE-RQ accepted');
    assert.deepEqual(line?.fields, { association: 'A1', calling: 'MY "XA" \\ 1', empty: '' });
  });

  test('lines of one moment stay apart from page to page, across files', async () => {
    await using folder = await tempFolder('tail');
    const lines = Array.from({ length: 10 }, (_, n) => `2026-05-01T10:00:00.000Z info  line ${n}\n`);
    await writeFile(join(folder.path, 'angiovault.1.log'), lines.slice(0, 5).join(''));
    await writeFile(join(folder.path, 'angiovault.log'), `${lines.slice(5).join('')}no line of ours\n`);
    const seen: string[] = [];
    let before: string | undefined;
    for (;;) {
      const page = await readLogTail(folder.path, { limit: 3, before });
      if (page.length === 0) break;
      seen.push(...page.map(({ message }) => message));
      before = page.at(-1)?.id;
    }
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, n) => `line ${9 - n}`),
    );
  });
});

describe('the audit', () => {
  const record = { user: 'anna', action: 'peer-added', target: 'XA' };

  test('goes on counting after a restart, and leaves out a line that a power failure cut short', async () => {
    await using folder = await tempFolder('audit');
    const file = join(folder.path, 'audit.jsonl');
    const first = await Audit.open(file, silentLog);
    await first.record(record);
    await appendFile(file, '{"id":2,"at":"2026');
    const second = await Audit.open(file, silentLog);
    await second.record({ ...record, target: 'CT' });
    assert.deepEqual(
      (await second.list(10)).map(({ id, target }) => [id, target]),
      [
        [2, 'CT'],
        [1, 'XA'],
      ],
    );
    assert.equal((await stat(file)).mode & 0o777, 0o600);
  });

  test('entries written at the same time keep their order', async () => {
    await using folder = await tempFolder('audit');
    const audit = await Audit.open(join(folder.path, 'audit.jsonl'), silentLog);
    await Promise.all(Array.from({ length: 20 }, () => audit.record(record)));
    assert.deepEqual(
      (await audit.list(100)).map(({ id }) => id),
      Array.from({ length: 20 }, (_, n) => 20 - n),
    );
    assert.deepEqual(
      (await audit.list(2, 5)).map(({ id }) => id),
      [4, 3],
    );
  });

  test('a full file is put aside, and nothing is lost', async () => {
    await using folder = await tempFolder('audit');
    const file = join(folder.path, 'audit.jsonl');
    await writeFile(file, `${JSON.stringify({ id: 7, at: 'x', ...record, after: 'y'.repeat(17 << 20) })}\n`);
    const audit = await Audit.open(file, silentLog);
    await audit.record(record);
    assert.ok((await stat(`${file}.1`)).size > 16 << 20);
    assert.match(await readFile(file, 'utf8'), /^\{"id":\d/);
  });

  test('a disk that does not take it is told in the log, with the entry', async () => {
    await using folder = await tempFolder('audit');
    const told: unknown[] = [];
    const audit = await Audit.open(join(folder.path, 'gone', 'audit.jsonl'), {
      ...silentLog,
      error: (_, fields) => void told.push(fields?.target),
    });
    await writeFile(join(folder.path, 'gone'), 'a file where the directory should be');
    await audit.record(record);
    assert.deepEqual(told, ['XA']);
  });
});
