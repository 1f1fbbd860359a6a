// The upper layer protocol machine of one transport connection (PS3.8 §9.2): state, actions, ARTIM timer.
import {
  ABORT_BY_PROVIDER,
  ABORT_REASON,
  abortedByPeer,
  connectionLost,
  UlError,
  unexpectedPdu,
  userFault,
} from './errors.ts';
import { refusal } from './negotiation.ts';
import type { AAssociateAc, AAssociateRj, AAssociateRq, PDataTf, Pdu, PduName, PdvFragment } from './pdu.ts';
import { PduDecoder } from './pdu-decoder.ts';
import {
  encodeAbort,
  encodeAssociateAc,
  encodeAssociateRj,
  encodeReleaseRp,
  encodeReleaseRq,
} from './pdu-encoder.ts';
import { type Action, type Event, NEXT_STATE, STATE_TABLE, type State } from './state-table.ts';
import type { Transport, TransportUser } from './transport.ts';

/** Who decides about the association before it exists. */
export interface Negotiator {
  /** A-ASSOCIATE indication (acceptor: call `accept`, `reject` or `abort` before returning) or confirmation. */
  negotiate(pdu: AAssociateRq | AAssociateAc | AAssociateRj): void;
  /** It will not come to an association any more. */
  ended(error: UlError): void;
}

/** Who uses the association: the indication and confirmation primitives of PS3.8 §7. */
export interface ServiceUser {
  /** P-DATA indication. A promise stops the reading; a throw or rejection aborts. */
  received(pdv: PdvFragment): void | Promise<void>;
  /** A-RELEASE indication: answer with `respondRelease`, in one's own time. */
  releaseRequested(): void;
  /** A-RELEASE confirmation. */
  releaseConfirmed(): void;
  /** The association is over, for the reason given ('ul-released' when in good order). Comes once. */
  ended(reason: UlError): void;
}

export interface UpperLayerOptions {
  readonly role: 'requestor' | 'acceptor';
  /** The ARTIM timer (PS3.8 §9.1.5), and how long an A-ASSOCIATE or A-RELEASE may go unanswered. */
  readonly artimMs: number;
  /** How long the transport connection may take to open. */
  readonly connectMs: number;
  /** The maximum length we announce. */
  readonly maxPduBytes: number;
}

/** What comes with an event: the PDU received, the PDU to send, or the reason for the end. */
interface Cause {
  readonly pdu?: Pdu;
  readonly send?: Buffer;
  readonly error?: UlError;
}

const EVENT_OF: Readonly<Record<PduName, Event>> = {
  'A-ASSOCIATE-AC': 'Evt3',
  'A-ASSOCIATE-RJ': 'Evt4',
  'A-ASSOCIATE-RQ': 'Evt6',
  'P-DATA-TF': 'Evt10',
  'A-RELEASE-RQ': 'Evt12',
  'A-RELEASE-RP': 'Evt13',
  'A-ABORT': 'Evt16',
};

/** Drives one transport connection by Table 9-10. Public methods are the request and response primitives. */
export class UpperLayer implements TransportUser {
  readonly transport: Transport;
  readonly #options: UpperLayerOptions;
  readonly #negotiator: Negotiator;
  readonly #decoder: PduDecoder;
  #user: ServiceUser | undefined;
  #state: State = 'Sta1';
  #endReason: UlError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #request: Buffer | undefined;
  #decoding = false;
  #waiting = false;
  #room: PromiseWithResolvers<void> | undefined;

  constructor(transport: Transport, options: UpperLayerOptions, negotiator: Negotiator) {
    this.transport = transport;
    this.#options = options;
    this.#negotiator = negotiator;
    this.#decoder = new PduDecoder(options.maxPduBytes);
  }

  get state(): State {
    return this.#state;
  }

  /** A-ASSOCIATE request, as the encoded PDU; the transport is opening. */
  request(pdu: Buffer): void {
    this.#request = pdu;
    this.#step('Evt1');
  }

  /** Transport connection confirmation. */
  connected(): void {
    if (this.#request !== undefined) this.#step('Evt2', { send: this.#request });
  }

  /** Transport connection indication: a peer has connected. */
  indicated(): void {
    this.#step('Evt5');
  }

  /** A-ASSOCIATE response, accepting. From here on `user` is served. */
  accept(pdu: AAssociateAc, user: ServiceUser): void {
    this.#user = user;
    this.#step('Evt7', { send: encodeAssociateAc(pdu) });
  }

  /** A-ASSOCIATE response, rejecting. */
  reject(verdict: Omit<AAssociateRj, 'type'>): void {
    this.#step('Evt8', { send: encodeAssociateRj(verdict) });
  }

  /** The confirmed association has found its user. */
  serve(user: ServiceUser): void {
    this.#user = user;
  }

  /** The user is ready for P-DATA indications: reading goes on. */
  start(): void {
    this.#resume();
  }

  /** P-DATA request: whole P-DATA-TF PDUs (DT-1, AR-7). */
  send(chunks: readonly Buffer[]): Promise<void> | undefined {
    if (STATE_TABLE[this.#state].Evt9 === undefined) {
      throw (
        this.#endReason ??
        new UlError('ul-releasing', 'no data can be sent: the association is being released')
      );
    }
    if (this.transport.write(chunks)) return undefined;
    this.#room ??= Promise.withResolvers<void>();
    return this.#room.promise;
  }

  /** A-RELEASE request. */
  requestRelease(): void {
    this.#step('Evt11');
  }

  /** A-RELEASE response; nothing happens in states that do not wait for one. */
  respondRelease(): void {
    this.#step('Evt14');
  }

  /** A-ABORT request. */
  abort(reason: UlError): void {
    this.#step('Evt15', { error: reason });
  }

  /** What was received is not valid, found only by the user. */
  refuse(reason: UlError): void {
    this.#step('Evt19', { error: reason });
  }

  received(chunk: Buffer): void {
    this.#decoder.push(chunk);
    if (!this.#decoding && !this.#waiting) this.#decode();
  }

  drained(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  disconnected(cause?: Error): void {
    this.#step('Evt17', { error: connectionLost(this.#state, cause) });
    this.#close();
  }

  #decode(): void {
    this.#decoding = true;
    try {
      while (!this.#waiting) {
        const pdu = this.#decoder.next();
        if (pdu === undefined) break;
        if (pdu.type === 'P-DATA-TF') this.#indicateData(pdu);
        else this.#step(EVENT_OF[pdu.type], { pdu });
      }
    } catch (error) {
      if (!(error instanceof UlError)) throw error;
      this.#step('Evt19', { error });
    } finally {
      this.#decoding = false;
    }
  }

  // The hot path: DT-2 and AR-6 leave the state as it is.
  #indicateData(pdv: PDataTf): void {
    const action = STATE_TABLE[this.#state].Evt10;
    if (action !== 'DT-2' && action !== 'AR-6') {
      this.#step('Evt10', { pdu: pdv });
      return;
    }
    try {
      const settled = this.#user?.received(pdv);
      if (settled !== undefined) this.#wait(settled);
    } catch (error) {
      this.abort(userFault(error));
    }
  }

  // Back-pressure: while the user is busy with what it got, nothing more is read.
  #wait(settled: Promise<void>): void {
    if (this.#endReason === undefined) this.#pause();
    settled.then(
      () => this.#resume(),
      (error: unknown) => this.abort(userFault(error)),
    );
  }

  #pause(): void {
    this.#waiting = true;
    this.transport.pause();
  }

  #resume(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    if (!this.#decoding) this.#decode();
    if (!this.#waiting) this.transport.resume();
  }

  // An empty cell is an event that comes too late, after the end: it changes nothing.
  #step(event: Event, cause: Cause = {}): void {
    const action = STATE_TABLE[this.#state][event];
    if (action === undefined) return;
    const from = this.#state;
    this.#state = NEXT_STATE[action];
    UpperLayer.#ACTIONS[action](this, cause, from);
  }

  // PS3.8 Tables 9-6 to 9-9. The state is already the next one.
  static readonly #ACTIONS: Readonly<Record<Action, (ul: UpperLayer, cause: Cause, from: State) => void>> = {
    'AE-1': (ul) => {
      ul.transport.open(ul);
      ul.#startTimer(ul.#options.connectMs);
    },
    'AE-2': (ul, { send }) => {
      ul.#write(send);
      ul.#startTimer();
    },
    'AE-3': (ul, { pdu }) => {
      ul.#stopTimer();
      ul.#pause();
      ul.#negotiate(pdu);
    },
    'AE-4': (ul, { pdu }) => {
      ul.#negotiate(pdu);
      ul.#close();
    },
    'AE-5': (ul) => {
      ul.#startTimer();
      ul.transport.open(ul);
    },
    'AE-6': (ul, { pdu }) => {
      ul.#stopTimer();
      const refused = pdu?.type === 'A-ASSOCIATE-RQ' ? refusal(pdu) : undefined;
      if (refused === undefined) {
        ul.#negotiate(pdu);
        return;
      }
      ul.#state = 'Sta13';
      ul.#write(encodeAssociateRj(refused.verdict));
      ul.#startTimer();
      ul.#end(refused.error);
    },
    'AE-7': (ul, { send }) => {
      ul.#write(send);
      ul.#pause();
    },
    'AE-8': (ul, { send }) => {
      ul.#write(send);
      ul.#startTimer();
    },
    // P-DATA takes the short way: `send` and `#indicateData`.
    'DT-1': () => {},
    'DT-2': () => {},
    'AR-6': () => {},
    'AR-7': () => {},
    'AR-1': (ul) => {
      ul.#write(encodeReleaseRq());
      ul.#startTimer();
    },
    'AR-2': (ul) => ul.#user?.releaseRequested(),
    'AR-3': (ul) => {
      ul.#end(released());
      ul.#close();
    },
    'AR-4': (ul) => {
      ul.#write(encodeReleaseRp());
      ul.#startTimer();
      ul.#end(released());
    },
    'AR-5': (ul) => ul.#stopTimer(),
    'AR-8': (ul) => {
      if (ul.#options.role === 'acceptor') ul.#state = 'Sta10';
      ul.#user?.releaseRequested();
    },
    'AR-9': (ul) => ul.#write(encodeReleaseRp()),
    'AR-10': (ul) => ul.#user?.releaseConfirmed(),
    'AA-1': (ul, cause, from) => ul.#abortAndWait(cause, from),
    'AA-2': (ul, cause, from) => {
      ul.#close();
      ul.#end(errorOf(cause, from));
    },
    'AA-3': (ul, cause, from) => {
      ul.#close();
      ul.#end(errorOf(cause, from));
    },
    'AA-4': (ul, cause, from) => ul.#end(errorOf(cause, from)),
    // A port scan or a health probe that connects and leaves is nobody's fault; half an A-ASSOCIATE-RQ is.
    'AA-5': (ul, cause, from) => {
      ul.#stopTimer();
      if (!ul.#decoder.atBoundary) ul.#end(errorOf(cause, from));
    },
    'AA-6': () => {},
    // One more A-ABORT, and no more reading: a peer that talks on must not make us queue answers until ARTIM ends it.
    'AA-7': (ul) => {
      ul.#write(encodeAbort(UNEXPECTED));
      ul.#pause();
    },
    'AA-8': (ul, cause, from) => ul.#abortAndWait(cause, from),
  };

  // Deviation (PS3.8 Table 9-9): AA-1 in Sta2 names the provider as its source, with a reason, as AA-8 does:
  // there is no user yet, and the reason is all the peer's engineer will see.
  #abortAndWait(cause: Cause, from: State): void {
    const error = errorOf(cause, from);
    this.#write(encodeAbort({ source: error.abortSource, reason: error.reason }));
    this.#startTimer();
    this.#end(error);
    // Nobody listens any more, but the peer's goodbye must be seen.
    this.#resume();
  }

  #negotiate(pdu: Pdu | undefined): void {
    if (pdu?.type === 'A-ASSOCIATE-RQ' || pdu?.type === 'A-ASSOCIATE-AC' || pdu?.type === 'A-ASSOCIATE-RJ') {
      this.#negotiator.negotiate(pdu);
    }
  }

  #write(pdu: Buffer | undefined): void {
    if (pdu !== undefined) this.transport.write([pdu]);
  }

  #end(reason: UlError): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    // Writers are let go; their next write throws.
    this.drained();
    (this.#user ?? this.#negotiator).ended(reason);
  }

  #close(): void {
    this.#stopTimer();
    this.transport.close();
  }

  #startTimer(ms = this.#options.artimMs): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => this.#expired(ms), ms);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
  }

  // Table 9-10 has Evt18 for Sta2 and Sta13. Where else we wait for the peer, the user gives up (Evt15).
  #expired(ms: number): void {
    const waited = WAITED_FOR[this.#state] ?? 'the peer to close the connection';
    const code = this.#state === 'Sta4' ? 'ul-connect-timeout' : 'ul-artim-expired';
    const error = new UlError(code, `waited ${ms / 1000} s in vain for ${waited}`);
    this.#step(STATE_TABLE[this.#state].Evt18 === undefined ? 'Evt15' : 'Evt18', { error });
  }
}

const UNEXPECTED = { source: ABORT_BY_PROVIDER, reason: ABORT_REASON.unexpectedPdu };

const WAITED_FOR: Readonly<Partial<Record<State, string>>> = {
  Sta2: 'A-ASSOCIATE-RQ',
  Sta4: 'the transport connection',
  Sta5: 'the answer to A-ASSOCIATE-RQ',
  Sta7: 'A-RELEASE-RP',
  Sta9: 'our own user to answer A-RELEASE-RQ',
  Sta10: 'A-RELEASE-RP',
  Sta11: 'A-RELEASE-RP',
  Sta12: 'our own user to answer A-RELEASE-RQ',
};

function errorOf({ error, pdu }: Cause, state: State): UlError {
  if (error !== undefined) return error;
  if (pdu?.type === 'A-ABORT') return abortedByPeer(pdu.source, pdu.reason);
  return unexpectedPdu(pdu?.type ?? 'nothing', state);
}

function released(): UlError {
  return new UlError('ul-released', 'the association was released');
}
