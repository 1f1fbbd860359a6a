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

// Deflate (PS3.5 §A.5) shrinks up to 1032 times. A window that grows over the compressed bytes, and is narrowed where
// it inflates to too much, finds a head in front of anything and never holds more than the limit.
const FIRST_WINDOW_BYTES = 8 << 10;
const WINDOW_GROWTH = 4;
const LEAST_STEP_BYTES = 512;

function readDeflated(bytes: Buffer, options: ReadOptions, limits: ReadLimits): ReadResult {
  const encoding = { explicit: true, bigEndian: false };
  let enough = Math.min(FIRST_WINDOW_BYTES, bytes.length);
  let tooLittle = 0;
  let tooMuch = Infinity;
  for (;;) {
    const inflated = inflate(bytes.subarray(0, enough));
    if (inflated === undefined) {
      tooMuch = enough;
    } else {
      const whole = enough === bytes.length;
      const result = readPlain(inflated, whole && options.complete, options, limits, encoding);
      if (result.done) return result;
      if (whole) return { done: false, wantedBytes: 2 * Math.max(bytes.length, FIRST_WINDOW_BYTES) };
      tooLittle = enough;
    }
    if (tooMuch - tooLittle < LEAST_STEP_BYTES) {
      throw new DicomError(
        'limit',
        `Deflated data set has more than ${MAX_INFLATED_BYTES} bytes to look through`,
      );
    }
    enough =
      tooMuch === Infinity
        ? Math.min(WINDOW_GROWTH * enough, bytes.length)
        : tooLittle + Math.ceil((tooMuch - tooLittle) / 2);
  }
}

// Undefined: more than the limit came out.
function inflate(bytes: Buffer): Buffer | undefined {
  // What has arrived of an unfinished stream is given out by Z_SYNC_FLUSH instead of an error.
  const settings = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED_BYTES };
  try {
    return hasZlibHeader(bytes) ? inflateSync(bytes, settings) : inflateRawSync(bytes, settings);
  } catch (error) {
    if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw new DicomError('malformed', 'Deflated data set cannot be inflated', { offset: 0, cause: error });
  }
}

// Deviation (PS3.5 §A.5): accepts a zlib header around the deflate stream, because some toolkits write one.
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length > 2 && bytes[0] === 0x78 && bytes.readUInt16BE(0) % 31 === 0;
}
