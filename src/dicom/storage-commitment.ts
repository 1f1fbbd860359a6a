// The data sets of Storage Commitment, Push Model (PS3.4 Annex J, PS3.3 §C.14): what is to be committed, and what was.

import type { DataSet } from './data-set.ts';
import { readDataSet } from './data-set-reader.ts';
import { encodeDataSet } from './data-set-writer.ts';
import type { DicomJson } from './dicom-json.ts';
import { DicomError } from './errors.ts';
import { tagKey } from './tag.ts';
import { isUid } from './uid.ts';

export interface InstanceReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  /** Of the data set, when an archive of this kind asks: what it holds must be these bytes. */
  readonly sha256?: string;
}

export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly references: readonly InstanceReference[];
}

/** Failure Reason (PS3.3 §C.14.1.1). */
export const FAILURE_REASON = {
  processingFailure: 0x0110,
  noSuchObjectInstance: 0x0112,
  classInstanceConflict: 0x0119,
  duplicateTransactionUid: 0x0131,
} as const;

export interface FailedReference extends InstanceReference {
  readonly reason: number;
}

export interface CommitmentReport {
  readonly transactionUid: string;
  readonly committed: readonly InstanceReference[];
  readonly failed: readonly FailedReference[];
  /** The hashes of the request, where it had some, were compared. */
  readonly isCompared: boolean;
}

const TAG = {
  retrieveAeTitle: 0x00080054,
  referencedSopClassUid: 0x00081150,
  referencedSopInstanceUid: 0x00081155,
  transactionUid: 0x00081195,
  failureReason: 0x00081197,
  failedSopSequence: 0x00081198,
  referencedSopSequence: 0x00081199,
  // Ours (PS3.5 §7.8.1): others pass over them.
  privateCreator: 0x00090010,
  sha256: 0x00091001,
  compared: 0x00091002,
} as const;
const CREATOR = 'ANGIOVAULT';

/** The instances of a very long study, several times. */
const MAX_REFERENCES = 100_000;
export const MAX_COMMITMENT_BYTES = 32 << 20;
const LIMITS = { depth: 4, elements: 12 * MAX_REFERENCES };

/** Throws DicomError where something that has to be there is not. */
export function decodeRequest(bytes: Buffer, transferSyntaxUid: string): CommitmentRequest {
  const dataSet = read(bytes, transferSyntaxUid);
  const references = dataSet.items(TAG.referencedSopSequence).map(referenceOf);
  if (references.length === 0) throw missing('no Referenced SOP Sequence', TAG.referencedSopSequence);
  if (references.length > MAX_REFERENCES) {
    throw new DicomError('limit', `more than ${MAX_REFERENCES} instances in one commitment`);
  }
  return { transactionUid: transactionUidOf(dataSet), references };
}

export function encodeRequest(request: CommitmentRequest, transferSyntaxUid: string): Buffer {
  const json: DicomJson = {
    [tagKey(TAG.transactionUid)]: { vr: 'UI', Value: [request.transactionUid] },
    [tagKey(TAG.referencedSopSequence)]: { vr: 'SQ', Value: request.references.map(itemOf) },
  };
  return encodeDataSet(json, { transferSyntaxUid });
}

export function decodeReport(bytes: Buffer, transferSyntaxUid: string): CommitmentReport {
  const dataSet = read(bytes, transferSyntaxUid);
  return {
    transactionUid: transactionUidOf(dataSet),
    committed: dataSet.items(TAG.referencedSopSequence).map(referenceOf),
    failed: dataSet.items(TAG.failedSopSequence).map((item) => ({
      ...referenceOf(item),
      reason: item.number(TAG.failureReason) ?? FAILURE_REASON.processingFailure,
    })),
    isCompared: isOurs(dataSet) && dataSet.string(TAG.compared) === 'YES',
  };
}

/** `retrieveAeTitle`: from where the committed instances can be retrieved. */
export function encodeReport(
  { transactionUid, committed, failed, isCompared }: CommitmentReport,
  retrieveAeTitle: string,
  transferSyntaxUid: string,
): Buffer {
  const json: DicomJson = {
    [tagKey(TAG.retrieveAeTitle)]: { vr: 'AE', Value: [retrieveAeTitle] },
    [tagKey(TAG.transactionUid)]: { vr: 'UI', Value: [transactionUid] },
  };
  if (isCompared) {
    json[tagKey(TAG.privateCreator)] = { vr: 'LO', Value: [CREATOR] };
    json[tagKey(TAG.compared)] = { vr: 'CS', Value: ['YES'] };
  }
  if (committed.length > 0) {
    const items = committed.map(({ sopClassUid, sopInstanceUid }) => itemOf({ sopClassUid, sopInstanceUid }));
    json[tagKey(TAG.referencedSopSequence)] = { vr: 'SQ', Value: items };
  }
  if (failed.length > 0) {
    const items = failed.map(({ sopClassUid, sopInstanceUid, reason }) => ({
      ...itemOf({ sopClassUid, sopInstanceUid }),
      [tagKey(TAG.failureReason)]: { vr: 'US', Value: [reason] },
    }));
    json[tagKey(TAG.failedSopSequence)] = { vr: 'SQ', Value: items };
  }
  return encodeDataSet(json, { transferSyntaxUid });
}

function read(bytes: Buffer, transferSyntaxUid: string): DataSet {
  const result = readDataSet(bytes, { transferSyntaxUid, complete: true, limits: LIMITS });
  if (result.done) return result.dataSet;
  throw new DicomError('malformed', 'The data set ends too early');
}

function transactionUidOf(dataSet: DataSet): string {
  const uid = dataSet.string(TAG.transactionUid) ?? '';
  if (!isUid(uid)) throw missing('no valid Transaction UID', TAG.transactionUid);
  return uid;
}

function referenceOf(item: DataSet): InstanceReference {
  const sopClassUid = item.string(TAG.referencedSopClassUid) ?? '';
  const sopInstanceUid = item.string(TAG.referencedSopInstanceUid) ?? '';
  if (!isUid(sopInstanceUid))
    throw missing('an item without a valid instance UID', TAG.referencedSopInstanceUid);
  if (!isUid(sopClassUid)) throw missing('an item without a valid class UID', TAG.referencedSopClassUid);
  const sha256 = isOurs(item) ? item.string(TAG.sha256) : undefined;
  return { sopClassUid, sopInstanceUid, ...(sha256 === undefined ? {} : { sha256 }) };
}

function itemOf({ sopClassUid, sopInstanceUid, sha256 }: InstanceReference): DicomJson {
  const item: DicomJson = {
    [tagKey(TAG.referencedSopClassUid)]: { vr: 'UI', Value: [sopClassUid] },
    [tagKey(TAG.referencedSopInstanceUid)]: { vr: 'UI', Value: [sopInstanceUid] },
  };
  if (sha256 !== undefined) {
    item[tagKey(TAG.privateCreator)] = { vr: 'LO', Value: [CREATOR] };
    item[tagKey(TAG.sha256)] = { vr: 'LO', Value: [sha256] };
  }
  return item;
}

function isOurs(dataSet: DataSet): boolean {
  return dataSet.string(TAG.privateCreator) === CREATOR;
}

function missing(what: string, tag: number): DicomError {
  return new DicomError('malformed', `The storage commitment has ${what}`, { tag });
}
