// DICOM JSON, the form in which attributes travel inside this program and out of it (PS3.18 Annex F).

import { decodeText } from './character-set.ts';
import { type DataSet, decimalOf, type Element, numbersOf, trimPadding } from './data-set.ts';
import { tagKey } from './tag.ts';
import { vrInfo } from './vr.ts';

/** Attributes by eight upper-case hexadecimal digits. */
export type DicomJson = { [key: string]: JsonElement };

export interface JsonElement {
  vr: string;
  /** Absent when the attribute is empty. */
  Value?: JsonValue[];
  /** For encoding only: the bytes of a value, as they are to be written, or base64 of them. */
  InlineBinary?: Buffer | string;
}

/** null: an empty value among others. */
export type JsonValue = string | number | null | PersonName | DicomJson;

/** The component groups of a person name (PS3.5 §6.2.1.1). */
export interface PersonName {
  Alphabetic?: string;
  Ideographic?: string;
  Phonetic?: string;
}

export interface ToJsonOptions {
  /** Only these top-level attributes. */
  readonly keep?: ReadonlySet<number>;
  /** Read text with these instead of what the data set says. */
  readonly characterSetOverride?: readonly string[];
}

// Longer values are bulk data, whatever their VR.
const MAX_VALUE_BYTES = 64 << 10;

/** The attributes of a data set with their text decoded. Left out: bulk values, values that were not kept in
 *  reading, group lengths (PS3.18 §F.2.2). Specific Character Set stays as it was, to tell how text was encoded. */
export function toDicomJson(dataSet: DataSet, options: ToJsonOptions = {}): DicomJson {
  return dataSetToJson(dataSet, options.characterSetOverride, dataSet.characterSets, options.keep);
}

function dataSetToJson(
  dataSet: DataSet,
  override: readonly string[] | undefined,
  inherited: readonly string[],
  keep?: ReadonlySet<number>,
): DicomJson {
  const json: DicomJson = {};
  // An item may have a character set of its own (PS3.5 §6.1.2.5).
  const own = dataSet.characterSets;
  const characterSets = override ?? (own.length > 0 ? own : inherited);
  for (const element of dataSet.elements.values()) {
    if ((element.tag & 0xffff) === 0 || keep?.has(element.tag) === false) continue;
    const value = elementToJson(element, dataSet.bigEndian, characterSets, override);
    if (value !== undefined) json[tagKey(element.tag)] = value;
  }
  return json;
}

function elementToJson(
  element: Element,
  bigEndian: boolean,
  characterSets: readonly string[],
  override: readonly string[] | undefined,
): JsonElement | undefined {
  const { vr, length, value } = element;
  if (length === 0) return { vr };
  const { kind, multiValued } = vrInfo(vr);
  if (kind === 'sequence') {
    if (element.items === undefined) return undefined;
    const items = element.items.map((item) => dataSetToJson(item, override, characterSets));
    return items.length === 0 ? { vr } : { vr, Value: items };
  }
  if (kind === 'bulk' || value.length !== length || length > MAX_VALUE_BYTES) return undefined;
  const values =
    kind === 'number'
      ? numbersOf(element, bigEndian).map(numberToJson)
      : kind === 'tag'
        ? tagsOf(value, bigEndian)
        : textsOf(decodeText(value, characterSets, vr), vr, multiValued);
  return values.length === 0 ? { vr } : { vr, Value: values };
}

// JSON has no NaN, no infinity and no 64-bit integers: those are written as text.
function numberToJson(number: number | bigint): number | string {
  if (typeof number === 'number') return Number.isFinite(number) ? number : String(number);
  return Number.isSafeInteger(Number(number)) ? Number(number) : String(number);
}

function tagsOf(value: Buffer, bigEndian: boolean): string[] {
  const words = bigEndian ? Buffer.from(value) : Buffer.from(value.subarray(0, value.length & ~1)).swap16();
  return Array.from({ length: value.length >>> 2 }, (_, index) =>
    words.toString('hex', 4 * index, 4 * index + 4).toUpperCase(),
  );
}

function textsOf(text: string, vr: string, multiValued: boolean): JsonValue[] {
  if (multiValued && text.includes('\\')) {
    return text.split('\\').map((part) => textToJson(trimPadding(part, vr !== 'UC'), vr));
  }
  const value = textToJson(trimPadding(text, multiValued && vr !== 'UC'), vr);
  return value === null ? [] : [value];
}

function textToJson(text: string, vr: string): JsonValue {
  if (text === '') return null;
  if (vr === 'PN') return personNameOf(text);
  // What is not a number in IS and DS is kept rather than lost.
  return vr === 'IS' || vr === 'DS' ? (decimalOf(text) ?? text) : text;
}

function personNameOf(text: string): PersonName | null {
  const [alphabetic, ideographic, phonetic] = text.split('=', 3).map((group) => trimPadding(group));
  const name: PersonName = {};
  if (alphabetic) name.Alphabetic = alphabetic;
  if (ideographic) name.Ideographic = ideographic;
  if (phonetic) name.Phonetic = phonetic;
  return Object.keys(name).length === 0 ? null : name;
}
