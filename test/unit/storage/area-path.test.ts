// Relative paths are refused before they reach the disk, whoever made them.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { splitAreaPath } from '../../../src/storage/area-path.ts';
import { storageFault } from '../../support/storage-area.ts';

describe('a path inside the area', () => {
  test('is split at its last slash', () => {
    assert.deepEqual(splitAreaPath('studies/2024/01/1.2/1.3/1.4.dcm'), {
      directory: 'studies/2024/01/1.2/1.3',
      name: '1.4.dcm',
    });
  });

  for (const directory of ['studies', 'superseded', 'quarantine', 'trash']) {
    test(`may begin with ${directory}/`, () => {
      assert.equal(splitAreaPath(`${directory}/a`).directory, directory);
    });
  }
});

describe('a path is refused', () => {
  const cases: Readonly<Record<string, string>> = {
    'that is empty': '',
    'that is absolute': '/studies/a',
    'that climbs out': 'studies/../../etc/passwd',
    'that ends with two dots': 'studies/..',
    'with a part that is one dot': 'studies/./a',
    'with an empty part': 'studies//a',
    'that ends with a slash': 'studies/a/',
    'with a NUL character': 'studies/a\0.dcm',
    'into incoming/': 'incoming/a.part',
    'into journal/': 'journal/000000000001.journal',
    'into the root itself': 'a.dcm',
    'that is a directory of the area': 'studies',
    'whose first part only begins like one': 'studies-old/a',
    'with a part of 256 bytes': `studies/${'a'.repeat(256)}`,
    'with a part of 256 bytes in fewer characters': `studies/${'ä'.repeat(128)}`,
    'of more than 1024 bytes': `studies/${'a/'.repeat(600)}b`,
  };
  for (const [name, path] of Object.entries(cases)) {
    test(name, () => assert.throws(() => splitAreaPath(path), storageFault('bad-path')));
  }

  test('in words that show the path without its control characters', () => {
    assert.throws(
      () => splitAreaPath('studies/\nstored fine\0'),
      (error: Error) => !error.message.includes('\n') && !error.message.includes('\0'),
    );
  });
});

test('whatever is accepted stays inside the area', () => {
  const part = fc.oneof(
    fc.constantFrom('studies', 'trash', '..', '.', '', 'incoming', '1.2.3', '\0'),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const path = parts.join('/');
      let split: { directory: string; name: string };
      try {
        split = splitAreaPath(path);
      } catch {
        return;
      }
      assert.equal(`${split.directory}/${split.name}`, path);
      const { pathname } = new URL(`file:///area/${path.split('/').map(encodeURIComponent).join('/')}`);
      assert.ok(pathname.startsWith('/area/'));
      assert.equal(pathname.split('/').length, path.split('/').length + 2);
    }),
  );
});
