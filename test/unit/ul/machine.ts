// Brings an upper layer machine into any state of PS3.8 Table 9-10 and records what it tells its users.
import { UlError } from '../../../src/ul/errors.ts';
import type { AAssociateAc, AAssociateRq, PdvFragment } from '../../../src/ul/pdu.ts';
import { encodeAssociateRq } from '../../../src/ul/pdu-encoder.ts';
import type { State } from '../../../src/ul/state-table.ts';
import { UpperLayer } from '../../../src/ul/upper-layer.ts';
import { emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';
import { A_ASSOCIATE_AC, A_ASSOCIATE_RQ, A_RELEASE_RP, A_RELEASE_RQ } from './encoded-pdus.ts';
import { RecordingTransport } from './recording-transport.ts';

export const ARTIM_MS = 30_000;

const FRAME = {
  protocolVersion: 1,
  calledAeTitle: 'CALLED',
  callingAeTitle: 'CALLING',
  applicationContext: '1.2.840.10008.3.1.1.1',
  userInformation: emptyUserInformation(),
};
export const RQ: AAssociateRq = { type: 'A-ASSOCIATE-RQ', ...FRAME, contexts: [] };
export const AC: AAssociateAc = { type: 'A-ASSOCIATE-AC', ...FRAME, contexts: [] };

/** A machine whose users only take notes: in `log` the primitives, in `reasons` the ends. */
export class Machine {
  readonly transport = new RecordingTransport();
  readonly log: string[] = [];
  readonly reasons: UlError[] = [];
  readonly upperLayer: UpperLayer;
  /** What the P-DATA indication answers. */
  received: (pdv: PdvFragment) => void | Promise<void> = () => {};

  constructor(role: 'requestor' | 'acceptor') {
    this.upperLayer = new UpperLayer(
      this.transport,
      { role, artimMs: ARTIM_MS, connectMs: 5_000, maxPduBytes: 262_144 },
      {
        negotiate: (pdu) => {
          this.log.push(pdu.type);
          if (pdu.type === 'A-ASSOCIATE-AC') this.upperLayer.serve(this.#user);
        },
        ended: (reason) => this.#ended(reason),
      },
    );
  }

  /** The user that an accepted association gets. */
  accept(): void {
    this.upperLayer.accept(AC, this.#user);
  }

  readonly #user = {
    received: (pdv: PdvFragment) => {
      this.log.push(`P-DATA ${pdv.data.toString('latin1')}`);
      return this.received(pdv);
    },
    releaseRequested: () => this.log.push('A-RELEASE indication'),
    releaseConfirmed: () => this.log.push('A-RELEASE confirmation'),
    ended: (reason: UlError) => this.#ended(reason),
  };

  #ended(reason: UlError): void {
    this.log.push('ended');
    this.reasons.push(reason);
  }
}

/** A machine in the state asked for, by the shortest way there. What was written and noted so far is cleared. */
export function machineIn(state: State): Machine {
  const acceptor = ['Sta2', 'Sta3', 'Sta10', 'Sta12'].includes(state);
  const machine = new Machine(acceptor ? 'acceptor' : 'requestor');
  const { upperLayer, transport } = machine;
  for (const step of ROUTES[state]) STEPS[step](machine);
  if (upperLayer.state !== state) throw new Error(`${upperLayer.state} instead of ${state}`);
  transport.takeWritten();
  machine.log.length = 0;
  return machine;
}

const STEPS = {
  indicate: ({ upperLayer }: Machine) => upperLayer.indicated(),
  request: ({ upperLayer }: Machine) => upperLayer.request(encodeAssociateRq(RQ)),
  connect: ({ upperLayer }: Machine) => upperLayer.connected(),
  receiveRq: ({ transport }: Machine) => transport.receive(A_ASSOCIATE_RQ),
  receiveAc: ({ transport }: Machine) => transport.receive(A_ASSOCIATE_AC),
  start: ({ upperLayer }: Machine) => upperLayer.start(),
  accept: (machine: Machine) => machine.accept(),
  release: ({ upperLayer }: Machine) => upperLayer.requestRelease(),
  respond: ({ upperLayer }: Machine) => upperLayer.respondRelease(),
  receiveReleaseRq: ({ transport }: Machine) => transport.receive(A_RELEASE_RQ),
  receiveReleaseRp: ({ transport }: Machine) => transport.receive(A_RELEASE_RP),
  abort: ({ upperLayer }: Machine) => upperLayer.abort(new UlError('ul-aborted', 'test')),
};

type Step = keyof typeof STEPS;
const REQUESTED: Step[] = ['request', 'connect', 'receiveAc', 'start'];
const ACCEPTED: Step[] = ['indicate', 'receiveRq', 'accept', 'start'];
const ROUTES: Record<State, Step[]> = {
  Sta1: [],
  Sta2: ['indicate'],
  Sta3: ['indicate', 'receiveRq'],
  Sta4: ['request'],
  Sta5: ['request', 'connect'],
  Sta6: REQUESTED,
  Sta7: [...REQUESTED, 'release'],
  Sta8: [...REQUESTED, 'receiveReleaseRq'],
  Sta9: [...REQUESTED, 'release', 'receiveReleaseRq'],
  Sta10: [...ACCEPTED, 'release', 'receiveReleaseRq'],
  Sta11: [...REQUESTED, 'release', 'receiveReleaseRq', 'respond'],
  Sta12: [...ACCEPTED, 'release', 'receiveReleaseRq', 'receiveReleaseRp'],
  Sta13: [...REQUESTED, 'abort'],
};
