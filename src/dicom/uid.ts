// Unique identifiers: their form, our own, new ones (PS3.5 §9, Annex B).

import { randomUUID } from 'node:crypto';

/** Names this implementation in File Meta Information and association negotiation (PS3.7 §D.3.3.2). */
export const IMPLEMENTATION_CLASS_UID = '2.25.236638892415768367381450019017343113587';
export const IMPLEMENTATION_VERSION_NAME = 'ANGIOVAULT_0.1';

const MAX_UID_LENGTH = 64;
const UID_FORM = /^[0-9]+(?:\.[0-9]+)*$/;

/** Whether `text` has the form of a UID: at most 64 characters, digits in components (PS3.5 §9.1).
 *  Deviation (PS3.5 §9.1): accepts components with leading zeros, because old systems write dates into them. */
export function isUid(text: string): boolean {
  return text.length <= MAX_UID_LENGTH && UID_FORM.test(text);
}

/** A new UID, derived from a random UUID (PS3.5 §B.2). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
}
