// What goes wrong in the upper layer, and what the peer is told about it (PS3.8 §9.3.4, §9.3.8).
import { codeOf, messageOf, PacsError } from '../util/errors.ts';

/** A-ABORT source (PS3.8 Table 9-26): 0 service-user, 2 service-provider. */
export const ABORT_BY_USER = 0;
export const ABORT_BY_PROVIDER = 2;

/** A-ABORT reason, significant from the service-provider only (PS3.8 Table 9-26). */
export const ABORT_REASON = {
  notSpecified: 0,
  unrecognisedPdu: 1,
  unexpectedPdu: 2,
  unrecognisedParameter: 4,
  unexpectedParameter: 5,
  invalidParameter: 6,
} as const;

export interface UlErrorOptions {
  readonly abortSource?: number;
  readonly reason?: number;
  readonly cause?: unknown;
}

/** An association, or the attempt at one, is over. `abortSource` and `reason` are those of the A-ABORT sent or received. */
export class UlError extends PacsError {
  readonly abortSource: number;
  readonly reason: number;

  constructor(code: string, message: string, options: UlErrorOptions = {}) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.abortSource = options.abortSource ?? ABORT_BY_USER;
    this.reason = options.reason ?? ABORT_REASON.notSpecified;
  }
}

/** The peer answered A-ASSOCIATE-RJ; result, source and reason as in PS3.8 Table 9-21. */
export class AssociationRejectedError extends PacsError {
  readonly result: number;
  readonly source: number;
  readonly reason: number;

  constructor(peer: string, result: number, source: number, reason: number) {
    const lasting = result === 2 ? 'for now' : 'permanently';
    super('ul-rejected', `${peer} rejected the association ${lasting}: ${rejectionText(source, reason)}`);
    this.result = result;
    this.source = source;
    this.reason = reason;
  }
}

// PS3.8 Table 9-21: the meaning of a reason depends on its source.
const REJECTION_TEXTS: Readonly<Record<string, string>> = {
  '1.1': 'no reason given',
  '1.2': 'application context name not supported',
  '1.3': 'it does not know our (calling) AE title',
  '1.7': 'it does not answer to that (called) AE title',
  '2.1': 'no reason given',
  '2.2': 'protocol version not supported',
  '3.1': 'temporary congestion',
  '3.2': 'its limit of associations is reached',
};

function rejectionText(source: number, reason: number): string {
  return REJECTION_TEXTS[`${source}.${reason}`] ?? `source ${source}, reason ${reason}`;
}

/** The peer sent something PS3.8 §9.3 does not allow: A-ABORT, reason invalid-PDU-parameter value. */
export function invalidPdu(message: string): UlError {
  return new UlError('ul-invalid-pdu', message, {
    abortSource: ABORT_BY_PROVIDER,
    reason: ABORT_REASON.invalidParameter,
  });
}

/** A PDU that Table 9-10 does not allow in this state. */
export function unexpectedPdu(pduName: string, state: string): UlError {
  return new UlError('ul-unexpected-pdu', `${pduName} is not allowed in ${state}`, {
    abortSource: ABORT_BY_PROVIDER,
    reason: ABORT_REASON.unexpectedPdu,
  });
}

/** A-ABORT came in. */
export function abortedByPeer(abortSource: number, reason: number): UlError {
  const who = abortSource === ABORT_BY_USER ? 'its user' : `its upper layer, reason ${reason}`;
  return new UlError('ul-aborted-by-peer', `the peer aborted the association (${who})`, {
    abortSource,
    reason,
  });
}

/** The transport connection is gone without a release or an abort. */
export function connectionLost(state: string, cause: Error | undefined): UlError {
  // Several addresses tried in vain come as an AggregateError, which has a code and no message.
  const why = cause === undefined ? 'the peer closed it' : messageOf(cause) || codeOf(cause);
  return state === 'Sta4'
    ? new UlError('ul-connect-failed', `no transport connection: ${why}`, { cause })
    : new UlError('ul-connection-lost', `the transport connection ended in ${state}: ${why}`, { cause });
}

/** Our own side could not go on with what it received; a UlError thrown there keeps its abort source and reason. */
export function userFault(error: unknown): UlError {
  if (error instanceof UlError) return error;
  return new UlError('ul-user-fault', messageOf(error), { cause: error });
}
