// Reads a data set, or its beginning, in any transfer syntax (PS3.5 §7, Annex A).

import { constants, inflateRawSync, inflateSync } from 'node:zlib';
import { codeOf } from '../util/errors.ts';
import type { DataSet } from './data-set.ts';
import { ElementReader, MORE_BYTES_NEEDED, type ReadLimits } from './element-reader.ts';
import { DicomError } from './errors.ts';
import { transferSyntax } from './transfer-syntax.ts';

const LIMITS = {
  depth: 64,
  elements: 4_000_000,
  valueBytes: 64 << 10,
};

// How far a deflated data set is inflated: heads are small.
const MAX_INFLATED_BYTES = 16 << 20;

export interface ReadOptions {
  readonly transferSyntaxUid: string;
  /** Stop before the first top-level tag that is not below this one. */
  readonly stopBefore?: number;
  /** False: the bytes are only the beginning of the data set. */
  readonly complete: boolean;
  /** Keep only these top-level attributes, and Specific Character Set, without which no text can be read. */
  readonly keep?: ReadonlySet<number>;
  readonly limits?: Partial<ReadLimits>;
}

/** `endOffset` counts from the start of the data set (inflated, when it is deflated). */
export type ReadResult =
  | { readonly done: true; readonly dataSet: DataSet; readonly endOffset: number }
  | { readonly done: false; readonly wantedBytes: number };

/** Elements with their raw values, as views of `bytes`. Throws a DicomError for what cannot be read. */
export function readDataSet(bytes: Buffer, options: ReadOptions): ReadResult {
  const limits = { ...LIMITS, ...options.limits };
  const syntax = transferSyntax(options.transferSyntaxUid);
  if (syntax.deflated) return readDeflated(bytes, options, limits);
  return readPlain(bytes, options.complete, options, limits, syntax);
}

function readPlain(
  bytes: Buffer,
  complete: boolean,
  options: ReadOptions,
  limits: ReadLimits,
  encoding: { explicit: boolean; bigEndian: boolean },
): ReadResult {
  const reader = new ElementReader(bytes, complete, encoding.bigEndian, limits);
  try {
    const dataSet = reader.readDataSet(encoding.explicit, options.stopBefore ?? Infinity, options.keep);
    return { done: true, dataSet, endOffset: reader.offset };
  } catch (error) {
    if (error === MORE_BYTES_NEEDED) return { done: false, wantedBytes: reader.wantedBytes };
    throw error;
  }
}

// Deflate (PS3.5 §A.5) shrinks at most 1032 times: growing windows keep what a hostile stream makes us inflate
// in proportion to what it takes to reach the end of the search.
const FIRST_WINDOW_BYTES = 16 << 10;

function readDeflated(bytes: Buffer, options: ReadOptions, limits: ReadLimits): ReadResult {
  const encoding = { explicit: true, bigEndian: false };
  for (let window = FIRST_WINDOW_BYTES; ; window *= 4) {
    const whole = window >= bytes.length;
    const inflated = inflate(bytes.subarray(0, window), MAX_INFLATED_BYTES);
    const result = readPlain(inflated, whole && options.complete, options, limits, encoding);
    if (result.done) return result;
    if (whole) return { done: false, wantedBytes: 2 * Math.max(bytes.length, FIRST_WINDOW_BYTES) };
  }
}

function inflate(bytes: Buffer, maxOutputLength: number): Buffer {
  // What has arrived of an unfinished stream is given out by Z_SYNC_FLUSH instead of an error.
  const settings = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength };
  try {
    return hasZlibHeader(bytes) ? inflateSync(bytes, settings) : inflateRawSync(bytes, settings);
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new DicomError(
        'limit',
        `Deflated data set has more than ${maxOutputLength} bytes to look through`,
      );
    }
    throw new DicomError('malformed', 'Deflated data set cannot be inflated', { offset: 0, cause: error });
  }
}

// Deviation (PS3.5 §A.5): accepts a zlib header around the deflate stream, because some toolkits write one.
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === 0x78 && bytes.readUInt16BE(0) % 31 === 0;
}
