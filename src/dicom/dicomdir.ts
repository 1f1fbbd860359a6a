// DICOMDIR: the directory of a file-set on a medium, as one more DICOM file (PS3.3 Annex F, PS3.10 §8).

import { createHash } from 'node:crypto';
import { encodeDataSet } from './data-set-writer.ts';
import type { DicomJson, JsonElement } from './dicom-json.ts';
import { tagOf } from './dictionary.ts';
import { encodeFileHead } from './file-meta.ts';
import { MEDIA_STORAGE_DIRECTORY } from './sop-class.ts';
import { ITEM, tagKey } from './tag.ts';
import { EXPLICIT_VR_LITTLE_ENDIAN } from './transfer-syntax.ts';
import { newUid } from './uid.ts';

/** One entity and those below it: PATIENT, STUDY, SERIES, then instances. */
export interface DirectoryRecord {
  readonly type: string;
  /** Its keys. */
  readonly attributes: DicomJson;
  /** Of an instance: its File ID, SOP class and instance, and transfer syntax. */
  readonly file?: {
    readonly id: readonly string[];
    readonly sopClassUid: string;
    readonly sopInstanceUid: string;
    readonly transferSyntaxUid: string;
  };
  readonly below?: readonly DirectoryRecord[];
}

const NEXT_RECORD = 0x00041400;
const IN_USE = 0x00041410;
const LOWER_RECORD = 0x00041420;
const ITEM_HEADER_BYTES = 8;
/** Behind the item's header: (0004,1400) UL comes first, then (0004,1410) US, then (0004,1420) UL. */
const NEXT_VALUE = ITEM_HEADER_BYTES + 8;
const LOWER_VALUE = NEXT_VALUE + 4 + 8 + 2 + 8;

const ENCODING = { transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN, characterSets: ['ISO_IR 192'] };

/** The whole file. `fileSetId` has at most 16 characters. */
export function encodeDicomdir(fileSetId: string, patients: readonly DirectoryRecord[]): Buffer {
  const sopInstanceUid = newUid();
  const head = encodeFileHead({
    sopClassUid: MEDIA_STORAGE_DIRECTORY,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  });
  const descriptor = (first: number, last: number) =>
    encodeDataSet(
      {
        [keyOf('FileSetID')]: { vr: 'CS', Value: [fileSetId] },
        '00041200': ul(first),
        '00041202': ul(last),
        '00041212': { vr: 'US', Value: [0] },
      },
      ENCODING,
    );
  const sequence = Buffer.from('04002012' + '53510000' + '00000000', 'hex');
  const records: Buffer[] = [];
  // Offsets count from the beginning of the file (PS3.3 §F.3.2.2).
  const start = head.bytes.length + descriptor(0, 0).length + sequence.length;
  const { last } = layOut(patients, records, start);
  sequence.writeUInt32LE(totalOf(records), 8);
  const dataSet = Buffer.concat([descriptor(patients.length === 0 ? 0 : start, last), sequence, ...records]);
  head.seal(createHash('sha256').update(dataSet).digest('hex'), dataSet.length);
  return Buffer.concat([head.bytes, dataSet]);
}

/** Each record, then everything below it; each points to its neighbour and to the first below. Returns where the
 *  last of this level is, and where the next byte goes. */
function layOut(
  records: readonly DirectoryRecord[],
  into: Buffer[],
  start: number,
): { last: number; end: number } {
  let end = start;
  let last = 0;
  let before: Buffer | undefined;
  for (const record of records) {
    const bytes = encodeRecord(record);
    into.push(bytes);
    before?.writeUInt32LE(end, NEXT_VALUE);
    before = bytes;
    last = end;
    end += bytes.length;
    const { below = [] } = record;
    if (below.length > 0) bytes.writeUInt32LE(end, LOWER_VALUE);
    ({ end } = layOut(below, into, end));
  }
  return { last, end };
}

function encodeRecord({ type, attributes, file }: DirectoryRecord): Buffer {
  const content = encodeDataSet(
    {
      ...attributes,
      [tagKey(NEXT_RECORD)]: ul(0),
      [tagKey(IN_USE)]: { vr: 'US', Value: [0xffff] },
      [tagKey(LOWER_RECORD)]: ul(0),
      [keyOf('DirectoryRecordType')]: { vr: 'CS', Value: [type] },
      ...(file !== undefined && {
        [keyOf('ReferencedFileID')]: { vr: 'CS', Value: [...file.id] },
        [keyOf('ReferencedSOPClassUIDInFile')]: { vr: 'UI', Value: [file.sopClassUid] },
        [keyOf('ReferencedSOPInstanceUIDInFile')]: { vr: 'UI', Value: [file.sopInstanceUid] },
        [keyOf('ReferencedTransferSyntaxUIDInFile')]: { vr: 'UI', Value: [file.transferSyntaxUid] },
      }),
    },
    ENCODING,
  );
  const header = Buffer.alloc(ITEM_HEADER_BYTES);
  header.writeUInt16LE(ITEM >>> 16, 0);
  header.writeUInt16LE(ITEM & 0xffff, 2);
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content]);
}

function totalOf(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0);
}

function ul(value: number): JsonElement {
  return { vr: 'UL', Value: [value] };
}

function keyOf(keyword: string): string {
  return tagKey(tagOf(keyword)!);
}
