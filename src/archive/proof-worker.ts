// A thread that reads files again and compares them with what was received, with plain blocking calls: a small file
// costs less than its trips through the thread pool would.

import { createHash, hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { codeOf, messageOf } from '../util/errors.ts';
import type { FromProof, ProofAnswer, ProofTask, ToProof } from './proof-messages.ts';

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CHUNK_BYTES = 1 << 20;
const OTHER_BYTES = 'its bytes are not those received';

const port = parentPort!;
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);

port.on('message', ({ tasks }: ToProof) => {
  port.postMessage({ answers: tasks.map(prove) } satisfies FromProof);
});

function prove(task: ProofTask): ProofAnswer {
  let fd: number | undefined;
  try {
    fd = openSync(task.file, FLAGS);
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

function proveOpen(fd: number, { file, dataSetOffset, dataSetBytes, sha256 }: ProofTask): ProofAnswer {
  const stats = fstatSync(fd);
  if (!stats.isFile() || readlinkSync(`/proc/self/fd/${fd}`) !== file) {
    return { kind: 'altered', reason: 'it is not a plain file, or reached through a symbolic link' };
  }
  const found = stats.size - dataSetOffset;
  if (found !== dataSetBytes) {
    const reason = `it holds ${found} bytes of data set, ${dataSetBytes} were received`;
    return { kind: 'altered', reason };
  }
  let bytes = readSync(fd, chunk, 0, CHUNK_BYTES, 0);
  // What the file says of itself is what a catalogue made anew would believe.
  const claimsIt = chunk.subarray(0, Math.min(bytes, dataSetOffset)).includes(`sha256=${sha256}`);
  if (!claimsIt) return { kind: 'altered', reason: OTHER_BYTES };
  if (bytes === stats.size) {
    const actual = hash('sha256', chunk.subarray(dataSetOffset, bytes));
    return actual === sha256 ? undefined : { kind: 'altered', reason: OTHER_BYTES };
  }
  const hashing = createHash('sha256').update(chunk.subarray(dataSetOffset, bytes));
  for (let position = bytes; bytes > 0; position += bytes) {
    bytes = readSync(fd, chunk, 0, CHUNK_BYTES, position);
    hashing.update(chunk.subarray(0, bytes));
  }
  return hashing.digest('hex') === sha256 ? undefined : { kind: 'altered', reason: OTHER_BYTES };
}
