// An acceptor on port 0 that takes Verification and one storage class, and notes what happens to it.
import type { TestContext } from 'node:test';
import { Acceptor, type AcceptorOptions, type RemotePeer } from '../../../src/ul/acceptor.ts';
import type { Association } from '../../../src/ul/association.ts';
import type { UlError } from '../../../src/ul/errors.ts';
import type { AAssociateRj, AAssociateRq } from '../../../src/ul/pdu.ts';
import { encodeAssociateRq } from '../../../src/ul/pdu-encoder.ts';
import type { UserInformation } from '../../../src/ul/user-information.ts';
import { emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';
import { PATIENCE_MS, within } from '../../support/byte-connection.ts';
import { ScriptedPeer } from '../../support/scripted-peer.ts';

export const VERIFICATION = '1.2.840.10008.1.1';
export const XA_STORAGE = '1.2.840.10008.5.1.4.1.1.12.1';
export const IMPLICIT = '1.2.840.10008.1.2';

export const IDENTITY = { implementationClassUid: '1.2.3', implementationVersionName: 'TESTED' };

export interface OpenAcceptor {
  readonly acceptor: Acceptor;
  readonly port: number;
  readonly associations: Association[];
  readonly faults: { error: UlError; remote: RemotePeer }[];
  readonly rejections: { request: AAssociateRq; pdu: AAssociateRj }[];
  /** The next fault, or the one that has come already. */
  fault(): Promise<{ error: UlError; remote: RemotePeer }>;
  association(): Promise<Association>;
  connect(): Promise<ScriptedPeer>;
  /** A peer with an association: A-ASSOCIATE-AC has been read. */
  associate(request?: Partial<AAssociateRq>): Promise<ScriptedPeer>;
}

export async function openAcceptor(
  context: TestContext,
  options: Partial<AcceptorOptions> = {},
  onAssociation: (association: Association) => void = (association) => association.attach({ receive() {} }),
): Promise<OpenAcceptor> {
  const acceptor = new Acceptor({
    host: '127.0.0.1',
    port: 0,
    ...IDENTITY,
    decide: () => ({
      accept: true,
      supported: (uid) =>
        uid === VERIFICATION || uid === XA_STORAGE
          ? { choose: (proposed) => proposed.find((syntax) => syntax === IMPLICIT), scu: true, scp: true }
          : undefined,
    }),
    ...options,
  });
  const faults: OpenAcceptor['faults'] = [];
  const rejections: OpenAcceptor['rejections'] = [];
  const associations: Association[] = [];
  const wakes = new Set<() => void>();
  const wake = () => {
    for (const each of wakes) each();
  };
  acceptor.on('fault', (error, remote) => {
    faults.push({ error, remote });
    wake();
  });
  acceptor.on('rejected', (request, pdu) => rejections.push({ request, pdu }));
  acceptor.on('association', (association) => {
    associations.push(association);
    onAssociation(association);
    wake();
  });
  const first = async <T>(list: readonly T[]): Promise<T> => {
    for (;;) {
      const [item] = list;
      if (item !== undefined) return item;
      await within(
        new Promise<void>((resolve) => wakes.add(resolve)),
        PATIENCE_MS,
        'an event of the acceptor',
      );
    }
  };
  const { port } = await acceptor.listen();
  const peers: ScriptedPeer[] = [];
  context.after(async () => {
    for (const peer of peers) peer.socket.destroy();
    await acceptor.close(0);
  });
  const connect = async () => {
    const peer = await ScriptedPeer.connect(port);
    peers.push(peer);
    return peer;
  };
  return {
    acceptor,
    port,
    associations,
    faults,
    rejections,
    fault: () => first(faults),
    association: () => first(associations),
    connect,
    associate: async (request = {}) => {
      const peer = await connect();
      peer.send(associateRq(request));
      const answer = await peer.readPdu();
      if (answer[0] !== 2) throw new Error(`no A-ASSOCIATE-AC but ${answer.toString('hex')}`);
      return peer;
    },
  };
}

/** An A-ASSOCIATE-RQ for Verification (context 1) and XA storage (context 3), with changes. */
export function associateRq(
  changes: Partial<AAssociateRq> = {},
  userInformation: Partial<UserInformation> = {},
): Buffer {
  return encodeAssociateRq({
    type: 'A-ASSOCIATE-RQ',
    protocolVersion: 1,
    calledAeTitle: 'TESTED',
    callingAeTitle: 'SCRIPT',
    applicationContext: '1.2.840.10008.3.1.1.1',
    contexts: [
      { id: 1, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] },
      { id: 3, abstractSyntax: XA_STORAGE, transferSyntaxes: [IMPLICIT] },
    ],
    userInformation: { ...emptyUserInformation(), maxPduBytes: 16_384, ...userInformation },
    ...changes,
  });
}

// As hex, for ScriptedPeer.expect.
export const RELEASE_RQ = '05 00 00000004 00000000';
export const RELEASE_RP = '06 00 00000004 00000000';
export const abortPdu = (source: number, reason: number) => `07 00 00000004 0000 0${source} 0${reason}`;
export const rejectPdu = (result: number, source: number, reason: number) =>
  `03 00 00000004 00 0${result} 0${source} 0${reason}`;
