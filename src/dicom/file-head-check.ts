// Whether the head of a file is, byte for byte, the one that this archive writes (PS3.10 §7.1).

import { encodeFileHead, type FileMeta, type Integrity } from './file-meta.ts';

const GROUP_LENGTH_AT = 140;
const GROUP_AT = 144;
/** (0002,0013) SH, Implementation Version Name: of the program that wrote the file. */
const VERSION_NAME_HEADER = Buffer.from([0x02, 0, 0x13, 0, 0x53, 0x48]);
const PRINTABLE = /^[\x20-\x7e]*$/;

/** Everything is compared but the version of the program, which may have been another, and must be plain text. */
export function isHeadOf(
  head: Buffer,
  meta: Omit<FileMeta, 'integrity'>,
  { sha256, bytes, receivedAt }: Integrity,
): boolean {
  const expected = encodeFileHead(meta, receivedAt);
  expected.seal(sha256, bytes);
  if (head.length < GROUP_AT || head.readUInt32LE(GROUP_LENGTH_AT) !== head.length - GROUP_AT) return false;
  const [found, wanted] = [withoutVersion(head), withoutVersion(expected.bytes)];
  return found !== undefined && wanted !== undefined && found.equals(wanted);
}

function withoutVersion(head: Buffer): Buffer | undefined {
  const start = head.indexOf(VERSION_NAME_HEADER, GROUP_AT);
  if (start < 0 || start + 8 > head.length) return undefined;
  const valueAt = start + 8;
  const end = valueAt + head.readUInt16LE(start + 6);
  if (end > head.length || !PRINTABLE.test(head.toString('latin1', valueAt, end))) return undefined;
  return Buffer.concat([
    head.subarray(0, GROUP_LENGTH_AT),
    head.subarray(GROUP_AT, start),
    head.subarray(end),
  ]);
}
