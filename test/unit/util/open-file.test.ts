// A plain descriptor for reading, and when it is given back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OpenFile } from '../../../src/util/open-file.ts';

const PATH = fileURLToPath(import.meta.url);
const CONTENT = fs.readFileSync(PATH);

describe('an open file', () => {
  test('fills buffers in order, as far as the file goes', async () => {
    using file = await OpenFile.open(PATH, fs.constants.O_RDONLY);
    const [first, second] = [Buffer.alloc(5), Buffer.alloc(CONTENT.length)];
    assert.equal(await file.read([first, second], 3), CONTENT.length - 3);
    assert.deepEqual(first, CONTENT.subarray(3, 8));
    assert.deepEqual(second.subarray(0, CONTENT.length - 8), CONTENT.subarray(8));
    assert.equal(file.stat().size, CONTENT.length);
  });

  test('is closed only when the reads that had begun are over', async () => {
    const file = await OpenFile.open(PATH, fs.constants.O_RDONLY);
    const buffer = Buffer.alloc(CONTENT.length);
    const reading = file.read([buffer], 0);
    file.close();
    assert.doesNotThrow(() => fs.fstatSync(file.fd));
    assert.equal(await reading, CONTENT.length);
    assert.deepEqual(buffer, CONTENT);
    assert.throws(() => fs.fstatSync(file.fd), { code: 'EBADF' });
  });

  test('is closed once, however often it is asked to', async () => {
    const file = await OpenFile.open(PATH, fs.constants.O_RDONLY);
    file.close();
    assert.doesNotThrow(() => file.close());
  });

  test('rejects with what the system says', async () => {
    await assert.rejects(OpenFile.open(`${PATH}.not`, fs.constants.O_RDONLY), { code: 'ENOENT' });
  });
});
