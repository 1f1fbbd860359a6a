// Encodes the data sets that this program makes itself: responses, Identifiers, synthetic instances (PS3.5 §7).

import { deflateRawSync } from 'node:zlib';
import { uint16Text, uint32Text } from '../util/byte-text.ts';
import { encodeText, isAsciiText } from './character-set.ts';
import type { DicomJson, JsonElement, JsonValue, PersonName } from './dicom-json.ts';
import { DicomError } from './errors.ts';
import { ITEM, PIXEL_DATA, SPECIFIC_CHARACTER_SET, tagKey, tagOfKey } from './tag.ts';
import { type TransferSyntax, transferSyntax } from './transfer-syntax.ts';
import { isVr, vrInfo } from './vr.ts';

export interface WriteOptions {
  readonly transferSyntaxUid: string;
  /** Writes text with these, and names them in the data set when a text needs more than ASCII. Without it, what the
   *  data set itself says in (0008,0005) holds, and where it says nothing, UTF-8. */
  readonly characterSets?: readonly string[];
}

const MAX_DEPTH = 64;
const MAX_SHORT_LENGTH = 0xfffe;
const MAX_DECIMAL_STRING_LENGTH = 16;
const CHARACTER_SET_KEY = tagKey(SPECIFIC_CHARACTER_SET);

/** The data set with sorted tags and defined lengths. Values of InlineBinary are written as they are. */
export function encodeDataSet(json: DicomJson, options: WriteOptions): Buffer {
  const syntax = transferSyntax(options.transferSyntaxUid);
  if (syntax.encapsulated && json[tagKey(PIXEL_DATA)] !== undefined) {
    throw new DicomError('unencodable', `Pixel Data cannot be written in ${syntax.name}`, {
      tag: PIXEL_DATA,
    });
  }
  // The text is in JSON already decoded: what it was encoded in before matters only when nobody says otherwise.
  const own = json[CHARACTER_SET_KEY];
  const characterSets = options.characterSets ??
    own?.Value?.map((term) => String(term ?? '')) ?? ['ISO_IR 192'];
  const encoder = new Encoder(syntax, characterSets);
  const elements = encoder.elements(json, 0);
  const named: JsonElement | undefined =
    options.characterSets === undefined && own !== undefined
      ? own
      : encoder.beyondAscii && characterSets.length > 0
        ? { vr: 'CS', Value: [...characterSets] }
        : undefined;
  if (named !== undefined) {
    const place = elements.findIndex(({ tag }) => tag > SPECIFIC_CHARACTER_SET);
    const element = {
      tag: SPECIFIC_CHARACTER_SET,
      text: encoder.element(SPECIFIC_CHARACTER_SET, named, 0),
    };
    elements.splice(place < 0 ? elements.length : place, 0, element);
  }
  const bytes = Buffer.from(joined(elements), 'latin1');
  // An odd deflate stream gets one NUL (PS3.5 §A.5).
  return syntax.deflated ? evened(deflateRawSync(bytes)) : bytes;
}

/** One character per byte, see util/byte-text.ts. */
interface EncodedElement {
  readonly tag: number;
  readonly text: string;
}

function joined(elements: readonly EncodedElement[]): string {
  let text = '';
  for (const element of elements) text += element.text;
  return text;
}

class Encoder {
  /** Whether any text so far had characters outside the default repertoire. */
  beyondAscii = false;
  readonly #syntax: TransferSyntax;
  readonly #characterSets: readonly string[];

  constructor(syntax: TransferSyntax, characterSets: readonly string[]) {
    this.#syntax = syntax;
    this.#characterSets = characterSets;
  }

  /** In the order of their tags. */
  elements(json: DicomJson, depth: number): EncodedElement[] {
    const encoded: EncodedElement[] = [];
    for (const key in json) {
      const tag = tagOfKey(key);
      if (tag === undefined) throw new DicomError('unencodable', `"${key.slice(0, 16)}" is not a tag`);
      // One Specific Character Set holds for all items: those that they came with are dropped.
      if (tag === SPECIFIC_CHARACTER_SET || (tag & 0xffff) === 0) continue;
      encoded.push({ tag, text: this.element(tag, json[key]!, depth) });
    }
    return encoded.sort((a, b) => a.tag - b.tag);
  }

  element(tag: number, element: JsonElement, depth: number): string {
    if (!isVr(element.vr)) throw new DicomError('unencodable', `"${element.vr}" is not a VR`, { tag });
    const value =
      element.vr === 'SQ' ? this.#items(tag, element.Value ?? [], depth) : this.#value(tag, element);
    return this.#header(tag, element.vr, value.length) + value;
  }

  #header(tag: number, vr: string, length: number): string {
    if (!this.#syntax.explicit) return this.#tag(tag) + this.#uint32(length);
    // A value too long for its VR's short header goes as UN (PS3.5 §6.2.2 note 5).
    const written = !vrInfo(vr).longHeader && length > MAX_SHORT_LENGTH ? 'UN' : vr;
    return vrInfo(written).longHeader
      ? `${this.#tag(tag)}${written}\0\0${this.#uint32(length)}`
      : this.#tag(tag) + written + this.#uint16(length);
  }

  #items(tag: number, values: readonly JsonValue[], depth: number): string {
    if (depth >= MAX_DEPTH) {
      throw new DicomError('limit', `Sequences are nested more than ${MAX_DEPTH} deep`, { tag });
    }
    let text = '';
    for (const item of values) {
      if (!isObject(item))
        throw new DicomError('unencodable', 'A sequence holds something other than items', { tag });
      const content = joined(this.elements(item as DicomJson, depth + 1));
      text += this.#tag(ITEM) + this.#uint32(content.length) + content;
    }
    return text;
  }

  #value(tag: number, element: JsonElement): string {
    const { vr, Value: values = [], InlineBinary: binary } = element;
    if (binary !== undefined) {
      // Words are expected in the byte order of the transfer syntax: nobody originates big endian pixels here.
      const bytes = typeof binary === 'string' ? Buffer.from(binary, 'base64') : binary;
      return padded(bytes.toString('latin1'), vrInfo(vr).kind === 'text' ? ' ' : '\0');
    }
    if (values.length === 0) return '';
    switch (vrInfo(vr).kind) {
      case 'number':
        return values.map((value) => this.#number(tag, vr, value)).join('');
      case 'tag':
        return values.map((value) => this.#tagValue(tag, value)).join('');
      case 'text':
      case 'string':
        return this.#text(tag, vr, values);
      default:
        throw new DicomError('unencodable', `A value of VR ${vr} has to come as bytes`, { tag });
    }
  }

  #text(tag: number, vr: string, values: readonly JsonValue[]): string {
    let text = textOf(tag, vr, values[0] ?? null);
    for (let index = 1; index < values.length; index += 1) text += `\\${textOf(tag, vr, values[index]!)}`;
    if (!isAsciiText(text)) {
      this.beyondAscii = true;
      text = encodeText(text, this.#characterSets, vr).toString('latin1');
    }
    return padded(text, vr === 'UI' ? '\0' : ' ');
  }

  #number(tag: number, vr: string, value: JsonValue): string {
    const { unitBytes } = vrInfo(vr);
    const bytes = Buffer.alloc(unitBytes);
    // Node's writers refuse what is out of range.
    try {
      if (vr === 'SV') bytes.writeBigInt64LE(BigInt(numeric(value)));
      else if (vr === 'UV') bytes.writeBigUInt64LE(BigInt(numeric(value)));
      else if (vr === 'FL') bytes.writeFloatLE(Number(numeric(value)));
      else if (vr === 'FD') bytes.writeDoubleLE(Number(numeric(value)));
      else if (vr === 'SS' || vr === 'SL') bytes.writeIntLE(whole(value), 0, unitBytes);
      else bytes.writeUIntLE(whole(value), 0, unitBytes);
    } catch (error) {
      throw new DicomError('unencodable', `${describe(value)} is no value of VR ${vr}`, {
        tag,
        cause: error,
      });
    }
    return (this.#syntax.bigEndian ? bytes.reverse() : bytes).toString('latin1');
  }

  #tagValue(tag: number, value: JsonValue): string {
    const pointed = typeof value === 'string' ? tagOfKey(value) : undefined;
    if (pointed === undefined)
      throw new DicomError('unencodable', `${describe(value)} is not a tag`, { tag });
    return this.#tag(pointed);
  }

  #tag(tag: number): string {
    return this.#uint16(tag >>> 16) + this.#uint16(tag);
  }

  #uint16(value: number): string {
    return this.#syntax.bigEndian
      ? String.fromCharCode((value >>> 8) & 0xff, value & 0xff)
      : uint16Text(value);
  }

  #uint32(value: number): string {
    return this.#syntax.bigEndian ? this.#uint16(value >>> 16) + this.#uint16(value) : uint32Text(value);
  }
}

// Numbers that JSON has no form for come as text: 64-bit integers, NaN, infinities.
function numeric(value: JsonValue): number | string {
  const isText =
    typeof value === 'string' && value !== '' && (value === 'NaN' || !Number.isNaN(Number(value)));
  if (typeof value === 'number' || isText) return value;
  throw new TypeError('Not a number');
}

function whole(value: JsonValue): number {
  const number = Number(numeric(value));
  if (!Number.isInteger(number)) throw new TypeError('Not a whole number');
  return number;
}

function textOf(tag: number, vr: string, value: JsonValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return vr === 'DS' ? decimalStringOf(value) : String(value);
  if (vr !== 'PN') throw new DicomError('unencodable', `An object is no value of VR ${vr}`, { tag });
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value as PersonName;
  return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/={1,2}$/, '');
}

// A DS has at most 16 characters (PS3.5 §6.2): the shorter notation, and where that is too long, fewer digits.
function decimalStringOf(value: number): string {
  let text = shortestOf(value);
  for (let digits = 15; text.length > MAX_DECIMAL_STRING_LENGTH; digits -= 1) {
    text = shortestOf(Number(value.toPrecision(digits)));
  }
  return text;
}

function shortestOf(value: number): string {
  const plain = String(value);
  const exponential = value.toExponential();
  return exponential.length < plain.length ? exponential : plain;
}

function isObject(value: JsonValue): value is PersonName | DicomJson {
  return typeof value === 'object' && value !== null;
}

function describe(value: JsonValue): string {
  return JSON.stringify(value).slice(0, 32);
}

function padded(text: string, padding: string): string {
  return text.length % 2 === 0 ? text : text + padding;
}

function evened(bytes: Buffer): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(1)]);
}
