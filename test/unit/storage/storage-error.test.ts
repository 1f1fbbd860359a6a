// System error numbers become codes to branch on and words for people.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { StorageError, storageErrorOf } from '../../../src/storage/storage-error.ts';

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: something`), { code });
}

describe('storageErrorOf', () => {
  const codes: Readonly<Record<string, string>> = {
    ENOSPC: 'no-space',
    EDQUOT: 'no-space',
    EEXIST: 'exists',
    ENOENT: 'missing',
    ELOOP: 'bad-path',
    ENOTDIR: 'bad-path',
    EROFS: 'unusable',
    EACCES: 'unusable',
    EIO: 'io',
    EUNHEARDOF: 'io',
  };
  for (const [systemCode, code] of Object.entries(codes)) {
    test(`makes '${code}' of ${systemCode}`, () => {
      const error = storageErrorOf(systemError(systemCode), 'writing studies/a');
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`^writing studies/a: .*\\(${systemCode}\\)$`));
      assert.ok(error.cause instanceof Error);
    });
  }

  test('leaves what is a StorageError already as it is', () => {
    const error = new StorageError('no-space', 'full');
    assert.equal(storageErrorOf(error, 'something outer'), error);
  });

  test('takes real errors of file calls', async () => {
    const error = await readFile('/no/such/file').catch((cause: unknown) => storageErrorOf(cause, 'reading'));
    assert.ok(error instanceof StorageError);
    assert.equal(error.code, 'missing');
  });

  test('takes anything that was thrown', () => {
    assert.equal(storageErrorOf('a string', 'work').message, 'work: a string');
  });
});
