// Attribute tags as one uint32, group × 65536 + element, and their written forms (PS3.5 §7.1.1, PS3.18 §F.2.2).

export const SPECIFIC_CHARACTER_SET = 0x00080005;
export const PIXEL_REPRESENTATION = 0x00280103;
export const PIXEL_DATA = 0x7fe00010;
export const ITEM = 0xfffee000;
export const ITEM_DELIMITATION = 0xfffee00d;
export const SEQUENCE_DELIMITATION = 0xfffee0dd;

const KEY_FORM = /^[0-9A-Fa-f]{8}$/;

// The same tags come with every instance. Strangers choose them, so what is remembered is bounded.
const MAX_REMEMBERED = 8192;
const keys = new Map<number, string>();

/** Eight upper-case hexadecimal digits, as DICOM JSON names attributes. */
export function tagKey(tag: number): string {
  let key = keys.get(tag);
  if (key === undefined) {
    key = tag.toString(16).toUpperCase().padStart(8, '0');
    if (keys.size >= MAX_REMEMBERED) keys.clear();
    keys.set(tag, key);
  }
  return key;
}

/** The tag of a DICOM JSON name; undefined when it is not eight hexadecimal digits. */
export function tagOfKey(key: string): number | undefined {
  return KEY_FORM.test(key) ? Number.parseInt(key, 16) : undefined;
}

export function isPrivateTag(tag: number): boolean {
  return (tag & 0x10000) !== 0;
}
