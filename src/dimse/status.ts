// DIMSE status codes (PS3.7 Annex C; service-specific ones from PS3.4 B.2.3, C.4).

export const Status = {
  success: 0x0000,
  cancel: 0xfe00,
  pending: 0xff00,
  /** Pending, and some optional keys were not supported (PS3.4 C.4.1.1.4). */
  pendingWithWarning: 0xff01,

  // N services (PS3.7 §10.1.4.1.10)
  noSuchObjectInstance: 0x0112,
  noSuchArgument: 0x0114,
  invalidArgumentValue: 0x0115,
  noSuchAction: 0x0123,
  resourceLimitation: 0x0213,

  noSuchSopClass: 0x0118,
  processingFailure: 0x0110,
  duplicateInvocation: 0x0210,
  unrecognizedOperation: 0x0211,
  mistypedArgument: 0x0212,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,

  outOfResources: 0xa700,
  unableToCalculateMatches: 0xa701,
  unableToPerformSubOperations: 0xa702,
  moveDestinationUnknown: 0xa801,
  identifierDoesNotMatchSopClass: 0xa900,
  dataSetDoesNotMatchSopClass: 0xa900,
  cannotUnderstand: 0xc000,
  unableToProcess: 0xc001,
  /** Sub-operations complete, one or more failures or warnings (PS3.4 C.4.2.1.5). */
  subOperationsWarning: 0xb000,
} as const;

/** Pending responses are followed by more (PS3.7 §C.1.4). */
export function isPending(status: number): boolean {
  return status === Status.pending || status === Status.pendingWithWarning;
}

/** Warning classes of PS3.7 §C.1.3: the operation was done, with a remark. */
export function isWarning(status: number): boolean {
  return status === 0x0001 || (status & 0xf000) === 0xb000 || status === 0x0107 || status === 0x0116;
}

/** '0xA900': how statuses are written in logs and messages. */
export function statusText(status: number): string {
  return `0x${status.toString(16).toUpperCase().padStart(4, '0')}`;
}
