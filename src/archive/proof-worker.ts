// A thread that reads files again and compares them with what was received, with plain blocking calls: a small file
// costs less than its trips through the thread pool would.

import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { codeOf, messageOf } from '../util/errors.ts';
import type { FromProof, ProofAnswer, ProofTask, ToProof } from './proof-messages.ts';

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 1 << 20;
const DIRECTORY_FLAGS = FLAGS | constants.O_DIRECTORY;
const OTHER_BYTES = { kind: 'altered', reason: 'its bytes are not those received' } as const;
const NOT_PLAIN = {
  kind: 'altered',
  reason: 'it is not a plain file, or reached through a symbolic link',
} as const;

const port = parentPort!;
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

/** Of the files of one batch that lie together only the first asks where its directory really is. */
let directory: { readonly path: string; readonly fd: number } | undefined;

port.on('message', ({ tasks }: ToProof) => {
  const answers = tasks.map(prove);
  leaveDirectory();
  port.postMessage({ answers } satisfies FromProof);
});

function prove(task: ProofTask): ProofAnswer {
  let fd: number | undefined;
  try {
    const slash = task.file.lastIndexOf('/');
    const parent = enterDirectory(task.file.slice(0, slash));
    if (parent === undefined) return NOT_PLAIN;
    fd = openSync(`/proc/self/fd/${parent}${task.file.slice(slash)}`, FLAGS);
    return proveOpen(fd, task);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return { kind: 'missing', reason: 'the catalogue holds it, the volume does not' };
    }
    return { kind: 'altered', reason: `it cannot be read: ${messageOf(error)}` };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** undefined when it is reached through a symbolic link. */
function enterDirectory(path: string): number | undefined {
  if (directory?.path === path) return directory.fd;
  leaveDirectory();
  const fd = openSync(path, DIRECTORY_FLAGS);
  if (readlinkSync(`/proc/self/fd/${fd}`) !== path) {
    closeSync(fd);
    return undefined;
  }
  directory = { path, fd };
  return fd;
}

function leaveDirectory(): void {
  if (directory !== undefined) closeSync(directory.fd);
  directory = undefined;
}

function proveOpen(fd: number, { dataSetOffset, dataSetBytes, sha256 }: ProofTask): ProofAnswer {
  const fileBytes = dataSetOffset + dataSetBytes;
  // What is longer than it should be fills more of the chunk: only what needs several reads is asked for its length.
  const isOneRead = fileBytes < CHUNK_BYTES;
  let bytes = isOneRead || lengthOf(fd) === fileBytes ? readSync(fd, chunk, 0, CHUNK_BYTES, 0) : 0;
  if (isOneRead ? bytes !== fileBytes : bytes === 0) return otherLength(fd, dataSetOffset, dataSetBytes);
  // What the file says of itself is what a catalogue made anew would believe.
  const claimsIt = chunk.subarray(0, Math.min(bytes, dataSetOffset)).includes(`sha256=${sha256}`);
  if (!claimsIt) return OTHER_BYTES;
  if (isOneRead)
    return hash('sha256', chunk.subarray(dataSetOffset, bytes)) === sha256 ? undefined : OTHER_BYTES;
  const hashing = createHash('sha256').update(chunk.subarray(dataSetOffset, bytes));
  for (let position = bytes; bytes > 0; position += bytes) {
    bytes = readSync(fd, chunk, 0, CHUNK_BYTES, position);
    hashing.update(chunk.subarray(0, bytes));
  }
  return hashing.digest('hex') === sha256 ? undefined : OTHER_BYTES;
}

/** undefined for what is no plain file. */
function lengthOf(fd: number): number | undefined {
  const stats = fstatSync(fd);
  return stats.isFile() ? stats.size : undefined;
}

function otherLength(fd: number, dataSetOffset: number, dataSetBytes: number): ProofAnswer {
  const length = lengthOf(fd);
  if (length === undefined) return NOT_PLAIN;
  const found = length - dataSetOffset;
  return { kind: 'altered', reason: `it holds ${found} bytes of data set, ${dataSetBytes} were received` };
}
