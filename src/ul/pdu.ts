// The seven PDUs as values (PS3.8 §9.3); names are those of the standard.
import type { UserInformation } from './user-information.ts';

/** PDU type octets (PS3.8 §9.3.2 to §9.3.8). */
export const PDU_TYPE = {
  'A-ASSOCIATE-RQ': 0x01,
  'A-ASSOCIATE-AC': 0x02,
  'A-ASSOCIATE-RJ': 0x03,
  'P-DATA-TF': 0x04,
  'A-RELEASE-RQ': 0x05,
  'A-RELEASE-RP': 0x06,
  'A-ABORT': 0x07,
} as const;

/** Item types inside A-ASSOCIATE (PS3.8 §9.3.2 and §9.3.3). */
export const ITEM_TYPE = {
  applicationContext: 0x10,
  proposedContext: 0x20,
  contextResult: 0x21,
  abstractSyntax: 0x30,
  transferSyntax: 0x40,
  userInformation: 0x50,
} as const;

export const PDU_HEADER_BYTES = 6;
/** What we announce and enforce, and the most we send whatever the peer allows. */
export const MAX_PDU_BYTES = 262_144;
/** Associations with every storage class and syntax need some 100 KB; nobody needs more than this. */
export const MAX_ASSOCIATE_BYTES = 1 << 20;
/** Odd identifiers 1 to 255 (PS3.8 §9.3.2.2). */
export const MAX_CONTEXTS = 128;
/** DICOM Application Context Name (PS3.7 §A.2.1). */
export const APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

/** A proposed presentation context (PS3.8 §9.3.2.2). */
export interface ProposedContext {
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** The acceptor's answer to one context (PS3.8 §9.3.3.2): 0 acceptance, 1 user-rejection, 2 no-reason,
 *  3 abstract-syntax-not-supported, 4 transfer-syntaxes-not-supported. */
export interface ContextAnswer {
  readonly id: number;
  readonly result: number;
  /** Significant only with acceptance. */
  readonly transferSyntax: string;
}

interface AAssociate {
  readonly protocolVersion: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContext: string;
  readonly userInformation: UserInformation;
}

/** A-ASSOCIATE-RQ (PS3.8 §9.3.2). */
export interface AAssociateRq extends AAssociate {
  readonly type: 'A-ASSOCIATE-RQ';
  readonly contexts: readonly ProposedContext[];
}

/** A-ASSOCIATE-AC (PS3.8 §9.3.3). */
export interface AAssociateAc extends AAssociate {
  readonly type: 'A-ASSOCIATE-AC';
  readonly contexts: readonly ContextAnswer[];
}

/** A-ASSOCIATE-RJ (PS3.8 §9.3.4). */
export interface AAssociateRj {
  readonly type: 'A-ASSOCIATE-RJ';
  readonly result: number;
  readonly source: number;
  readonly reason: number;
}

/** One PDV, or what has arrived of it: a slice of the transport's bytes, never a copy. */
export interface PdvFragment {
  readonly contextId: number;
  readonly isCommand: boolean;
  readonly isLast: boolean;
  readonly data: Buffer;
}

/** A part of a P-DATA-TF (PS3.8 §9.3.5), handed up as its bytes arrive. */
export interface PDataTf extends PdvFragment {
  readonly type: 'P-DATA-TF';
}

/** A-RELEASE-RQ (PS3.8 §9.3.6). */
export interface AReleaseRq {
  readonly type: 'A-RELEASE-RQ';
}

/** A-RELEASE-RP (PS3.8 §9.3.7). */
export interface AReleaseRp {
  readonly type: 'A-RELEASE-RP';
}

/** A-ABORT (PS3.8 §9.3.8). */
export interface AAbort {
  readonly type: 'A-ABORT';
  readonly source: number;
  readonly reason: number;
}

export type Pdu = AAssociateRq | AAssociateAc | AAssociateRj | PDataTf | AReleaseRq | AReleaseRp | AAbort;
export type PduName = Pdu['type'];
