// The head of a file that somebody else wrote, with or without preamble and File Meta Information (PS3.10 §7.1).

import { DicomError } from './errors.ts';
import { type FileMeta, readFileHead, readMeta } from './file-meta.ts';
import { guessTransferSyntax } from './guess-transfer-syntax.ts';

const PREFIX_OFFSET = 128;
const META_GROUP = 0x0002;

/** As `readFileHead`, for files to send or import. `bytes` are the first few kilobytes, or all there are.
 *  A bare data set begins at offset 0; its UIDs are then '' and to be read from the data set. */
export function readForeignHead(bytes: Buffer): { meta: FileMeta; dataSetOffset: number } | 'more' {
  const transferSyntaxUid = guessTransferSyntax(bytes);
  // The prefix can be part of a value by chance.
  if (
    hasPrefix(bytes, PREFIX_OFFSET) &&
    (transferSyntaxUid === undefined || startsMeta(bytes, PREFIX_OFFSET + 4))
  ) {
    return readFileHead(bytes);
  }
  // Deviation (PS3.10 §7.1): accepts files without the preamble, or without preamble and prefix.
  if (hasPrefix(bytes, 0)) return readMeta(bytes, 4);
  if (startsMeta(bytes, 0)) return readMeta(bytes, 0);
  if (transferSyntaxUid === undefined) {
    throw new DicomError('not-dicom', 'Not a DICOM file: neither "DICM" nor a data set', { offset: 0 });
  }
  return { meta: { sopClassUid: '', sopInstanceUid: '', transferSyntaxUid }, dataSetOffset: 0 };
}

function hasPrefix(bytes: Buffer, offset: number): boolean {
  return bytes.toString('latin1', offset, offset + 4) === 'DICM';
}

function startsMeta(bytes: Buffer, offset: number): boolean {
  return bytes.length >= offset + 2 && bytes.readUInt16LE(offset) === META_GROUP;
}
