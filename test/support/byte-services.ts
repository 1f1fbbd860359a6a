// The DIMSE-C services as a byte-exact SCU (PS3.7 §9.3): store, find, get, move, each one exchange.

import { createHash } from 'node:crypto';
import { type ByteAssociation, EXPLICIT_LE, IMPLICIT_LE, type Proposal } from './byte-association.ts';
import {
  type Command,
  decodeElements,
  type ElementSpec,
  encodeElements,
  type ReadElements,
  textOf,
} from './byte-elements.ts';
import { extendedItem } from './byte-pdu.ts';
import { storeResponse } from './byte-storage-scp.ts';

export const VERIFICATION = '1.2.840.10008.1.1';
export const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2';
export const XA_IMAGE = '1.2.840.10008.5.1.4.1.1.12.1';

/** Query/Retrieve SOP Classes by information model (PS3.4 §C.6). */
export const MODELS = {
  patient: {
    find: '1.2.840.10008.5.1.4.1.2.1.1',
    move: '1.2.840.10008.5.1.4.1.2.1.2',
    get: '1.2.840.10008.5.1.4.1.2.1.3',
  },
  study: {
    find: '1.2.840.10008.5.1.4.1.2.2.1',
    move: '1.2.840.10008.5.1.4.1.2.2.2',
    get: '1.2.840.10008.5.1.4.1.2.2.3',
  },
  patientStudyOnly: {
    find: '1.2.840.10008.5.1.4.1.2.3.1',
    move: '1.2.840.10008.5.1.4.1.2.3.2',
    get: '1.2.840.10008.5.1.4.1.2.3.3',
  },
} as const;
export type Model = keyof typeof MODELS;

export const TAG = {
  SpecificCharacterSet: 0x00080005,
  SOPClassUID: 0x00080016,
  SOPInstanceUID: 0x00080018,
  StudyDate: 0x00080020,
  StudyTime: 0x00080030,
  AccessionNumber: 0x00080050,
  QueryRetrieveLevel: 0x00080052,
  Modality: 0x00080060,
  ModalitiesInStudy: 0x00080061,
  FailedSOPInstanceUIDList: 0x00080058,
  StudyDescription: 0x00081030,
  PatientName: 0x00100010,
  PatientID: 0x00100020,
  PatientBirthDate: 0x00100030,
  StudyInstanceUID: 0x0020000d,
  SeriesInstanceUID: 0x0020000e,
  StudyID: 0x00200010,
  SeriesNumber: 0x00200011,
  InstanceNumber: 0x00200013,
  NumberOfStudyRelatedSeries: 0x00201206,
  NumberOfStudyRelatedInstances: 0x00201208,
  RequestAttributesSequence: 0x00400275,
} as const;

export interface BytesInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer | Iterable<Buffer>;
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** One context for each pair of class and syntax, so that every instance has its own stored syntax. */
export function storageContexts(
  instances: readonly Pick<BytesInstance, 'sopClassUid' | 'transferSyntaxUid'>[],
): Proposal[] {
  const pairs = new Map<string, Proposal>();
  for (const { sopClassUid, transferSyntaxUid } of instances) {
    pairs.set(`${sopClassUid} ${transferSyntaxUid}`, {
      abstractSyntax: sopClassUid,
      transferSyntaxes: [transferSyntaxUid],
    });
  }
  return [...pairs.values()];
}

/** The contexts of one service in all models, or one. */
export function queryContexts(
  service: 'find' | 'move' | 'get',
  models: readonly Model[] = ['patient', 'study', 'patientStudyOnly'],
  transferSyntaxes: readonly string[] = [EXPLICIT_LE, IMPLICIT_LE],
): Proposal[] {
  return models.map((model) => ({ abstractSyntax: MODELS[model][service], transferSyntaxes }));
}

/** C-ECHO; resolves to the status. */
export async function echo(association: ByteAssociation): Promise<number> {
  await association.send(association.contextFor(VERIFICATION).id, {
    AffectedSOPClassUID: VERIFICATION,
    CommandField: 0x0030,
    MessageID: association.nextMessageId(),
    CommandDataSetType: 0x0101,
  });
  return Number((await association.receive()).command.Status);
}

export function storeCommand(association: ByteAssociation, instance: BytesInstance): Command {
  return {
    AffectedSOPClassUID: instance.sopClassUid,
    CommandField: 0x0001,
    MessageID: association.nextMessageId(),
    Priority: 0,
    CommandDataSetType: 0x0001,
    AffectedSOPInstanceUID: instance.sopInstanceUid,
  };
}

/** C-STORE; resolves to the whole response command. */
export async function store(
  association: ByteAssociation,
  instance: BytesInstance,
  overrides: Command = {},
  patienceMs?: number,
): Promise<Command> {
  const context = association.contextFor(instance.sopClassUid, instance.transferSyntaxUid);
  const command = { ...storeCommand(association, instance), ...overrides };
  await association.send(context.id, command, instance.dataSet);
  const { command: response } = await association.receive(patienceMs);
  if (response.CommandField !== 0x8001 || response.MessageIDBeingRespondedTo !== command.MessageID) {
    throw new Error(`not the answer to this C-STORE: ${JSON.stringify(response)}`);
  }
  return response;
}

/** Matching and return keys of one level, as elements in tag order. */
export function identifier(level: string | undefined, keys: readonly ElementSpec[]): ElementSpec[] {
  const all = [...keys];
  if (level !== undefined) all.push({ tag: TAG.QueryRetrieveLevel, vr: 'CS', value: level });
  return all.sort((a, b) => a.tag - b.tag);
}

export interface FindResult {
  readonly matches: readonly ReadElements[];
  readonly status: number;
  readonly pendingStatuses: readonly number[];
  readonly final: Command;
}

function isExplicit(association: ByteAssociation, contextId: number): boolean {
  return association.contexts.get(contextId)?.transferSyntax !== IMPLICIT_LE;
}

/** C-FIND with every response collected. */
export async function find(
  association: ByteAssociation,
  model: Model,
  keys: readonly ElementSpec[],
): Promise<FindResult> {
  const sopClass = MODELS[model].find;
  const { id } = association.contextFor(sopClass);
  const explicit = isExplicit(association, id);
  await association.send(id, requestOf(association, sopClass, 0x0020), encodeElements(keys, explicit));
  const matches: ReadElements[] = [];
  const pendingStatuses: number[] = [];
  for (;;) {
    const { command, dataSet } = await association.receive();
    const status = Number(command.Status);
    if (status !== 0xff00 && status !== 0xff01) return { matches, status, pendingStatuses, final: command };
    if (dataSet === undefined) throw new Error('a pending C-FIND-RSP without identifier');
    pendingStatuses.push(status);
    matches.push(decodeElements(dataSet, explicit));
  }
}

export function requestOf(association: ByteAssociation, sopClass: string, commandField: number): Command {
  return {
    AffectedSOPClassUID: sopClass,
    CommandField: commandField,
    MessageID: association.nextMessageId(),
    Priority: 0,
    CommandDataSetType: 0x0001,
  };
}

export interface RetrieveResult {
  readonly status: number;
  readonly completed: number;
  readonly failed: number;
  readonly warning: number;
  readonly pending: number;
  readonly failedUids: readonly string[];
  readonly final: Command;
}

export interface GotInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
}

function retrieveResult(
  final: Command,
  pending: number,
  dataSet: Buffer | undefined,
  explicit: boolean,
): RetrieveResult {
  const list =
    dataSet === undefined ? '' : textOf(decodeElements(dataSet, explicit), TAG.FailedSOPInstanceUIDList);
  return {
    status: Number(final.Status),
    completed: Number(final.NumberOfCompletedSuboperations ?? -1),
    failed: Number(final.NumberOfFailedSuboperations ?? -1),
    warning: Number(final.NumberOfWarningSuboperations ?? -1),
    pending,
    failedUids: list === '' ? [] : list.split('\\'),
    final,
  };
}

/** C-GET: answers each sub-operation with Success after handing it to `onInstance`. */
export async function get(
  association: ByteAssociation,
  model: Model,
  keys: readonly ElementSpec[],
  onInstance: (instance: GotInstance) => number | undefined,
): Promise<RetrieveResult> {
  const sopClass = MODELS[model].get;
  const { id } = association.contextFor(sopClass);
  const explicit = isExplicit(association, id);
  await association.send(id, requestOf(association, sopClass, 0x0010), encodeElements(keys, explicit));
  let pending = 0;
  for (;;) {
    const { contextId, command, dataSet } = await association.receive();
    if (command.CommandField === 0x0001) {
      const status = onInstance({
        sopClassUid: String(command.AffectedSOPClassUID),
        sopInstanceUid: String(command.AffectedSOPInstanceUID),
        transferSyntaxUid: association.contexts.get(contextId)?.transferSyntax ?? '',
        dataSet: dataSet ?? Buffer.alloc(0),
      });
      await association.send(contextId, storeResponse(command, status ?? 0));
    } else if (command.Status === 0xff00) pending += 1;
    else return retrieveResult(command, pending, dataSet, explicit);
  }
}

/** C-MOVE to a destination known to the archive. */
export async function move(
  association: ByteAssociation,
  model: Model,
  destination: string,
  keys: readonly ElementSpec[],
  patienceMs?: number,
): Promise<RetrieveResult> {
  const sopClass = MODELS[model].move;
  const { id } = association.contextFor(sopClass);
  const explicit = isExplicit(association, id);
  const command = { ...requestOf(association, sopClass, 0x0021), MoveDestination: destination };
  await association.send(id, command, encodeElements(keys, explicit));
  for (let pending = 0; ; pending += 1) {
    const { command: response, dataSet } = await association.receive(patienceMs);
    if (response.Status !== 0xff00) return retrieveResult(response, pending, dataSet, explicit);
  }
}

/** Asks for relational queries in the given models (PS3.4 §C.5.1.1.1). */
export function relational(models: readonly Model[], service: 'find' | 'move' | 'get' = 'find'): Buffer[] {
  return models.map((model) => extendedItem(MODELS[model][service], Buffer.from([1, 0, 0, 0])));
}

/** Contexts and roles of a C-GET requestor: the storage classes are taken as SCP (PS3.4 §C.5.3). */
export function getProposal(
  instances: readonly Pick<BytesInstance, 'sopClassUid' | 'transferSyntaxUid'>[],
  models: readonly Model[] = ['study'],
) {
  const contexts = [...queryContexts('get', models), ...storageContexts(instances)];
  const classes = new Set(instances.map((instance) => instance.sopClassUid));
  const roles = [...classes].map((sopClassUid) => ({ sopClassUid, scu: false, scp: true }));
  return { contexts, roles };
}
