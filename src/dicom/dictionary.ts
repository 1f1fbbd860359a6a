// The data dictionary (PS3.6), keyed by tag: an adapter over the table that dcmjs carries.

import dictionary from 'dcmjs/dictionary';
import { isPrivateTag, tagKey } from './tag.ts';

// The table's own letters for "one of several VRs". OW stands for OB or OW: it is what Implicit VR means (PS3.5 §A.1).
const COLLECTIVE_VRS: Readonly<Record<string, string>> = { ox: 'OW', px: 'OW', lt: 'OW', xs: 'US', up: 'UL' };

// What the table has otherwise than PS3.6.
const CORRECTIONS: readonly [number, string][] = [
  [0x00660040, 'OL'],
  [0x00660041, 'OL'],
  [0x00660042, 'OL'],
  [0x00660043, 'OL'],
];

// "(0010,0010)", and repeating groups as "(6000-60FF,3000)".
const ENTRY_FORM = /^\(([0-9A-Fa-f]{4})(?:-[0-9A-Fa-f]{4})?,([0-9A-Fa-f]{4})\)$/;

const vrs = new Map<number, string>();
const keywords = new Map<number, string>();
const tags = new Map<string, number>();
const usOrSs = new Set<number>();

for (const [key, { vr, name }] of Object.entries(dictionary)) {
  const form = ENTRY_FORM.exec(key);
  if (form === null || vr === undefined || vr === 'na') continue;
  const tag = Number.parseInt(`${form[1]}${form[2]}`, 16);
  vrs.set(tag, COLLECTIVE_VRS[vr] ?? vr);
  if (vr === 'xs') usOrSs.add(tag);
  const keyword = name?.replace(/^RETIRED_/, '');
  if (keyword === undefined || keyword === 'undefined' || keyword === 'Unknown') continue;
  keywords.set(tag, keyword);
  if (!tags.has(keyword)) tags.set(keyword, tag);
}
for (const [tag, vr] of CORRECTIONS) vrs.set(tag, vr);

/** The Value Representation of an attribute; UN when nobody knows. Of several allowed ones the commonest. */
export function vrOf(tag: number): string {
  const vr = vrs.get(tag) ?? vrs.get(repeatingGroupTag(tag));
  if (vr !== undefined) return vr;
  const element = tag & 0xffff;
  if (element === 0) return 'UL'; // Group Length (PS3.5 §7.2)
  if (isPrivateTag(tag) && element >= 0x10 && element <= 0xff) return 'LO'; // Private Creator (PS3.5 §7.8.1)
  return 'UN';
}

/** Whether PS3.6 says "US or SS": Pixel Representation (0028,0103) decides. */
export function isUsOrSs(tag: number): boolean {
  return usOrSs.has(tag);
}

/** The PS3.6 keyword of an attribute, retired ones without a prefix. */
export function keywordOf(tag: number): string | undefined {
  return keywords.get(tag) ?? keywords.get(repeatingGroupTag(tag));
}

export function tagOf(keyword: string): number | undefined {
  return tags.get(keyword);
}

/** "(0010,0010) PatientName", for people. */
export function describeTag(tag: number): string {
  const key = tagKey(tag);
  const keyword = keywordOf(tag);
  return `(${key.slice(0, 4)},${key.slice(4)})${keyword === undefined ? '' : ` ${keyword}`}`;
}

// Curves 50xx, overlays 60xx, variable pixel data 7Fxx: the first group of the range stands for all (PS3.5 §7.6).
function repeatingGroupTag(tag: number): number {
  const range = tag >>> 24;
  const repeats = range === 0x50 || range === 0x60 || range === 0x7f;
  return repeats && !isPrivateTag(tag) ? (tag & 0xff00ffff) >>> 0 : tag;
}
