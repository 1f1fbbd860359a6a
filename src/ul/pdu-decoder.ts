// Incremental, bounded PDU decoder (PS3.8 §9.3): P-DATA-TF is handed up in slices as its bytes arrive,
// every other PDU is collected and decoded whole. No I/O; after an error nothing more comes out.

import { release } from '../util/received-memory.ts';
import { decodeAssociateAc, decodeAssociateRq } from './associate-decoder.ts';
import { ABORT_BY_PROVIDER, ABORT_REASON, invalidPdu, UlError } from './errors.ts';
import { MAX_ASSOCIATE_BYTES, MAX_PDU_BYTES, PDU_HEADER_BYTES, PDU_TYPE, type Pdu } from './pdu.ts';

const PDV_HEADER_BYTES = 6;
// Context identifier and message control header count into the PDV's length (PS3.8 §9.3.5.1).
const PDV_CONTROL_BYTES = 2;
// A-ASSOCIATE-RJ, A-RELEASE-RQ, A-RELEASE-RP and A-ABORT: four bytes, always.
const SHORT_PDU_BYTES = 4;
const BODY_START_BYTES = 1024;
const NOTHING: Buffer = Buffer.alloc(0);

// What the next bytes are.
const PDU_HEADER = 0;
const PDV_HEADER = 1;
const PDV_VALUE = 2;
const BODY = 3;

/** Push the transport's chunks in, pull PDUs out until undefined ("not enough bytes yet"); stop pulling to wait. A
 *  P-DATA-TF slice lasts until the next pull, unless somebody holds it: then the chunk is released. */
export class PduDecoder {
  readonly #maxPduBytes: number;
  #chunk = NOTHING;
  #at = 0;
  #expects = PDU_HEADER;
  #broken = false;

  // A header split over chunks is put together in #split; #header and #headerAt say where a whole one stands.
  readonly #split = Buffer.alloc(PDU_HEADER_BYTES);
  #splitBytes = 0;
  #header = NOTHING;
  #headerAt = 0;

  #pduLeft = 0;
  #valueLeft = 0;
  #contextId = 0;
  #control = 0;

  #bodyType = 0;
  #body = NOTHING;
  #bodyBytes = 0;

  constructor(maxPduBytes = MAX_PDU_BYTES) {
    this.#maxPduBytes = maxPduBytes;
  }

  /** True between PDUs: nothing half-read is waiting. */
  get atBoundary(): boolean {
    return this.#expects === PDU_HEADER && this.#splitBytes === 0 && this.#at === this.#chunk.length;
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    // Only a transport that ignores our pause gets here with bytes still waiting.
    const rest = this.#chunk.subarray(this.#at);
    const joined = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (joined !== chunk) release(chunk);
    this.#letGo();
    this.#chunk = joined;
  }

  /** The next PDU or P-DATA-TF slice. Throws UlError, once, when the bytes are not a PDU sequence. */
  next(): Pdu | undefined {
    if (this.#broken) return undefined;
    try {
      const pdu = this.#decode();
      if (pdu === undefined) this.#letGo();
      return pdu;
    } catch (error) {
      this.#broken = true;
      this.#body = NOTHING;
      this.#letGo();
      throw error;
    }
  }

  #decode(): Pdu | undefined {
    for (;;) {
      switch (this.#expects) {
        case PDU_HEADER:
          if (!this.#takeHeader()) return undefined;
          this.#beginPdu(this.#header[this.#headerAt]!, this.#header.readUInt32BE(this.#headerAt + 2));
          break;
        case PDV_HEADER: {
          if (!this.#takeHeader()) return undefined;
          const header = this.#header;
          const at = this.#headerAt;
          this.#beginPdv(header.readUInt32BE(at), header[at + 4]!, header[at + 5]!);
          if (this.#valueLeft === 0) return this.#slice();
          break;
        }
        case PDV_VALUE:
          return this.#at < this.#chunk.length ? this.#slice() : undefined;
        default:
          return this.#collect();
      }
    }
  }

  // Both headers are six bytes, nearly always within one chunk.
  #takeHeader(): boolean {
    const left = this.#chunk.length - this.#at;
    if (this.#splitBytes === 0 && left >= PDU_HEADER_BYTES) {
      this.#header = this.#chunk;
      this.#headerAt = this.#at;
      this.#at += PDU_HEADER_BYTES;
      return true;
    }
    const bytes = Math.min(left, PDU_HEADER_BYTES - this.#splitBytes);
    this.#chunk.copy(this.#split, this.#splitBytes, this.#at, this.#at + bytes);
    this.#at += bytes;
    this.#splitBytes += bytes;
    if (this.#splitBytes < PDU_HEADER_BYTES) return false;
    this.#splitBytes = 0;
    this.#header = this.#split;
    this.#headerAt = 0;
    return true;
  }

  // The declared length is judged here, before a byte of it is kept.
  #beginPdu(type: number, length: number): void {
    if (type === PDU_TYPE['P-DATA-TF']) {
      if (length > this.#maxPduBytes) throw tooLong('P-DATA-TF', length, this.#maxPduBytes);
      if (length < PDV_HEADER_BYTES) throw invalidPdu(`P-DATA-TF of ${length} bytes holds no PDV`);
      this.#pduLeft = length;
      this.#expects = PDV_HEADER;
      return;
    }
    if (type === PDU_TYPE['A-ASSOCIATE-RQ'] || type === PDU_TYPE['A-ASSOCIATE-AC']) {
      if (length > MAX_ASSOCIATE_BYTES) throw tooLong(nameOf(type), length, MAX_ASSOCIATE_BYTES);
    } else if (type < 1 || type > PDU_TYPE['A-ABORT']) {
      throw new UlError('ul-unrecognised-pdu', `no PDU has the type ${hex(type)}: this is not DICOM`, {
        abortSource: ABORT_BY_PROVIDER,
        reason: ABORT_REASON.unrecognisedPdu,
      });
    } else if (length !== SHORT_PDU_BYTES) {
      throw invalidPdu(`${nameOf(type)} declares ${length} bytes instead of ${SHORT_PDU_BYTES}`);
    }
    this.#bodyType = type;
    this.#pduLeft = length;
    this.#expects = BODY;
  }

  // PS3.8 §9.3.5.1. One or more PDVs fill the P-DATA-TF exactly.
  #beginPdv(length: number, contextId: number, control: number): void {
    const room = this.#pduLeft - PDV_HEADER_BYTES + PDV_CONTROL_BYTES;
    if (length < PDV_CONTROL_BYTES || length > room) {
      throw invalidPdu(`PDV of context ${contextId} declares ${length} bytes, the P-DATA-TF has ${room}`);
    }
    this.#contextId = contextId;
    this.#control = control;
    this.#valueLeft = length - PDV_CONTROL_BYTES;
    this.#pduLeft -= PDV_HEADER_BYTES;
    this.#expects = PDV_VALUE;
  }

  // What the chunk holds of the PDV's value: no copy. Message control header: PS3.8 §E.2.
  #slice(): Pdu {
    const start = this.#at;
    const bytes = Math.min(this.#chunk.length - start, this.#valueLeft);
    this.#at += bytes;
    this.#pduLeft -= bytes;
    this.#valueLeft -= bytes;
    const whole = this.#valueLeft === 0;
    if (whole) this.#endPdv();
    return {
      type: 'P-DATA-TF',
      contextId: this.#contextId,
      isCommand: (this.#control & 1) !== 0,
      isLast: whole && (this.#control & 2) !== 0,
      data: this.#chunk.subarray(start, this.#at),
    };
  }

  #endPdv(): void {
    if (this.#pduLeft === 0) this.#expects = PDU_HEADER;
    else if (this.#pduLeft >= PDV_HEADER_BYTES) this.#expects = PDV_HEADER;
    else throw invalidPdu(`P-DATA-TF ends with ${this.#pduLeft} bytes that are no PDV`);
  }

  #collect(): Pdu | undefined {
    const end = Math.min(this.#chunk.length, this.#at + this.#pduLeft);
    const part = this.#chunk.subarray(this.#at, end);
    this.#pduLeft -= part.length;
    this.#at = end;
    if (this.#bodyBytes > 0 || this.#pduLeft > 0) this.#keep(part);
    if (this.#pduLeft > 0) return undefined;
    // What is decoded may refer to the body for as long as the association lives; the chunk goes.
    const body = this.#bodyBytes > 0 ? this.#body.subarray(0, this.#bodyBytes) : Buffer.from(part);
    this.#body = NOTHING;
    this.#bodyBytes = 0;
    this.#expects = PDU_HEADER;
    return decodeBody(this.#bodyType, body);
  }

  // Memory grows with the bytes that came, not with the length that was declared.
  #keep(part: Buffer): void {
    const bytes = this.#bodyBytes + part.length;
    if (bytes > this.#body.length) {
      const wanted = Math.max(BODY_START_BYTES, 2 * bytes);
      const grown = Buffer.allocUnsafeSlow(Math.min(wanted, bytes + this.#pduLeft));
      this.#body.copy(grown, 0, 0, this.#bodyBytes);
      this.#body = grown;
    }
    part.copy(this.#body, this.#bodyBytes);
    this.#bodyBytes = bytes;
  }

  // An idle association must not keep its last chunk alive.
  #letGo(): void {
    release(this.#chunk);
    this.#chunk = NOTHING;
    this.#header = NOTHING;
    this.#at = 0;
  }
}

function decodeBody(type: number, body: Buffer): Pdu {
  switch (type) {
    case PDU_TYPE['A-ASSOCIATE-RQ']:
      return decodeAssociateRq(body);
    case PDU_TYPE['A-ASSOCIATE-AC']:
      return decodeAssociateAc(body);
    case PDU_TYPE['A-ASSOCIATE-RJ']:
      return { type: 'A-ASSOCIATE-RJ', result: body[1]!, source: body[2]!, reason: body[3]! };
    case PDU_TYPE['A-RELEASE-RQ']:
      return { type: 'A-RELEASE-RQ' };
    case PDU_TYPE['A-RELEASE-RP']:
      return { type: 'A-RELEASE-RP' };
    default:
      return { type: 'A-ABORT', source: body[2]!, reason: body[3]! };
  }
}

function nameOf(type: number): string {
  return Object.entries(PDU_TYPE).find(([, value]) => value === type)?.[0] ?? hex(type);
}

function hex(byte: number): string {
  return `${byte.toString(16).padStart(2, '0').toUpperCase()}H`;
}

function tooLong(name: string, length: number, limit: number): UlError {
  return new UlError('ul-pdu-too-long', `${name} declares ${length} bytes, the most allowed is ${limit}`, {
    abortSource: ABORT_BY_PROVIDER,
    reason: ABORT_REASON.invalidParameter,
  });
}
