// A Storage Commitment SCU in bytes (PS3.4 Annex J): asks on an association, and takes the report there or at a port of
// its own. It can be told to behave badly.

import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { AssociationOverError, ByteAssociation, type ByteMessage, IMPLICIT_LE } from './byte-association.ts';
import { ByteConnection } from './byte-connection.ts';
import { type Command, decodeElements, type ElementSpec, encodeElements, textOf } from './byte-elements.ts';
import { abortPdu, associateAc, PDU, readAssociate } from './byte-pdu.ts';

export const PUSH_MODEL = '1.2.840.10008.1.20.1';
const PUSH_MODEL_INSTANCE = '1.2.840.10008.1.20.1.1';

export interface Reference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** A report as it came. */
export interface Report {
  readonly eventTypeId: number;
  readonly transactionUid: string;
  readonly committed: readonly string[];
  /** Reason by SOP Instance UID. */
  readonly failed: ReadonlyMap<string, number>;
}

/** The Action Information (PS3.4 Table J.3-1). */
export function actionInformation(transactionUid: string, references: readonly Reference[]): ElementSpec[] {
  const items = references.map((reference): ElementSpec[] => [
    { tag: 0x00081150, vr: 'UI', value: reference.sopClassUid },
    { tag: 0x00081155, vr: 'UI', value: reference.sopInstanceUid },
  ]);
  return [
    { tag: 0x00081195, vr: 'UI', value: transactionUid },
    { tag: 0x00081199, vr: 'SQ', value: items },
  ];
}

/** N-ACTION; resolves with its response. */
export function askCommitment(
  association: ByteAssociation,
  transactionUid: string,
  references: readonly Reference[],
  overrides: Command = {},
): Promise<Command> {
  return sendAction(association, actionInformation(transactionUid, references), overrides);
}

/** N-ACTION with whatever Action Information, or none, and a command that leaves out what `overrides` has as null. */
export async function sendAction(
  association: ByteAssociation,
  information: readonly ElementSpec[] | undefined,
  overrides: { readonly [keyword in keyof Command]: Command[keyword] | null } = {},
): Promise<Command> {
  const { id, transferSyntax } = association.contextFor(PUSH_MODEL);
  const command = {
    RequestedSOPClassUID: PUSH_MODEL,
    CommandField: 0x0130,
    MessageID: association.nextMessageId(),
    CommandDataSetType: information === undefined ? 0x0101 : 0x0001,
    RequestedSOPInstanceUID: PUSH_MODEL_INSTANCE,
    ActionTypeID: 1,
    ...overrides,
  };
  const given = Object.entries(command).filter(([, value]) => value !== null);
  const dataSet = information && encodeElements([...information], transferSyntax !== IMPLICIT_LE);
  await association.send(id, Object.fromEntries(given) as Command, dataSet);
  const { command: response } = await association.receive();
  if (response.CommandField !== 0x8130) throw new Error(`not an N-ACTION-RSP: ${JSON.stringify(response)}`);
  return response;
}

/** Takes one report on an association and answers it. */
export async function takeReport(association: ByteAssociation, status = 0): Promise<Report> {
  const message = await association.receive();
  const report = reportOf(association, message);
  await association.send(message.contextId, {
    AffectedSOPClassUID: PUSH_MODEL,
    CommandField: 0x8100,
    MessageIDBeingRespondedTo: message.command.MessageID ?? 0,
    CommandDataSetType: 0x0101,
    Status: status,
    EventTypeID: report.eventTypeId,
  });
  return report;
}

function reportOf(association: ByteAssociation, { contextId, command, dataSet }: ByteMessage): Report {
  if (command.CommandField !== 0x0100 || dataSet === undefined) {
    throw new Error(`not an N-EVENT-REPORT-RQ: ${JSON.stringify(command)}`);
  }
  if (command.AffectedSOPInstanceUID !== PUSH_MODEL_INSTANCE) throw new Error('not the well-known instance');
  const explicit = association.contexts.get(contextId)?.transferSyntax !== IMPLICIT_LE;
  const elements = decodeElements(dataSet, explicit);
  const failed = elements.get(0x00081198)?.items ?? [];
  return {
    eventTypeId: Number(command.EventTypeID),
    transactionUid: textOf(elements, 0x00081195),
    committed: (elements.get(0x00081199)?.items ?? []).map((item) => textOf(item, 0x00081155)),
    failed: new Map(
      failed.map((item) => [
        textOf(item, 0x00081155),
        item.get(0x00081197)?.bytes.readUInt16LE(0) ?? Number.NaN,
      ]),
    ),
  };
}

export interface ReportPortOptions {
  /** What happens to the n-th report, from 0: answered with a status, or the association aborted before that. */
  readonly behaviour?: (n: number) => number | 'abort';
  /** Answers role selection, as it should. */
  readonly answersRoles?: boolean;
  readonly choose?: (proposed: readonly string[]) => string | undefined;
}

/** The port on which an SCU takes its reports. */
export class ReportPort {
  /** Those that were answered with success. */
  readonly reports: Report[] = [];
  /** Associations that were requested. */
  readonly calls: { calledAeTitle: string; roles: unknown }[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #options: ReportPortOptions;
  #seen = 0;

  private constructor(options: ReportPortOptions) {
    this.#options = options;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      this.#serve(new ByteConnection(socket)).catch((error: unknown) => {
        if (!(error instanceof AssociationOverError)) throw error;
        socket.end();
      });
    });
  }

  static async listen(options: ReportPortOptions = {}, port = 0): Promise<ReportPort> {
    const scu = new ReportPort(options);
    scu.#server.listen(port, '127.0.0.1');
    await once(scu.#server, 'listening');
    return scu;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    if (this.#server.listening) await once(this.#server, 'close');
  }

  async #serve(connection: ByteConnection): Promise<void> {
    const request = await connection.nextPdu();
    if (request?.type !== PDU.associateRq) return connection.destroy();
    const peer = readAssociate(request.body);
    this.calls.push({ calledAeTitle: peer.calledAeTitle, roles: peer.roles });
    const { choose = ([first]: readonly string[]) => first, answersRoles = true } = this.#options;
    const contexts = new Map<number, { id: number; abstractSyntax: string; transferSyntax: string }>();
    const results = peer.proposed.map(({ id, abstractSyntax, transferSyntaxes }) => {
      const transferSyntax = choose(transferSyntaxes) ?? '';
      contexts.set(id, { id, abstractSyntax, transferSyntax });
      return { id, result: 0, transferSyntax };
    });
    const { callingAeTitle, calledAeTitle } = peer;
    const roles = answersRoles ? { roles: peer.roles } : {};
    await connection.write(
      associateAc({ callingAeTitle, calledAeTitle, maxPduBytes: 16_384, ...roles }, results),
    );
    const association = new ByteAssociation(connection, peer, contexts, 16_384);
    for (;;) {
      const what = this.#options.behaviour?.(this.#seen) ?? 0;
      if (what === 'abort') {
        await association.receive();
        this.#seen += 1;
        await connection.write(abortPdu());
        return connection.destroy();
      }
      const report = await takeReport(association, what);
      this.#seen += 1;
      if (what === 0) this.reports.push(report);
    }
  }
}
