// Lossless decompression and re-encoding of a stored instance, for peers that take only uncompressed transfer
// syntaxes: exact or not at all.

import type { ByteSource } from '../../util/byte-source.ts';
import { transferSyntax } from '../transfer-syntax.ts';
import { unsupported } from './errors.ts';
import { canTranscode } from './lossless-syntaxes.ts';
import { TranscodePool } from './transcode-pool.ts';

export { TranscodeError, type TranscodeErrorCode } from './errors.ts';
export { canTranscode } from './lossless-syntaxes.ts';

/** A stored data set: the file, where in it the data set begins, and how it is encoded. */
export interface StoredDataSet {
  readonly path: string;
  readonly dataSetOffset: number;
  readonly transferSyntaxUid: string;
}

const pool = new TranscodePool({
  script: new URL('./transcode-worker.ts', import.meta.url),
  workers: 2,
  idleMs: 30_000,
  stallMs: 120_000,
});

/** The data set in transfer syntax `to`. Reading begins the work; it rejects with a TranscodeError when the result
 *  would not be exact, most reasons before the first byte. Abort `signal` when the rest is not wanted. */
export function transcode(input: StoredDataSet, to: string, signal: AbortSignal): ByteSource {
  const { path, dataSetOffset, transferSyntaxUid: from } = input;
  if (canTranscode(from, to)) return pool.transcode({ path, dataSetOffset, from, to }, signal);
  const refusal = unsupported(
    `${transferSyntax(from).name} cannot be sent as ${transferSyntax(to).name} without loss`,
  );
  return { read: () => Promise.reject(refusal) };
}
