// The archive in the package is one that tar reads, and made of nothing but what it was given.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { tar } from '../../../spk/build/tar.ts';

const LONG = `${'folder/'.repeat(20)}file-with-a-name.js`;
const entries = [
  { name: 'INFO', mode: 0o644, content: Buffer.from('package="x"\n') },
  { name: 'bin/node', mode: 0o755, content: Buffer.alloc(1000, 7) },
  { name: LONG, mode: 0o644, content: Buffer.alloc(512) },
];

test('names, modes, sizes and one time are read back', () => {
  const listing = execFileSync('tar', ['-tvf', '-', '--utc'], {
    input: tar(entries, 1_700_000_000),
    encoding: 'utf8',
  });
  const lines = listing
    .trim()
    .split('\n')
    .map((line) => line.split(/\s+/));
  const files = lines
    .filter(([mode]) => mode?.startsWith('-'))
    .map(([mode, owner, size, , , name]) => [mode, owner, size, name]);
  assert.deepEqual(files, [
    ['-rw-r--r--', 'root/root', '12', 'INFO'],
    ['-rwxr-xr-x', 'root/root', '1000', 'bin/node'],
    ['-rw-r--r--', 'root/root', '512', LONG],
  ]);
  assert.ok(lines.every(([, , , date]) => date === '2023-11-14'));
  assert.equal(lines.filter(([, , , , , name]) => name === 'bin/').length, 1);
});

test('content is read back', () => {
  const content = execFileSync('tar', ['-xOf', '-', 'bin/node'], { input: tar(entries, 0) });
  assert.deepEqual(content, entries[1]?.content);
});

test('the same entries are the same bytes', () => assert.deepEqual(tar(entries, 5), tar(entries, 5)));

test('a name that not every tar reads is refused', () => {
  const named = (name: string) => () => tar([{ name, mode: 0o644, content: Buffer.alloc(0) }], 0);
  assert.throws(named('ä.txt'), /plain ASCII/);
  assert.throws(named('a b'), /plain ASCII/);
  assert.throws(named('x'.repeat(300)), /too long/);
});
