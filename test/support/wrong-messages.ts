// Messages of test SCUs that are wrong in one way each, and what may come back (PS3.7 §6.3, §9.3).

import assert from 'node:assert/strict';
import { assertServes, faultLines, filesIn, newFaultLines } from './archive-state.ts';
import { AssociationOverError, ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from './byte-association.ts';
import { type Command, elementHeader, encodeCommand, encodeElements } from './byte-elements.ts';
import { type MadeInstance, madeInstance } from './byte-instances.ts';
import { CT_IMAGE, MODELS, queryContexts, TAG, VERIFICATION } from './byte-services.ts';
import type { Daemon } from './daemon.ts';

const STORAGE = { abstractSyntax: CT_IMAGE, transferSyntaxes: [EXPLICIT_LE] };
export const CONTEXTS = [
  { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LE] },
  STORAGE,
  ...queryContexts('find', ['study']),
  ...queryContexts('move', ['study']),
];

/** The status of the first response, or how the association ended without one. */
export type Answer = number | 'abort' | 'release' | 'close';

export interface Message {
  /** Abstract syntax of the context it is sent in. */
  readonly context: string;
  /** A command, or the raw bytes of a command set. */
  readonly command: Command | Buffer;
  readonly dataSet?: Buffer;
}

export const storeRq = (instance: MadeInstance, overrides: Command = {}): Command => ({
  AffectedSOPClassUID: instance.sopClassUid,
  CommandField: 0x0001,
  MessageID: 7,
  Priority: 0,
  CommandDataSetType: 0x0001,
  AffectedSOPInstanceUID: instance.sopInstanceUid,
  ...overrides,
});

export function storing(instance: MadeInstance, overrides: Command = {}): Message {
  return { context: CT_IMAGE, command: storeRq(instance, overrides), dataSet: instance.dataSet };
}

export function storingBytes(dataSet: Buffer): Message {
  return { context: CT_IMAGE, command: storeRq(madeInstance()), dataSet };
}

/** A store whose command set is the usual one with one keyword left out. */
export function storingWithout(keyword: keyof Command): Message {
  const { [keyword]: _, ...command } = storeRq(madeInstance());
  return { context: CT_IMAGE, command, dataSet: madeInstance().dataSet };
}

/** A well-formed instance in which one UID is not one, in the data set and, for its own UID, in the command. */
export function storingUid(name: 'sopInstanceUid' | 'studyUid' | 'seriesUid', uid: string): Message {
  return storing(madeInstance({ [name]: uid }));
}

export const STUDY_QUERY = encodeElements(
  [
    { tag: TAG.QueryRetrieveLevel, vr: 'CS', value: 'STUDY' },
    { tag: TAG.StudyInstanceUID, vr: 'UI' },
  ],
  true,
);
export const finding = (dataSet: Buffer | undefined, overrides: Command = {}): Message => ({
  context: MODELS.study.find,
  command: {
    AffectedSOPClassUID: MODELS.study.find,
    CommandField: 0x0020,
    MessageID: 7,
    Priority: 0,
    CommandDataSetType: dataSet === undefined ? 0x0101 : 1,
    ...overrides,
  },
  ...(dataSet === undefined ? {} : { dataSet }),
});

export const nested = (depth: number): Buffer => {
  const open = Buffer.concat([
    elementHeader(0x00081140, 'SQ', 0xffffffff, true),
    Buffer.from('feff00e0ffffffff', 'hex'),
  ]);
  return Buffer.concat(Array.from({ length: depth }, () => open));
};

export const isCannotUnderstand = (answer: Answer): boolean =>
  typeof answer === 'number' && (answer & 0xf000) === 0xc000;
export const isDoesNotMatch = (answer: Answer): boolean => answer === 0xa900;
export const isRefusedStore = (answer: Answer): boolean =>
  isCannotUnderstand(answer) || isDoesNotMatch(answer) || answer === 0x0117;
export const isFailure = (answer: Answer): boolean =>
  typeof answer === 'number' && answer !== 0 && (answer & 0xff00) !== 0xff00;
export const isFailureOrAbort = (answer: Answer): boolean => answer === 'abort' || isFailure(answer);
export const isAbort = (answer: Answer): boolean => answer === 'abort';
export const is =
  (...statuses: number[]) =>
  (answer: Answer): boolean =>
    statuses.some((status) => status === answer);

export interface Case {
  readonly name: string;
  readonly message: () => Message;
  readonly right: (answer: Answer) => boolean;
}

/** Sends the message on an association of its own; the final status, or how the association ended without one. */
export async function answerTo(daemon: Daemon, message: Message): Promise<Answer> {
  const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
  try {
    const { id } = association.contextFor(message.context);
    const command = Buffer.isBuffer(message.command) ? message.command : encodeCommand(message.command);
    await association.sendFragments(id, true, [command]);
    if (message.dataSet !== undefined) await association.sendFragments(id, false, [message.dataSet]);
    let response = await association.receive();
    // Matches before the final response are an answer too, of a query that was understood.
    while (response.command.Status === 0xff00) response = await association.receive();
    await association.release();
    return Number(response.command.Status);
  } catch (error) {
    if (error instanceof AssociationOverError) return error.by;
    throw error;
  } finally {
    association.connection.destroy();
  }
}

/** The message gets the right answer and one log line, nothing of it stays, and the daemon serves on. */
export async function assertWithstands(daemon: Daemon, { message, right }: Case): Promise<void> {
  const seen = faultLines(daemon.dataDir).length;
  const kept = filesIn(daemon.dataDir, 'studies').length;
  const answer = await answerTo(daemon, message());
  assert.ok(right(answer), `answered ${typeof answer === 'number' ? `0x${answer.toString(16)}` : answer}`);
  const lines = await newFaultLines(daemon.dataDir, seen);
  assert.equal(lines.length, 1, `one log line for the fault:\n${lines.join('\n')}`);
  assert.doesNotMatch(lines[0] ?? '', /\bat .*\.ts:\d+/, 'no stack trace for what a peer did wrong');
  await assertServes(daemon);
  assert.equal(filesIn(daemon.dataDir, 'studies').length, kept + 1, 'only the check instance was kept');
}
