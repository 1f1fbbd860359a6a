// Reads an instance's head, up to the last attribute the catalogue keeps, and makes its catalogue record from it.

import { KEPT_TAGS } from '../catalog/attributes.ts';
import type { InstanceRecord } from '../catalog/catalog.ts';
import type { DataSet } from '../dicom/data-set.ts';
import { type ReadResult, readDataSet } from '../dicom/data-set-reader.ts';
import { DicomError } from '../dicom/errors.ts';
import { isUid } from '../dicom/uid.ts';
import { ArchiveError } from './errors.ts';
import type { InstanceUids } from './instance-path.ts';
import { attributesByLevel } from './shared-attributes.ts';

const STUDY_DATE = 0x00080020;
const SOP_CLASS_UID = 0x00080016;
const SOP_INSTANCE_UID = 0x00080018;
const STUDY_INSTANCE_UID = 0x0020000d;
const SERIES_INSTANCE_UID = 0x0020000e;

const FIRST_WINDOW_BYTES = 32 * 1024;
/** No head is this long; what claims to be is refused rather than held in memory. */
const MAX_HEAD_BYTES = 64 * 1024 * 1024;
const STOP_BEFORE = Math.max(...KEPT_TAGS) + 1;

/** Where the head is read from: a spooled file or one in place. */
export interface HeadSource {
  readonly dataSetBytes: number;
  /** A promise only when it has to be read. */
  head(bytes: number): Buffer | Promise<Buffer>;
}

export interface InstanceHead extends InstanceUids {
  readonly sopClassUid: string;
  readonly studyDate: string | undefined;
  readonly dataSet: DataSet;
}

/** Throws ArchiveError 'unreadable' that names the attribute or the offset. */
export async function readInstanceHead(source: HeadSource, transferSyntaxUid: string): Promise<InstanceHead> {
  const reading = readHeadDataSet(source, transferSyntaxUid);
  const dataSet = reading instanceof Promise ? await reading : reading;
  const sopClassUid = requiredUid(dataSet, SOP_CLASS_UID, 'SOP Class UID (0008,0016)');
  const sopInstanceUid = requiredUid(dataSet, SOP_INSTANCE_UID, 'SOP Instance UID (0008,0018)');
  // Deviation (PS3.3 A.1.2): an instance without study or series is kept as a study of its own, under its SOP
  // Instance UID, because non-patient objects have none (PS3.4 Annex GG) and modalities forget them.
  return {
    dataSet,
    sopClassUid,
    sopInstanceUid,
    studyUid: uidOf(dataSet, STUDY_INSTANCE_UID, 'Study Instance UID (0020,000D)') ?? sopInstanceUid,
    seriesUid: uidOf(dataSet, SERIES_INSTANCE_UID, 'Series Instance UID (0020,000E)') ?? sopInstanceUid,
    studyDate: dataSet.string(STUDY_DATE),
  };
}

/** `characterSetOverride` replaces what a mislabelled instance says in (0008,0005). */
export function recordOf(
  head: InstanceHead,
  location: InstanceRecord['location'],
  characterSetOverride: readonly string[] | undefined,
): InstanceRecord {
  return { ...attributesByLevel(head, characterSetOverride), location };
}

/** A promise only when there is something to be read. */
function readHeadDataSet(
  source: HeadSource,
  transferSyntaxUid: string,
  window = FIRST_WINDOW_BYTES,
): DataSet | Promise<DataSet> {
  const bytes = source.head(Math.min(window, source.dataSetBytes));
  const read = (head: Buffer) => {
    const result = readHead(head, source, transferSyntaxUid);
    if (result.done) return result.dataSet;
    if (window === MAX_HEAD_BYTES) {
      throw new ArchiveError('unreadable', `The head is longer than ${MAX_HEAD_BYTES >> 20} MiB.`);
    }
    const wider = Math.min(Math.max(window * 4, result.wantedBytes), MAX_HEAD_BYTES);
    return readHeadDataSet(source, transferSyntaxUid, wider);
  };
  return bytes instanceof Promise ? bytes.then(read) : read(bytes);
}

function readHead(bytes: Buffer, { dataSetBytes }: HeadSource, transferSyntaxUid: string): ReadResult {
  try {
    return readDataSet(bytes, {
      transferSyntaxUid,
      stopBefore: STOP_BEFORE,
      complete: bytes.length >= dataSetBytes,
      keep: KEPT_TAGS,
    });
  } catch (error) {
    if (!(error instanceof DicomError)) throw error;
    throw new ArchiveError('unreadable', error.message, { cause: error });
  }
}

function requiredUid(dataSet: DataSet, tag: number, name: string): string {
  const value = uidOf(dataSet, tag, name);
  if (value === undefined) throw new ArchiveError('unreadable', `${name} is missing.`, { tag });
  return value;
}

function uidOf(dataSet: DataSet, tag: number, name: string): string | undefined {
  const value = dataSet.string(tag);
  if (value === undefined || value === '') return undefined;
  if (!isUid(value)) throw new ArchiveError('invalid-uid', `${name} is not a UID.`, { tag });
  return value;
}
