// Walks the elements of a data set in memory: headers, sequences, items, fragments (PS3.5 §7.1–§7.5, §A.4).

import { DataSet, type Element } from './data-set.ts';
import { isUsOrSs, vrOf } from './dictionary.ts';
import { DicomError } from './errors.ts';
import {
  ITEM,
  ITEM_DELIMITATION,
  PIXEL_REPRESENTATION,
  SEQUENCE_DELIMITATION,
  SPECIFIC_CHARACTER_SET,
} from './tag.ts';
import { type Vr, vrInfo, vrOfBytes } from './vr.ts';

export const UNDEFINED_LENGTH = 0xffffffff;

/** Thrown when the bytes end before the search does; `wantedBytes` says how far it could see it has to go. */
export const MORE_BYTES_NEEDED = new Error('More bytes are needed');

const NO_BYTES = Buffer.alloc(0);
const SQ = vrInfo('SQ');
const UN = vrInfo('UN');
const DELIMITER_GROUP = 0xfffe;
const MAX_UNREADABLE_SEQUENCES = 100;

export interface ReadLimits {
  /** Sequences inside sequences. */
  readonly depth: number;
  /** Elements and items looked at, skipped ones included. */
  readonly elements: number;
  /** Longer values are stepped over and not kept. */
  readonly valueBytes: number;
}

interface Header {
  readonly vr: Vr;
  readonly bytes: number;
  readonly length: number;
}

/** Where elements end: at `end`, or at an item delimitation before it. */
interface Extent {
  readonly end: number;
  readonly delimited: boolean;
}

export class ElementReader {
  offset = 0;
  wantedBytes = 0;
  readonly #bytes: Buffer;
  readonly #complete: boolean;
  #bigEndian: boolean;
  readonly #limits: ReadLimits;
  #elements = 0;
  #depth = 0;
  #signedPixels = false;
  #paddingOffset: number | undefined;
  #unreadableSequences = 0;

  constructor(bytes: Buffer, complete: boolean, bigEndian: boolean, limits: ReadLimits) {
    this.#bytes = bytes;
    this.#complete = complete;
    this.#bigEndian = bigEndian;
    this.#limits = limits;
  }

  readDataSet(explicit: boolean, stopBefore: number, keep: ReadonlySet<number> | undefined): DataSet {
    const elements = new Map<number, Element>();
    const end = this.#complete ? this.#bytes.length : Infinity;
    this.#readElements(elements, { end, delimited: false }, explicit, stopBefore, keep);
    return new DataSet(elements, this.#bigEndian);
  }

  // `into` undefined: the elements are walked only, to find where they end.
  #readElements(
    into: Map<number, Element> | undefined,
    extent: Extent,
    declaredExplicit: boolean,
    stopBefore: number,
    keep?: ReadonlySet<number>,
  ): void {
    const explicit = this.#looksExplicit(declaredExplicit, extent.end);
    let highest = -1;
    while (this.offset < extent.end) {
      const start = this.offset;
      if (this.#depth === 0 && this.#onlyPaddingLeft(start)) return;
      if (start + 8 > extent.end) this.#fail('An element header beyond its end', undefined, start);
      this.#require(start + 8, 'An element header');
      const tag = this.#tagAt(start);
      if (tag >>> 16 === DELIMITER_GROUP) {
        if (extent.delimited && tag === SEQUENCE_DELIMITATION) return;
        this.offset = start + 8;
        if (extent.delimited && tag === ITEM_DELIMITATION) return;
        this.#stepOverStray(tag, start);
        continue;
      }
      if (tag >= stopBefore) return;
      this.#count(tag, start);
      const header = this.#headerAt(start, tag, explicit, extent.end);
      const kept = keep === undefined || keep.has(tag) || tag === SPECIFIC_CHARACTER_SET;
      this.offset = start + header.bytes;
      const element = this.#readValue(tag, header, kept && into !== undefined, explicit, extent.end);
      // Deviation (PS3.5 §7.1): accepts elements out of order and twice; the first one counts.
      if (kept && (tag > highest || into?.has(tag) === false)) into?.set(tag, element);
      highest = Math.max(highest, tag);
    }
    if (extent.delimited) this.#fail('An item without its delimiter', undefined, this.offset);
  }

  // Deviation (PS3.5 §7.5): accepts delimiters where a length already says where the end is, and at top level items
  // whose sequence element was lost.
  #stepOverStray(tag: number, start: number): void {
    if (tag !== ITEM) return;
    if (this.#depth > 0) this.#fail('An item outside a sequence', tag, start);
    const length = this.#uint32(start + 4);
    if (length === UNDEFINED_LENGTH) return;
    this.#require(start + 8 + length, `An item of ${length} bytes`, tag, start);
    this.offset = start + 8 + length;
  }

  #readValue(tag: number, header: Header, keep: boolean, explicit: boolean, end: number): Element {
    const { vr, length } = header;
    const start = this.offset;
    if (length === UNDEFINED_LENGTH) {
      if (vr.kind === 'bulk' && vr !== UN) {
        this.#skipFragments(tag, end);
        return { tag, vr: vr.name, value: NO_BYTES, length };
      }
      const bigEndian = this.#bigEndian;
      // UN of undefined length is a sequence in Implicit VR Little Endian, always (PS3.5 §6.2.2).
      if (vr === UN && bigEndian && this.#itemIsLittleEndian(start)) this.#bigEndian = false;
      const items = this.#readSequence(tag, { end, delimited: true }, explicit && vr !== UN, keep);
      this.#bigEndian = bigEndian;
      return { tag, vr: 'SQ', value: NO_BYTES, items, length };
    }
    const valueEnd = start + length;
    if (valueEnd > end) this.#fail(`A value of ${length} bytes beyond its end`, tag, start);
    this.#require(valueEnd, `A value of ${length} bytes`, tag, start);
    if (vr === SQ && keep) {
      const items = this.#readDefinedSequence(tag, valueEnd, explicit);
      this.offset = valueEnd;
      const element = { tag, vr: 'SQ', value: NO_BYTES, length };
      return items === undefined ? element : { ...element, items };
    }
    this.offset = valueEnd;
    if (tag === PIXEL_REPRESENTATION && length >= 2) this.#signedPixels = this.#uint16(start) === 1;
    const value =
      keep && length > 0 && length <= this.#limits.valueBytes
        ? this.#bytes.subarray(start, valueEnd)
        : NO_BYTES;
    return { tag, vr: vr.name, value, length };
  }

  // Deviation (PS3.5 §7.5): accepts a sequence of defined length whose inside cannot be read, because its own
  // length still leads to the rest of the data set; the element then has no items.
  #readDefinedSequence(tag: number, end: number, explicit: boolean): DataSet[] | undefined {
    const depth = this.#depth;
    const bigEndian = this.#bigEndian;
    try {
      return this.#readSequence(tag, { end, delimited: false }, explicit, true);
    } catch (error) {
      if (!(error instanceof DicomError) || error.code !== 'malformed') throw error;
      this.#unreadableSequences += 1;
      if (this.#unreadableSequences > MAX_UNREADABLE_SEQUENCES) throw error;
      this.#depth = depth;
      this.#bigEndian = bigEndian;
      return undefined;
    }
  }

  #readSequence(tag: number, extent: Extent, explicit: boolean, keep: boolean): DataSet[] {
    const items: DataSet[] = [];
    if (this.#depth >= this.#limits.depth) {
      const message = `Sequences are nested more than ${this.#limits.depth} deep`;
      throw new DicomError('limit', message, { tag, offset: this.offset });
    }
    this.#depth += 1;
    while (extent.delimited || this.offset < extent.end) {
      const start = this.offset;
      if (start + 8 > extent.end) this.#fail('A sequence without its end', tag, start);
      this.#require(start + 8, 'An item header', tag, start);
      const itemTag = this.#tagAt(start);
      const length = this.#uint32(start + 4);
      this.#count(tag, start);
      this.offset = start + 8;
      if (itemTag === ITEM) {
        const elements = keep ? new Map<number, Element>() : undefined;
        this.#readItem(tag, elements, length, extent.end, explicit);
        if (elements !== undefined) items.push(new DataSet(elements, this.#bigEndian));
      } else if (itemTag === SEQUENCE_DELIMITATION) {
        if (extent.delimited) break;
      } else if (itemTag !== ITEM_DELIMITATION) {
        this.#fail('Something else where an item has to be', tag, start);
      }
    }
    this.#depth -= 1;
    return items;
  }

  #readItem(
    tag: number,
    elements: Map<number, Element> | undefined,
    length: number,
    sequenceEnd: number,
    explicit: boolean,
  ): void {
    const delimited = length === UNDEFINED_LENGTH;
    const end = delimited ? sequenceEnd : this.offset + length;
    if (end > sequenceEnd) this.#fail(`An item of ${length} bytes beyond its sequence`, tag, this.offset);
    if (delimited || elements !== undefined) {
      this.#readElements(elements, { end, delimited }, explicit, Infinity);
    } else {
      this.#require(end, `An item of ${length} bytes`, tag, this.offset);
      this.offset = end;
    }
  }

  // Encapsulated Pixel Data: items of bytes up to a sequence delimitation (PS3.5 §A.4).
  #skipFragments(tag: number, end: number): void {
    for (;;) {
      const start = this.offset;
      // Deviation (PS3.5 §A.4): accepts fragments that end with the data set, without their delimiter.
      if (start === end && this.#depth === 0) return;
      if (start + 8 > end) this.#fail('Fragments without their end', tag, start);
      this.#require(start + 8, 'A fragment', tag, start);
      const itemTag = this.#tagAt(start);
      const length = this.#uint32(start + 4);
      this.#count(tag, start);
      if (itemTag === SEQUENCE_DELIMITATION) {
        this.offset = start + 8;
        return;
      }
      if (itemTag !== ITEM || length === UNDEFINED_LENGTH) {
        this.#fail('Something else where a fragment has to be', tag, start);
      }
      this.#require(start + 8 + length, `A fragment of ${length} bytes`, tag, start);
      this.offset = start + 8 + length;
    }
  }

  #headerAt(start: number, tag: number, explicit: boolean, end: number): Header {
    if (!explicit) return this.#implicitHeader(start, tag);
    const vr = vrOfBytes(this.#bytes[start + 4]!, this.#bytes[start + 5]!);
    if (vr === undefined) return this.#oddHeader(start, tag, end) ?? this.#fail('An unknown VR', tag, start);
    const header = this.#explicitHeader(start, tag, vr);
    const tooLong = header.length !== UNDEFINED_LENGTH && start + header.bytes + header.length > end;
    // Only where the reserved bytes are none can something else than a cut be the reason.
    const odd = tooLong && vr.longHeader && this.#uint16(start + 6) !== 0;
    return (odd ? this.#oddHeader(start, tag, end) : undefined) ?? header;
  }

  #implicitHeader(start: number, tag: number): Header {
    const name = vrOf(tag);
    const signed = this.#signedPixels && name === 'US' && isUsOrSs(tag);
    return { vr: signed ? vrInfo('SS') : vrInfo(name), bytes: 8, length: this.#uint32(start + 4) };
  }

  #explicitHeader(start: number, tag: number, vr: Vr): Header {
    if (!vr.longHeader) return { vr, bytes: 8, length: this.#uint16(start + 6) };
    this.#require(start + 12, 'An element header', tag, start);
    const length = this.#uint32(start + 8);
    // A sender that did not know a standard attribute wrote UN; its value is what the dictionary says, in
    // Implicit VR Little Endian (PS3.5 §6.2.2 note 4).
    const known = vr === UN && length !== UNDEFINED_LENGTH && !this.#bigEndian ? vrInfo(vrOf(tag)) : vr;
    return { vr: known, bytes: 12, length };
  }

  // Deviation (PS3.5 §7.1.2): accepts a header whose VR nobody defined or whose length leads nowhere, when one of
  // the ways in which such headers are known to be written leads to a believable next tag.
  #oddHeader(start: number, tag: number, end: number): Header | undefined {
    const vr = vrInfo(vrOf(tag));
    const implicit = this.#implicitHeader(start, tag);
    const short: Header = { vr, bytes: 8, length: this.#uint16(start + 6) };
    const candidates = [implicit, short];
    if (start + 12 <= this.#bytes.length) {
      const long: Header = { vr, bytes: 12, length: this.#uint32(start + 8) };
      // VRs of the future have two letters and long headers (PS3.5 §6.2 note 3).
      const letters = isLetter(this.#bytes[start + 4]!) && isLetter(this.#bytes[start + 5]!);
      if (letters) candidates.unshift(long);
      else candidates.push(long);
    }
    const ends = candidates.map((header) => this.#endOf(start, tag, header, end));
    const found = ends.findIndex((next) => next <= this.#bytes.length);
    if (found >= 0) return candidates[found];
    const nearest = Math.min(...ends);
    if (nearest < Infinity) this.#require(nearest, 'A value', tag, start);
    return undefined;
  }

  // Where the element ends (beyond the bytes at hand: where that could be judged); Infinity when this cannot be.
  #endOf(start: number, tag: number, header: Header, end: number): number {
    const undefinedLength = header.length === UNDEFINED_LENGTH;
    const next = start + header.bytes + (undefinedLength ? 0 : header.length);
    if (next === end) return next;
    if (next + 8 > end) return Infinity;
    if (next + 8 > this.#bytes.length) return next + 8;
    const nextTag = this.#tagAt(next);
    const believable = undefinedLength
      ? nextTag === ITEM || nextTag === SEQUENCE_DELIMITATION
      : nextTag > tag && (nextTag >>> 16 < 0x8000 || nextTag >>> 16 >= 0xfffc);
    return believable ? next : Infinity;
  }

  // Deviation (PS3.5 §7.1): accepts Implicit VR where Explicit VR was declared and the reverse, judged by the first
  // element of each data set and item, because some systems re-label without re-encoding.
  #looksExplicit(declared: boolean, end: number): boolean {
    const start = this.offset;
    if (start + 8 > Math.min(end, this.#bytes.length)) return declared;
    const tag = this.#tagAt(start);
    if (tag >>> 16 === DELIMITER_GROUP || tag === 0) return declared;
    const vr = vrOfBytes(this.#bytes[start + 4]!, this.#bytes[start + 5]!);
    const length = this.#uint32(start + 4);
    if (!declared) return vr?.name === vrOf(tag) && (vr.longHeader || length > 0xffff);
    if (vr !== undefined || isLetter(this.#bytes[start + 4]!)) return true;
    return !(length <= 0xffff || (length === UNDEFINED_LENGTH && vrOf(tag) === 'SQ'));
  }

  // Deviation (PS3.10 §7.2): accepts zeros after the last element, because discs and tapes round files up.
  #onlyPaddingLeft(start: number): boolean {
    if (!this.#complete || this.#bytes[start] !== 0) return false;
    // Looked for once: a data set of zeros but for its last byte must not be searched at every element.
    this.#paddingOffset ??= endOfContent(this.#bytes);
    return start >= this.#paddingOffset;
  }

  #itemIsLittleEndian(offset: number): boolean {
    return this.#bytes.length >= offset + 2 && this.#bytes.readUInt16LE(offset) === DELIMITER_GROUP;
  }

  #require(until: number, what: string, tag?: number, at = this.offset): void {
    if (until <= this.#bytes.length) return;
    if (this.#complete) this.#fail(`${what} beyond the end of the data set`, tag, at);
    this.wantedBytes = until + 12; // and the header after it
    throw MORE_BYTES_NEEDED;
  }

  #count(tag: number, offset: number): void {
    this.#elements += 1;
    if (this.#elements <= this.#limits.elements) return;
    throw new DicomError('limit', `Data set has more than ${this.#limits.elements} elements`, {
      tag,
      offset,
    });
  }

  #fail(message: string, tag: number | undefined, offset: number): never {
    throw new DicomError('malformed', message, { tag, offset });
  }

  #tagAt(offset: number): number {
    return this.#uint16(offset) * 0x10000 + this.#uint16(offset + 2);
  }

  #uint16(offset: number): number {
    return this.#bigEndian ? this.#bytes.readUInt16BE(offset) : this.#bytes.readUInt16LE(offset);
  }

  #uint32(offset: number): number {
    return this.#bigEndian ? this.#bytes.readUInt32BE(offset) : this.#bytes.readUInt32LE(offset);
  }
}

function isLetter(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function endOfContent(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}
