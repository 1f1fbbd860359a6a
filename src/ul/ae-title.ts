// AE titles on the wire: 16 bytes, blanks at both ends not significant (PS3.8 §9.3.2, PS3.5 §6.2 AE).
import { UlError } from './errors.ts';

export const AE_TITLE_BYTES = 16;

/** Deviation (PS3.8 §9.3.2): accepts NUL padding and characters outside the default repertoire (as Latin-1),
 *  because old hosts send them; control characters become '?', for titles end up in log lines. */
export function decodeAeTitle(field: Buffer): string {
  const end = field.indexOf(0);
  return field
    .toString('latin1', 0, end < 0 ? field.length : end)
    .trim()
    .replace(/\p{Cc}/gu, '?');
}

/** Sixteen bytes, blank-padded. */
export function encodeAeTitle(title: string): Buffer {
  const trimmed = title.trim();
  if (trimmed.length === 0 || trimmed.length > AE_TITLE_BYTES || /[^\u0020-\u00ff]/.test(trimmed)) {
    throw new UlError(
      'ul-bad-ae-title',
      `'${title}' is not an AE title: it needs 1 to ${AE_TITLE_BYTES} characters`,
    );
  }
  return Buffer.from(trimmed.padEnd(AE_TITLE_BYTES, ' '), 'latin1');
}
