// The head of a DICOM file: preamble, prefix, File Meta Information (PS3.10 §7.1), with our integrity record in it.

import { uint16Text, uint32Text } from '../util/byte-text.ts';
import type { DataSet } from './data-set.ts';
import { readDataSet } from './data-set-reader.ts';
import { DicomError } from './errors.ts';
import { GUESS_BYTES, guessTransferSyntax } from './guess-transfer-syntax.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN } from './transfer-syntax.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './uid.ts';
import { vrInfo } from './vr.ts';

/** What the archive knew when the data set was complete. */
export interface Integrity {
  /** Of the data set's bytes, hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly receivedAt: string;
}

export interface FileMeta {
  /** '' when a foreign file does not say. */
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly sourceAeTitle?: string;
  readonly sendingAeTitle?: string;
  readonly receivingAeTitle?: string;
  /** Only in files that this archive wrote to the end. */
  readonly integrity?: Integrity;
}

export interface FileHead {
  readonly bytes: Buffer;
  /** Writes hash (hexadecimal) and count into the blank field in `bytes`, whose length does not change. */
  seal(sha256: string, dataSetBytes: number): void;
}

const PREAMBLE_BYTES = 128;
const PREFIX = Buffer.from('DICM', 'latin1');
const META_OFFSET = PREAMBLE_BYTES + PREFIX.length;
const MAX_META_BYTES = 1 << 20;

const META_GROUP = 0x0002;
const META_ENCODING = {
  transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  stopBefore: (META_GROUP + 1) * 0x10000,
};
// (0002,0000) UL of 4 bytes.
const GROUP_LENGTH_HEADER = Buffer.from([0x02, 0, 0, 0, 0x55, 0x4c, 0x04, 0]);
const MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002;
const MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003;
const TRANSFER_SYNTAX_UID = 0x00020010;
const SOURCE_AE_TITLE = 0x00020016;
const SENDING_AE_TITLE = 0x00020017;
const RECEIVING_AE_TITLE = 0x00020018;
const PRIVATE_INFORMATION_CREATOR = 0x00020100;
const PRIVATE_INFORMATION = 0x00020102;

const INTEGRITY_BYTES = 160;
const INTEGRITY_FORM =
  /^sha256=([0-9a-f]{64}) bytes=([0-9]{20}) received=([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{12}Z) *$/;

// What is the same in every head.
const FILE_START = `${'\0'.repeat(PREAMBLE_BYTES)}${PREFIX.toString('latin1')}`;
const VERSION = element(0x00020001, 'OB', '\0\x01');
const IMPLEMENTATION =
  element(0x00020012, 'UI', IMPLEMENTATION_CLASS_UID) +
  element(0x00020013, 'SH', IMPLEMENTATION_VERSION_NAME);
const BLANK_INTEGRITY =
  element(PRIVATE_INFORMATION_CREATOR, 'UI', IMPLEMENTATION_CLASS_UID) +
  element(PRIVATE_INFORMATION, 'OB', ' '.repeat(INTEGRITY_BYTES));

/** The head for an instance that is still to come. Until `seal`, the integrity field is blank. */
export function encodeFileHead(
  meta: Omit<FileMeta, 'integrity'>,
  receivedAt = new Date().toISOString(),
): FileHead {
  const group =
    VERSION +
    element(MEDIA_STORAGE_SOP_CLASS_UID, 'UI', meta.sopClassUid) +
    element(MEDIA_STORAGE_SOP_INSTANCE_UID, 'UI', meta.sopInstanceUid) +
    element(TRANSFER_SYNTAX_UID, 'UI', meta.transferSyntaxUid) +
    IMPLEMENTATION +
    aeTitle(SOURCE_AE_TITLE, meta.sourceAeTitle) +
    aeTitle(SENDING_AE_TITLE, meta.sendingAeTitle) +
    aeTitle(RECEIVING_AE_TITLE, meta.receivingAeTitle) +
    BLANK_INTEGRITY;
  const groupLength = element(0x00020000, 'UL', uint32Text(group.length));
  const bytes = Buffer.from(FILE_START + groupLength + group, 'latin1');
  return {
    bytes,
    seal: (sha256, dataSetBytes) => sealFileHead(bytes, { sha256, bytes: dataSetBytes, receivedAt }),
  };
}

/** Fills in the integrity field of a head that `encodeFileHead` made. */
export function sealFileHead(head: Buffer, { sha256, bytes, receivedAt }: Integrity): void {
  const text = `sha256=${sha256} bytes=${String(bytes).padStart(20, '0')} received=${receivedAt}`;
  head.write(text.padEnd(INTEGRITY_BYTES), head.length - INTEGRITY_BYTES, 'latin1');
}

/** What a file says about itself; 'more' when the bytes end before it is all said. */
export function readFileHead(bytes: Buffer): { meta: FileMeta; dataSetOffset: number } | 'more' {
  const prefixed = Math.min(bytes.length, META_OFFSET) - PREAMBLE_BYTES;
  if (prefixed > 0) {
    const seen = bytes.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + prefixed);
    if (!seen.equals(PREFIX.subarray(0, prefixed))) {
      throw new DicomError('not-part-10', 'Not a DICOM file: "DICM" is missing', { offset: PREAMBLE_BYTES });
    }
  }
  return bytes.length < META_OFFSET ? 'more' : readMeta(bytes, META_OFFSET);
}

/** As `readFileHead`, from where File Meta Information begins. */
export function readMeta(
  bytes: Buffer,
  metaOffset: number,
): { meta: FileMeta; dataSetOffset: number } | 'more' {
  const group = readCountedGroup(bytes, metaOffset) ?? readGroup(bytes, metaOffset);
  if (group === undefined) return 'more';
  const meta = metaOf(group.dataSet, bytes.subarray(group.endOffset));
  return meta === undefined ? 'more' : { meta, dataSetOffset: group.endOffset };
}

type Group = { readonly dataSet: DataSet; readonly endOffset: number };

// Up to where Group Length says; undefined when it is not there or cannot be true.
function readCountedGroup(bytes: Buffer, start: number): Group | undefined {
  if (bytes.length < start + 14 || !bytes.subarray(start, start + 8).equals(GROUP_LENGTH_HEADER))
    return undefined;
  const end = start + 12 + bytes.readUInt32LE(start + 8);
  if (end > start + MAX_META_BYTES || end + 2 > bytes.length) return undefined;
  if (bytes.readUInt16LE(end) === META_GROUP) return undefined;
  try {
    const result = readDataSet(bytes.subarray(start, end), { ...META_ENCODING, complete: true });
    return result.done && start + result.endOffset === end
      ? { dataSet: result.dataSet, endOffset: end }
      : undefined;
  } catch (error) {
    if (error instanceof DicomError) return undefined;
    throw error;
  }
}

// Deviation (PS3.10 §7.1): accepts a Group Length that is missing or wrong, because the group also ends where the
// next one begins. (A deflated data set can begin with any bytes: there a right Group Length is needed.)
function readGroup(bytes: Buffer, start: number): Group | undefined {
  const end = Math.min(bytes.length, start + MAX_META_BYTES);
  const result = readDataSet(bytes.subarray(start, end), { ...META_ENCODING, complete: false });
  if (result.done) return { dataSet: result.dataSet, endOffset: start + result.endOffset };
  if (end === bytes.length) return undefined;
  throw new DicomError('limit', `File Meta Information of more than ${MAX_META_BYTES} bytes`, {
    offset: end,
  });
}

function metaOf(group: DataSet, dataSet: Buffer): FileMeta | undefined {
  const named = group.string(TRANSFER_SYNTAX_UID);
  if (named === undefined && dataSet.length < GUESS_BYTES) return undefined;
  // Deviation (PS3.10 §7.1): accepts a file that does not name its transfer syntax: its first bytes show it, or it is
  // the default one (PS3.5 §10.1).
  const transferSyntaxUid = named ?? guessTransferSyntax(dataSet) ?? IMPLICIT_VR_LITTLE_ENDIAN;
  const sourceAeTitle = group.string(SOURCE_AE_TITLE);
  const sendingAeTitle = group.string(SENDING_AE_TITLE);
  const receivingAeTitle = group.string(RECEIVING_AE_TITLE);
  const integrity = integrityOf(group);
  return {
    sopClassUid: group.string(MEDIA_STORAGE_SOP_CLASS_UID) ?? '',
    sopInstanceUid: group.string(MEDIA_STORAGE_SOP_INSTANCE_UID) ?? '',
    transferSyntaxUid,
    ...(sourceAeTitle === undefined ? {} : { sourceAeTitle }),
    ...(sendingAeTitle === undefined ? {} : { sendingAeTitle }),
    ...(receivingAeTitle === undefined ? {} : { receivingAeTitle }),
    ...(integrity === undefined ? {} : { integrity }),
  };
}

function integrityOf(group: DataSet): Integrity | undefined {
  if (group.string(PRIVATE_INFORMATION_CREATOR) !== IMPLEMENTATION_CLASS_UID) return undefined;
  const text = group.elements.get(PRIVATE_INFORMATION)?.value.toString('latin1') ?? '';
  const [, sha256, bytes, receivedAt] = INTEGRITY_FORM.exec(text) ?? [];
  if (sha256 === undefined || bytes === undefined || receivedAt === undefined) return undefined;
  return { sha256, bytes: Number(bytes), receivedAt };
}

function element(tag: number, vr: string, value: string): string {
  const padding = value.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' ';
  const length = value.length + padding.length;
  const lengthField = vrInfo(vr).longHeader ? `\0\0${uint32Text(length)}` : uint16Text(length);
  return uint16Text(tag >>> 16) + uint16Text(tag) + vr + lengthField + value + padding;
}

function aeTitle(tag: number, title: string | undefined): string {
  return title === undefined ? '' : element(tag, 'AE', title);
}
