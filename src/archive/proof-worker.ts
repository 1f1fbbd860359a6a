// A thread that reads files again and compares them with what was received.

import { createHash, hash } from 'node:crypto';
import { closeSync, fstatSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { PlainFiles } from '../storage/plain-files.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import type { ProofAnswer, ProofTask } from './proof-messages.ts';
import { answerTasks } from './reading-threads.ts';

const CHUNK_BYTES = 1 << 20;
const OTHER_BYTES = { kind: 'altered', reason: 'its bytes are not those received' } as const;
const NOT_PLAIN = {
  kind: 'altered',
  reason: 'it is not a plain file, or reached through a symbolic link',
} as const;

const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const files = new PlainFiles();

answerTasks<ProofTask, ProofAnswer>(parentPort!, (tasks) => {
  const answers = tasks.map(prove);
  files.leave();
  return answers;
});

function prove(task: ProofTask): ProofAnswer {
  let fd: number | undefined;
  try {
    fd = files.open(task.file);
    return fd === undefined ? NOT_PLAIN : proveOpen(fd, task);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return { kind: 'missing', reason: 'the catalogue holds it, the volume does not' };
    }
    return { kind: 'altered', reason: `it cannot be read: ${messageOf(error)}` };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
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
