// Reads one stored file again from its first byte to its last and says what is wrong with it, if anything.

import { createHash } from 'node:crypto';
import type { StoredLocation } from '../catalog/catalog.ts';
import type { FindingKind } from '../catalog/upkeep.ts';
import { DicomError } from '../dicom/errors.ts';
import { isHeadOf } from '../dicom/file-head-check.ts';
import { type FileMeta, readFileHead } from '../dicom/file-meta.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import type { OpenFile } from '../util/open-file.ts';

/** A content of an instance, and where it should be. */
export interface Examined {
  readonly sopInstanceUid: string;
  /** Older contents do not say in the catalogue. */
  readonly sopClassUid?: string;
  readonly location: StoredLocation;
}

export interface Damage {
  readonly result: FindingKind;
  readonly reason: string;
  /** What the file says of itself, where it can be read. */
  readonly meta?: FileMeta;
}

export type Verdict = { readonly result: 'sound' } | Damage;

/** Called before so many bytes are read: waits as long as reading should. */
export type BeforeReading = (bytes: number) => Promise<void>;

const CHUNK_BYTES = 1 << 20;
/** More than the head of any file that this archive writes. */
const MIN_HEAD_BYTES = 4096;
/** As opposed to the end of the run. */
const SYSTEM_ERROR = /^E[A-Z0-9]+$/;
const OWNER_MAY_READ = 0o400;

const KIND_OF: Readonly<Record<string, FindingKind>> = {
  missing: 'missing',
  'bad-path': 'not-a-file',
  unusable: 'permissions',
};

export async function examine(
  storage: StorageArea,
  examined: Examined,
  beforeReading: BeforeReading,
): Promise<Verdict> {
  let file: OpenFile;
  try {
    file = await storage.open(examined.location.path);
  } catch (error) {
    return { result: KIND_OF[codeOf(error) ?? ''] ?? 'unreadable', reason: messageOf(error) };
  }
  using opened = file;
  if ((opened.stat().mode & OWNER_MAY_READ) === 0) {
    return { result: 'permissions', reason: 'its permissions do not let its owner read it' };
  }
  try {
    return await compare(opened, examined, beforeReading);
  } catch (error) {
    if (!SYSTEM_ERROR.test(codeOf(error) ?? '')) throw error;
    return { result: 'unreadable', reason: `it cannot be read: ${messageOf(error)}` };
  }
}

async function compare(file: OpenFile, examined: Examined, beforeReading: BeforeReading): Promise<Verdict> {
  const { location, sopInstanceUid } = examined;
  const { size } = file.stat();
  const start = Buffer.allocUnsafe(Math.min(size, Math.max(MIN_HEAD_BYTES, location.dataSetOffset)));
  await beforeReading(start.length);
  const head = headOf(start.subarray(0, await file.read([start], 0)));
  const meta = head?.meta;
  const isOther = meta?.integrity !== undefined && meta.sopInstanceUid !== sopInstanceUid;
  if (isOther || size === location.fileBytes) {
    const offset = isOther ? head!.dataSetOffset : location.dataSetOffset;
    const sha256 = await hashFrom(file, offset, beforeReading);
    if (isOther && sha256 === meta.integrity?.sha256) {
      return { result: 'swapped', reason: `it holds instance ${meta.sopInstanceUid}`, meta };
    }
    if (sha256 !== location.sha256) {
      return damage('data-altered', 'the bytes of its data set are not those received', meta);
    }
    const fault = metaFault(start, head, examined);
    return fault === undefined ? { result: 'sound' } : damage('meta-altered', fault, meta);
  }
  const words = `it has ${size} bytes, ${location.fileBytes} were stored`;
  return damage(size < location.fileBytes ? 'truncated' : 'data-altered', words, meta);
}

/** Every byte of the head but those that nobody else knows: the receiving AE title and the version of the program. */
function metaFault(start: Buffer, head: Head | undefined, examined: Examined): string | undefined {
  const { location, sopInstanceUid, sopClassUid } = examined;
  if (head === undefined) return 'its File Meta Information cannot be read';
  const { meta, dataSetOffset } = head;
  const sourceAeTitle = location.sourceAeTitle;
  const written = {
    sopClassUid: sopClassUid ?? meta.sopClassUid,
    sopInstanceUid,
    transferSyntaxUid: location.transferSyntaxUid,
    ...(sourceAeTitle === '' ? {} : { sourceAeTitle, sendingAeTitle: sourceAeTitle }),
    ...(isText(meta.receivingAeTitle) ? { receivingAeTitle: meta.receivingAeTitle } : {}),
  };
  const { sha256, dataSetBytes: bytes, receivedAt } = location;
  if (dataSetOffset !== location.dataSetOffset)
    return 'its data set begins elsewhere than when it was stored';
  const isOurs = isHeadOf(start.subarray(0, dataSetOffset), written, { sha256, bytes, receivedAt });
  return isOurs ? undefined : 'its File Meta Information is not what was written';
}

function isText(value: string | undefined): value is string {
  return value !== undefined && /^[\x20-\x7e]*$/.test(value);
}

interface Head {
  readonly meta: FileMeta;
  readonly dataSetOffset: number;
}

function headOf(start: Buffer): Head | undefined {
  try {
    const head = readFileHead(start);
    return head === 'more' ? undefined : head;
  } catch (error) {
    if (error instanceof DicomError) return undefined;
    throw error;
  }
}

async function hashFrom(file: OpenFile, offset: number, beforeReading: BeforeReading): Promise<string> {
  const hash = createHash('sha256');
  const { size } = file.stat();
  const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(0, size - offset)));
  for (let position = offset; position < size; ) {
    await beforeReading(Math.min(CHUNK_BYTES, size - position));
    const bytes = await file.read([buffer], position);
    if (bytes === 0) break;
    hash.update(buffer.subarray(0, bytes));
    position += bytes;
  }
  return hash.digest('hex');
}

function damage(result: FindingKind, reason: string, meta: FileMeta | undefined): Damage {
  return { result, reason, ...(meta === undefined ? {} : { meta }) };
}
