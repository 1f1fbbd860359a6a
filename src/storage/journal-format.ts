// Bytes of the durable record: groups of checked records, each group on blocks of its own.
import { crc32 } from 'node:zlib';

/** A block that has been acknowledged is never written again, so that a write torn by power loss cannot harm it. */
export const BLOCK_BYTES = 4096;

/** Per record: magic 4, CRC-32 of all that follows 4, payload length 4, sequence 6, applied 6. */
export const RECORD_HEAD_BYTES = 24;

// Not valid UTF-8, so text inside a damaged record is never taken for the beginning of another.
const MAGIC_BYTES = Buffer.from('f541564a', 'hex');
const CHECKED_FROM = 8;
const LENGTH_AT = 8;
const SEQUENCE_AT = 12;
const APPLIED_AT = 18;
const BLANK_BLOCK = Buffer.alloc(BLOCK_BYTES);

export interface JournalRecord {
  readonly sequence: number;
  /** Everything up to this sequence was in the catalogue when this record was written. */
  readonly applied: number;
  readonly payload: Buffer;
}

export interface DamagedRange {
  readonly offset: number;
  readonly bytes: number;
}

export interface SegmentContent {
  readonly records: readonly JournalRecord[];
  /** Ranges that hold no readable record although readable ones follow. */
  readonly damaged: readonly DamagedRange[];
  /** Unreadable bytes after the last readable record: what a write cut off by power loss leaves. */
  readonly tornTail: DamagedRange | undefined;
}

export function groupBytes(payloadBytes: number): number {
  return Math.ceil(payloadBytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** One group, blank-padded to whole blocks. */
export function encodeGroup(payloads: readonly Buffer[], firstSequence: number, applied: number): Buffer {
  const bytes = payloads.reduce((sum, payload) => sum + RECORD_HEAD_BYTES + payload.length, 0);
  const group = Buffer.allocUnsafe(groupBytes(bytes));
  let offset = 0;
  payloads.forEach((payload, index) => {
    const end = offset + RECORD_HEAD_BYTES + payload.length;
    MAGIC_BYTES.copy(group, offset);
    group.writeUInt32BE(payload.length, offset + LENGTH_AT);
    group.writeUIntBE(firstSequence + index, offset + SEQUENCE_AT, 6);
    group.writeUIntBE(applied, offset + APPLIED_AT, 6);
    payload.copy(group, offset + RECORD_HEAD_BYTES);
    group.writeUInt32BE(crc32(group.subarray(offset + CHECKED_FROM, end)), offset + 4);
    offset = end;
  });
  group.fill(0, offset);
  return group;
}

/** Everything readable in a segment, and where it is not. Records behind damage are found by their magic and proven
 *  by their checksum; sequences must rise, so nothing is taken twice. */
export function scanSegment(segment: Buffer): SegmentContent {
  const records: JournalRecord[] = [];
  const damaged: DamagedRange[] = [];
  let lastSequence = 0;
  let readTo = 0;
  let at = segment.indexOf(MAGIC_BYTES);
  while (at >= 0) {
    const record = recordAt(segment, at);
    if (record === undefined || record.sequence <= lastSequence) {
      at = segment.indexOf(MAGIC_BYTES, at + 1);
      continue;
    }
    if (!isPadding(segment, readTo, at)) damaged.push({ offset: readTo, bytes: at - readTo });
    records.push(record);
    lastSequence = record.sequence;
    readTo = at + RECORD_HEAD_BYTES + record.payload.length;
    at = segment.indexOf(MAGIC_BYTES, readTo);
  }
  const writtenTo = endOfWritten(segment, readTo);
  const tornTail = writtenTo > readTo ? { offset: readTo, bytes: writtenTo - readTo } : undefined;
  return { records, damaged, tornTail };
}

function recordAt(segment: Buffer, offset: number): JournalRecord | undefined {
  const payloadAt = offset + RECORD_HEAD_BYTES;
  if (payloadAt > segment.length) return undefined;
  const end = payloadAt + segment.readUInt32BE(offset + LENGTH_AT);
  if (end > segment.length) return undefined;
  if (crc32(segment.subarray(offset + CHECKED_FROM, end)) !== segment.readUInt32BE(offset + 4))
    return undefined;
  return {
    sequence: segment.readUIntBE(offset + SEQUENCE_AT, 6),
    applied: segment.readUIntBE(offset + APPLIED_AT, 6),
    payload: segment.subarray(payloadAt, end),
  };
}

/** Whether nothing was ever written between the end of one record and the beginning of the next. */
function isPadding(segment: Buffer, from: number, to: number): boolean {
  return to === from || (to === groupBytes(from) && isBlank(segment.subarray(from, to)));
}

/** The end of the last block behind `from` with anything in it; `from` itself when all is blank. */
function endOfWritten(segment: Buffer, from: number): number {
  let end = from;
  for (let start = from; start < segment.length; ) {
    const next = Math.min((Math.floor(start / BLOCK_BYTES) + 1) * BLOCK_BYTES, segment.length);
    if (!isBlank(segment.subarray(start, next))) end = next;
    start = next;
  }
  return end;
}

function isBlank(bytes: Buffer): boolean {
  return BLANK_BLOCK.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}
