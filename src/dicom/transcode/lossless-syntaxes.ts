// Which transfer syntaxes can be re-encoded into which without touching a sample value (PS3.5 Annex A).

import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../transfer-syntax.ts';

export type CodecName = 'rle' | 'jpeg-lossless' | 'jpeg-ls' | 'jpeg-2000';

/** Compressed syntaxes whose frames can be lossless, and who undoes them. */
export const FRAME_CODECS: ReadonlyMap<string, CodecName> = new Map([
  ['1.2.840.10008.1.2.5', 'rle'],
  ['1.2.840.10008.1.2.4.57', 'jpeg-lossless'],
  ['1.2.840.10008.1.2.4.70', 'jpeg-lossless'],
  ['1.2.840.10008.1.2.4.80', 'jpeg-ls'],
  ['1.2.840.10008.1.2.4.81', 'jpeg-ls'],
  ['1.2.840.10008.1.2.4.90', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.91', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.201', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.202', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.203', 'jpeg-2000'],
]);

/** A reversible codestream of these may have been cut short by the encoder, which leaves no mark in it: the instance
 *  itself must say that nothing was lost. (For JPEG-LS .81 the stream's NEAR tells all.) */
export const MAY_BE_CUT: ReadonlySet<string> = new Set(['1.2.840.10008.1.2.4.91', '1.2.840.10008.1.2.4.203']);

const NATIVE_SOURCES: ReadonlySet<string> = new Set([
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
]);

const LITTLE_ENDIAN_TARGETS: ReadonlySet<string> = new Set([
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
]);

/** Whether `transcode` may be asked. It can still refuse the instance: JPEG 2000, HTJ2K and JPEG-LS near-lossless
 *  syntaxes hold both kinds, and only the stream tells. The stored syntax itself needs no transcoding: false. */
export function canTranscode(from: string, to: string): boolean {
  if (from === to) return false;
  if (NATIVE_SOURCES.has(from)) return LITTLE_ENDIAN_TARGETS.has(to) || to === EXPLICIT_VR_BIG_ENDIAN;
  return FRAME_CODECS.has(from) && LITTLE_ENDIAN_TARGETS.has(to);
}
