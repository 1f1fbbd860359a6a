// Walks a data set element by element, in file order, with bounded memory (PS3.5 §7.1, §7.5).

import { describeTag } from '../dictionary.ts';
import { ITEM, ITEM_DELIMITATION, PIXEL_DATA, SEQUENCE_DELIMITATION } from '../tag.ts';
import type { ByteInput } from './byte-input.ts';
import {
  type ElementHeader,
  type Encoding,
  IMPLICIT,
  readHeader,
  UNDEFINED_LENGTH,
} from './element-header.ts';
import { malformed, TranscodeError } from './errors.ts';

const MAX_DEPTH = 32;

/** One data set: the outermost, or that of an item. */
export interface Scope {
  /** Where its first element is, which names it. */
  readonly position: number;
  readonly encoding: Encoding;
  /** Inside UN of undefined length, which is not ours to change. */
  readonly verbatim: boolean;
  /** Pixel Representation (0028,0103), inherited by items. */
  signed: boolean;
}

/** Told what comes. `value` and `fragments` must leave the input behind the value. */
export interface DataSetVisitor {
  value(element: ElementHeader, scope: Scope): Promise<void>;
  /** Encapsulated Pixel Data: everything up to and with the sequence delimiter. */
  fragments(element: ElementHeader, scope: Scope): Promise<void>;
  beginSequence(element: ElementHeader, scope: Scope, inner: Scope): Promise<void>;
  beginItem(length: number, inner: Scope): Promise<void>;
  endItem(length: number, inner: Scope): Promise<void>;
  endSequence(element: ElementHeader, inner: Scope): Promise<void>;
}

/** Visits all of the data set behind `input`. */
export async function walkDataSet(
  input: ByteInput,
  encoding: Encoding,
  encapsulated: boolean,
  visitor: DataSetVisitor,
): Promise<void> {
  const scope: Scope = { position: 0, encoding, verbatim: false, signed: false };
  await new Walk(input, encapsulated, visitor).elements(scope, input.size, 'end of data', 0);
}

class Walk {
  readonly #input: ByteInput;
  readonly #encapsulated: boolean;
  readonly #visitor: DataSetVisitor;

  constructor(input: ByteInput, encapsulated: boolean, visitor: DataSetVisitor) {
    this.#input = input;
    this.#encapsulated = encapsulated;
    this.#visitor = visitor;
  }

  /** Elements up to `end`, or up to the delimiter that has to come before it. */
  async elements(scope: Scope, end: number, until: 'end of data' | 'end' | 'delimiter', depth: number) {
    const input = this.#input;
    for (;;) {
      if (input.position === end && until !== 'delimiter') return;
      const header = await readHeader(input, scope.encoding);
      if (header === undefined) {
        if (until === 'end of data') return;
        throw malformed('The data set ends inside an item');
      }
      if (header.tag === ITEM_DELIMITATION && until === 'delimiter') return;
      // Group FFFE belongs to the structure (PS3.5 §7.5); here it has lost its sequence.
      if (header.tag >>> 16 === 0xfffe)
        throw malformed(`${describeTag(header.tag)} stands where an element should`);
      // An element belongs to its item wholly (PS3.5 §7.5.1).
      const valueEnd = header.length === UNDEFINED_LENGTH ? input.position : input.position + header.length;
      if (valueEnd > end) {
        throw malformed(
          `${describeTag(header.tag)} of ${header.length} bytes runs past the end of what holds it`,
        );
      }
      if (isSequence(header, scope)) await this.#sequence(header, scope, end, depth);
      else if (header.length !== UNDEFINED_LENGTH) await this.#visitor.value(header, scope);
      else if (header.tag === PIXEL_DATA && this.#encapsulated && !scope.verbatim) {
        await this.#visitor.fragments(header, scope);
      } else throw malformed(`${describeTag(header.tag)} has undefined length and is no sequence`);
    }
  }

  async #sequence(header: ElementHeader, scope: Scope, limit: number, depth: number): Promise<void> {
    if (depth === MAX_DEPTH) {
      throw new TranscodeError('transcode-limit', `Sequences are nested more than ${MAX_DEPTH} deep`);
    }
    const input = this.#input;
    // A sequence whose VR nobody knew when it was converted is in Implicit VR inside (PS3.5 §6.2.2 note 2).
    const opaque = header.vr === 'UN';
    const encoding = opaque ? IMPLICIT : scope.encoding;
    const verbatim = scope.verbatim || opaque;
    const inner = (): Scope => ({ position: input.position, encoding, verbatim, signed: scope.signed });
    const delimited = header.length === UNDEFINED_LENGTH;
    const end = delimited ? limit : input.position + header.length;

    const items = inner();
    await this.#visitor.beginSequence(header, scope, items);
    while (delimited || input.position < end) {
      const item = await readHeader(input, encoding);
      if (delimited && item?.tag === SEQUENCE_DELIMITATION) break;
      if (item?.tag !== ITEM) {
        throw malformed(`${describeTag(header.tag)} holds something that is no item, at ${input.position}`);
      }
      const itemDelimited = item.length === UNDEFINED_LENGTH;
      const itemEnd = itemDelimited ? end : input.position + item.length;
      if (itemEnd > end) throw malformed(`An item of ${describeTag(header.tag)} runs past its sequence`);
      const content = inner();
      await this.#visitor.beginItem(item.length, content);
      await this.elements(content, itemEnd, itemDelimited ? 'delimiter' : 'end', depth + 1);
      await this.#visitor.endItem(item.length, content);
    }
    if (input.position > end)
      throw malformed(`${describeTag(header.tag)} runs past the end of what holds it`);
    await this.#visitor.endSequence(header, items);
  }
}

// What is kept byte for byte is looked into only where its end has to be found.
function isSequence({ vr, length }: ElementHeader, { verbatim }: Scope): boolean {
  if (length === UNDEFINED_LENGTH) return vr === 'SQ' || vr === 'UN';
  return vr === 'SQ' && !verbatim;
}
