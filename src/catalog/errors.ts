// What can go wrong with the catalogue, in one class with stable codes.

import { PacsError } from '../util/errors.ts';

export type CatalogErrorCode =
  /** The database or the thread that serves it is gone; what was asked may or may not have happened. */
  | 'catalog-unreachable'
  /** Its volume is full: it can be read, not written. */
  | 'catalog-full'
  /** The database answers, but with damaged content, or is not a catalogue at all. */
  | 'catalog-corrupt'
  /** A newer version of the program has written it. */
  | 'catalog-newer'
  /** Another process holds it. */
  | 'catalog-busy'
  /** Something else came in first; look again where the instance lies. */
  | 'catalog-stale'
  /** `close` was called before. */
  | 'catalog-closed'
  /** It would delete what is protected. */
  | 'catalog-protected'
  /** The request itself makes no sense. */
  | 'catalog-request'
  /** Anything else; see `cause` and the message. */
  | 'catalog-failed';

export class CatalogError extends PacsError {
  declare readonly code: CatalogErrorCode;

  constructor(code: CatalogErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
