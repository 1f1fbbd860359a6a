// The transfer syntax of a data set that nobody labelled, from its first element (PS3.5 §7.1, Annex A).

import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntax.ts';
import { vrOfBytes } from './vr.ts';

/** How many bytes a guess needs. */
export const GUESS_BYTES = 8;

// Data sets begin with one of the identifying groups: hardly ever with anything above.
const LAST_FIRST_GROUP = 0x00ff;
const MOST_FIRST_VALUE_BYTES = 0xffff;

/** Deviation (PS3.10 §7.1): accepts data sets without File Meta Information, as plain DICOM dumps are. Undefined
 *  when these bytes do not begin a data set. */
export function guessTransferSyntax(dataSet: Buffer): string | undefined {
  if (dataSet.length < GUESS_BYTES) return undefined;
  const little = dataSet.readUInt16LE(0);
  const group = Math.min(little, dataSet.readUInt16BE(0));
  if (group === 0 || group > LAST_FIRST_GROUP || group % 2 !== 0) return undefined;
  if (vrOfBytes(dataSet[4]!, dataSet[5]!) !== undefined) {
    return group === little ? EXPLICIT_VR_LITTLE_ENDIAN : EXPLICIT_VR_BIG_ENDIAN;
  }
  if (group !== little || dataSet.readUInt32LE(4) > MOST_FIRST_VALUE_BYTES) return undefined;
  return IMPLICIT_VR_LITTLE_ENDIAN;
}
