// One event, one line: readable, unforgeable, without patients' names, on disk when the logger is closed.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { PacsError } from '../../../src/util/errors.ts';
import type { Log } from '../../../src/util/log.ts';
import { createLogger, type LoggerOptions } from '../../../src/util/logger.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'angiovault-logger-'));
});
afterEach(() => rm(directory, { recursive: true }));

/** What one use of a logger leaves in the file and on standard error. */
async function logged(use: (log: Log) => void, options: Partial<LoggerOptions> = {}) {
  let stderr = '';
  const { log, close } = createLogger({
    directory: join(directory, 'logs'),
    level: 'info',
    hiddenFields: [],
    stderr: new Writable({
      write: (chunk, _encoding, done) => {
        stderr += chunk;
        done();
      },
    }),
    ...options,
  });
  use(log);
  await close();
  const file = await readFile(join(directory, 'logs', 'angiovault.log'), 'utf8').catch(() => '');
  return { file, stderr };
}

const STAMP = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;

describe('a line', () => {
  test('is time, level, message, fields', async () => {
    const { file } = await logged((log) => log.info('stored', { instance: '1.2.3', bytes: 5, last: true }));
    assert.match(file, new RegExp(`^${STAMP} info {2}stored instance=1\\.2\\.3 bytes=5 last=true\n$`));
  });

  test('leaves out fields that have no value', async () => {
    const { file } = await logged((log) => log.info('x', { none: undefined, zero: 0 }));
    assert.match(file, /info {2}x zero=0\n$/);
  });

  test('puts values of several words in quotes', async () => {
    const { file } = await logged((log) => log.info('x', { aet: 'MY WS', list: ['a'], forged: 'x ok=1' }));
    assert.match(file, /x aet="MY WS" list=\["a"\] forged="x ok=1"\n$/);
  });

  test('tells an error by its code and its words, without a stack', async () => {
    const error = new PacsError('no-space', 'the volume is full');
    const { file } = await logged((log) => log.info('refused', { error }));
    assert.match(file, /refused error="no-space: the volume is full"\n$/);
  });

  test('cannot be forged by an AE title, a name or a message', async () => {
    const { file, stderr } = await logged((log) =>
      log.warn('called by X\n2026-01-01T00:00:00.000Z info  all is well', { aet: 'A\r\nB\u001b[1A\u202e' }),
    );
    assert.equal(file.split('\n').length, 2);
    assert.equal(stderr, file);
    assert.match(file, /X\\n2026.*aet="A\\r\\nB\\u001b\[1A\\u202e"\n$/);
  });

  test('ends somewhere, however long its values', async () => {
    const { file } = await logged((log) => log.info('x', { value: 'y'.repeat(100_000) }));
    assert.ok(file.length < 5000);
    assert.match(file, /…\n$/);
  });

  test('hides the fields it is told to hide', async () => {
    const fields = { patientName: 'Doe^Jane', study: '1.2' };
    const hidden = await logged((log) => log.info('found', fields), { hiddenFields: ['patientName'] });
    assert.match(hidden.file, /found patientName=\(hidden\) study=1\.2\n$/);
    const open = await logged((log) => log.info('found', fields));
    assert.match(open.file, /patientName="Doe\^Jane"/);
  });
});

describe('levels', () => {
  const all = (log: Log) => {
    log.debug('d');
    log.info('i');
    log.warn('w');
    log.error('e');
  };
  const letters = (text: string) => text.replace(/^.* (\w)$/gm, '$1').replaceAll('\n', '');

  test('warnings and errors go to standard error as well', async () => {
    const { file, stderr } = await logged(all);
    assert.equal(letters(file), 'iwe');
    assert.equal(letters(stderr), 'we');
  });
  test('debug writes everything', async () =>
    assert.equal(letters((await logged(all, { level: 'debug' })).file), 'diwe'));
  test('error writes nothing less', async () => {
    const { file, stderr } = await logged(all, { level: 'error' });
    assert.equal(letters(file), 'e');
    assert.equal(letters(stderr), 'e');
  });
});

test('close waits until every line is in a file', async () => {
  const { file } = await logged((log) => {
    for (let n = 0; n < 5000; n += 1) log.info(`line ${n}`);
  });
  assert.equal(file.split('\n').length, 5001);
  assert.match(file, /line 4999\n$/);
});

test('a line after close goes nowhere and does no harm', async () => {
  const { log, close } = createLogger({
    directory: join(directory, 'logs'),
    level: 'info',
    hiddenFields: [],
  });
  log.info('before');
  await close();
  log.info('after');
  log.error('after');
  assert.doesNotMatch(await readFile(join(directory, 'logs', 'angiovault.log'), 'utf8'), /after/);
});

test('full files are put aside', async () => {
  for (let n = 0; n < 4; n += 1) {
    await logged((log) => log.info('x'.repeat(400)), { maxFileBytes: 500, maxFiles: 2 });
  }
  assert.deepEqual((await readdir(join(directory, 'logs'))).sort(), ['angiovault.1.log', 'angiovault.log']);
});

test('a directory that cannot be written to is told on standard error, once', async () => {
  const options = { directory: '/dev/null/logs' };
  const { stderr } = await logged((log) => {
    log.info('one');
    log.info('two');
  }, options);
  assert.match(stderr, /^cannot write the log \/dev\/null\/logs\/angiovault\.log: ENOTDIR[^\n]*\n$/);
});
