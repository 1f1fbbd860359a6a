// Bytes of the durable record: a slot file begins with a header block, then come groups of checked records, each
// group on blocks of its own.
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** A block that has been acknowledged is never written again, so that a write torn by power loss cannot harm it. */
export const BLOCK_BYTES = 4096;

/** Per record: magic 4, CRC-32 of all that follows 4, note length 4, content length 4, sequence 6, previous 6,
 *  applied 6, salt 8; then the note and the content. */
export const RECORD_HEAD_BYTES = 42;

/** Drawn anew each time a slot is used: what an earlier use left behind the newest record is not taken for records,
 *  nor is anything that a sender hides in an instance. */
export type Salt = Buffer;

// Not valid UTF-8, so text inside a damaged record is never taken for the beginning of another.
const RECORD_MAGIC = Buffer.from('f541564a', 'hex');
const SLOT_MAGIC = Buffer.from('f541565302', 'hex');
const SALT_BYTES = 8;
const SALT_FROM = SLOT_MAGIC.length;
const BOOT_ID_AT = SALT_FROM + SALT_BYTES;
const BOOT_ID_BYTES = 36;
const HEADER_CRC_AT = BOOT_ID_AT + BOOT_ID_BYTES;
const CRC_AT = 4;
const CHECKED_FROM = 8;
const NOTE_LENGTH_AT = 8;
const CONTENT_LENGTH_AT = 12;
const SEQUENCE_AT = 16;
const PREVIOUS_AT = 22;
const APPLIED_AT = 28;
const SALT_AT = 34;
const BLANK_BLOCK = Buffer.alloc(BLOCK_BYTES);

/** What is to be recorded. */
export interface Entry {
  readonly note: Buffer;
  readonly content: Buffer;
}

export interface JournalRecord {
  readonly sequence: number;
  /** The sequence recorded before this one; 0 for the first of all. */
  readonly previous: number;
  /** Everything up to this sequence was in the catalogue when this record was written. */
  readonly applied: number;
  readonly note: Buffer;
  readonly content: Buffer;
  /** Where the content begins in the slot. */
  readonly contentAt: number;
}

export interface DamagedRange {
  readonly offset: number;
  readonly bytes: number;
}

export interface SlotContent {
  readonly records: readonly JournalRecord[];
  /** Ranges that hold no readable record although readable ones follow. */
  readonly damaged: readonly DamagedRange[];
}

export function newSalt(): Salt {
  return randomBytes(SALT_BYTES);
}

/** What the first block of a slot in use says. */
export interface SlotHeader {
  readonly salt: Salt;
  /** Of the boot of the machine in which the slot was written. */
  readonly bootId: string;
}

/** The first block of a slot in use; a blank one says that the slot is free. */
export function encodeSlotHeader({ salt, bootId }: SlotHeader): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  SLOT_MAGIC.copy(block);
  salt.copy(block, SALT_FROM);
  block.write(bootId, BOOT_ID_AT, BOOT_ID_BYTES, 'latin1');
  block.writeUInt32BE(crc32(block.subarray(0, HEADER_CRC_AT)), HEADER_CRC_AT);
  return block;
}

/** Bytes of a group with all these entries: whole blocks. */
export function groupBytes(entries: readonly Entry[]): number {
  return wholeBlocks(entries.reduce((sum, entry) => sum + recordBytes(entry), 0));
}

export function recordBytes({ note, content }: Entry): number {
  return RECORD_HEAD_BYTES + note.length + content.length;
}

export interface GroupPlace {
  readonly salt: Salt;
  readonly firstSequence: number;
  /** The sequence recorded last before this group. */
  readonly previous: number;
  readonly applied: number;
}

/** One group as pieces to be written one behind the other; contents are not copied. */
export function encodeGroup(entries: readonly Entry[], place: GroupPlace): Buffer[] {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let { previous } = place;
  entries.forEach(({ note, content }, index) => {
    const sequence = place.firstSequence + index;
    const head = Buffer.allocUnsafe(RECORD_HEAD_BYTES + note.length);
    RECORD_MAGIC.copy(head);
    head.writeUInt32BE(note.length, NOTE_LENGTH_AT);
    head.writeUInt32BE(content.length, CONTENT_LENGTH_AT);
    head.writeUIntBE(sequence, SEQUENCE_AT, 6);
    head.writeUIntBE(previous, PREVIOUS_AT, 6);
    head.writeUIntBE(place.applied, APPLIED_AT, 6);
    place.salt.copy(head, SALT_AT);
    note.copy(head, RECORD_HEAD_BYTES);
    head.writeUInt32BE(crc32(content, crc32(head.subarray(CHECKED_FROM))), CRC_AT);
    pieces.push(head);
    if (content.length > 0) pieces.push(content);
    bytes += head.length + content.length;
    previous = sequence;
  });
  const padding = wholeBlocks(bytes) - bytes;
  if (padding > 0) pieces.push(BLANK_BLOCK.subarray(0, padding));
  return pieces;
}

/** The header of the slot's present use; 'free' for a blank one, 'unreadable' for anything else. */
export function readSlotHeader(slot: Buffer): SlotHeader | 'free' | 'unreadable' {
  const block = slot.subarray(0, BLOCK_BYTES);
  if (isBlank(block)) return 'free';
  if (block.length < BLOCK_BYTES || !block.subarray(0, SALT_FROM).equals(SLOT_MAGIC)) return 'unreadable';
  if (block.readUInt32BE(HEADER_CRC_AT) !== crc32(block.subarray(0, HEADER_CRC_AT))) return 'unreadable';
  return {
    salt: block.subarray(SALT_FROM, BOOT_ID_AT),
    bootId: block.toString('latin1', BOOT_ID_AT, HEADER_CRC_AT).replace(/\0+$/, ''),
  };
}

/** Everything readable in a slot, and where it is not. Records behind damage are found by their magic and proven by
 *  salt and checksum; sequences must rise, so nothing is taken twice. Behind the last record lies what an earlier use
 *  or a write cut short has left: nothing acknowledged. */
export function scanSlot(slot: Buffer, salt: Salt): SlotContent {
  const records: JournalRecord[] = [];
  const damaged: DamagedRange[] = [];
  let lastSequence = 0;
  let readTo = BLOCK_BYTES;
  let at = slot.indexOf(RECORD_MAGIC, readTo);
  while (at >= 0) {
    const record = recordAt(slot, at, salt);
    if (record === undefined || record.sequence <= lastSequence) {
      at = slot.indexOf(RECORD_MAGIC, at + 1);
      continue;
    }
    if (!isPadding(slot, readTo, at)) damaged.push({ offset: readTo, bytes: at - readTo });
    records.push(record);
    lastSequence = record.sequence;
    readTo = record.contentAt + record.content.length;
    at = slot.indexOf(RECORD_MAGIC, readTo);
  }
  return { records, damaged };
}

function recordAt(slot: Buffer, offset: number, salt: Salt): JournalRecord | undefined {
  const noteAt = offset + RECORD_HEAD_BYTES;
  if (noteAt > slot.length || salt.compare(slot, offset + SALT_AT, noteAt) !== 0) return undefined;
  const contentAt = noteAt + slot.readUInt32BE(offset + NOTE_LENGTH_AT);
  const end = contentAt + slot.readUInt32BE(offset + CONTENT_LENGTH_AT);
  if (end > slot.length) return undefined;
  if (crc32(slot.subarray(offset + CHECKED_FROM, end)) !== slot.readUInt32BE(offset + CRC_AT))
    return undefined;
  return {
    sequence: slot.readUIntBE(offset + SEQUENCE_AT, 6),
    previous: slot.readUIntBE(offset + PREVIOUS_AT, 6),
    applied: slot.readUIntBE(offset + APPLIED_AT, 6),
    note: slot.subarray(noteAt, contentAt),
    content: slot.subarray(contentAt, end),
    contentAt,
  };
}

/** Whether a group ends at `from` and the next begins at `to`. */
function isPadding(slot: Buffer, from: number, to: number): boolean {
  return to === from || (to === wholeBlocks(from) && isBlank(slot.subarray(from, to)));
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

function isBlank(bytes: Buffer): boolean {
  return BLANK_BLOCK.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
}
