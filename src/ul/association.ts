// An established association as its user sees it (PS3.8 §7): data both ways, release, abort, idle timer.
import { EventEmitter } from 'node:events';
import { invalidPdu, UlError } from './errors.ts';
import type { AcceptedContext } from './negotiation.ts';
import { MAX_PDU_BYTES, type PdvFragment } from './pdu.ts';
import type { ServiceUser, UpperLayer } from './upper-layer.ts';
import type { UserInformation } from './user-information.ts';

export type { AcceptedContext } from './negotiation.ts';
export type { PdvFragment } from './pdu.ts';

/** Takes the PDVs of one association. */
export interface PdvSink {
  /** One PDV or, as bytes arrive, a part of one (zero-copy slice of the transport's chunk, which goes when this returns
   *  unless it is held, see received-memory.ts; isLast only on the final part of a last fragment). A returned promise
   *  pauses reading until it settles; a throw or rejection aborts. */
  receive(pdv: PdvFragment): void | Promise<void>;
}

/** What negotiation has settled. */
export interface AssociationFacts {
  readonly role: 'requestor' | 'acceptor';
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  readonly extendedNegotiation: ReadonlyMap<string, Buffer>;
  readonly peer: UserInformation;
  readonly idleMs: number;
}

// Deviation (PS3.8 §D.1.1): accepts a peer that leaves out its maximum length, and sends it what everybody takes.
const UNSTATED_PDU_BYTES = 16_384;

let count = 0;

/** One association, from its establishment to its end. `fault` names what ended it, unless we released or aborted. */
export class Association extends EventEmitter<{ fault: [UlError] }> implements ServiceUser {
  /** Short identifier for log lines, e.g. 'A17'. */
  readonly name = `A${++count}`;
  readonly role: 'requestor' | 'acceptor';
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The accepted ones only, by identifier. */
  readonly contexts: ReadonlyMap<number, AcceptedContext>;
  /** The most that the variable field of a P-DATA-TF we send may hold. */
  readonly maxSendPduBytes: number;
  readonly peerImplementationClassUid: string | undefined;
  readonly peerImplementationVersionName: string | undefined;
  /** Application information agreed on, by SOP class UID (PS3.7 §D.3.3.5). */
  readonly extendedNegotiation: ReadonlyMap<string, Buffer>;
  /** Settles when the transport connection is closed; never rejects. */
  readonly closed: Promise<void>;
  readonly #upperLayer: UpperLayer;
  readonly #ending = new AbortController();
  #idleTimer: NodeJS.Timeout | undefined;
  #sink: PdvSink | undefined;
  #holds = 0;
  #pendingReceives = 0;
  #releaseRequested = false;

  constructor(upperLayer: UpperLayer, facts: AssociationFacts) {
    super();
    this.#upperLayer = upperLayer;
    this.role = facts.role;
    this.callingAeTitle = facts.callingAeTitle;
    this.calledAeTitle = facts.calledAeTitle;
    this.remoteAddress = upperLayer.transport.remoteAddress;
    this.remotePort = upperLayer.transport.remotePort;
    this.contexts = facts.contexts;
    this.extendedNegotiation = facts.extendedNegotiation;
    this.maxSendPduBytes = sendLimit(facts.peer.maxPduBytes);
    this.peerImplementationClassUid = facts.peer.implementationClassUid;
    this.peerImplementationVersionName = facts.peer.implementationVersionName;
    this.closed = upperLayer.transport.closed;
    this.#idleTimer = setTimeout(() => this.#idle(facts.idleMs), facts.idleMs);
  }

  /** Aborted, with a UlError as its reason, as soon as the association ends in any way ('ul-released' included). */
  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  /** What went over its transport connection so far. */
  get bytes(): { readonly received: number; readonly sent: number } {
    return this.#upperLayer.transport.bytes;
  }

  /** Once; reading starts here, and what arrived before waits until then. */
  attach(sink: PdvSink): void {
    if (this.#sink !== undefined) throw new UlError('ul-attached', `${this.name} has its sink already`);
    this.#sink = sink;
    this.#upperLayer.start();
  }

  /** Whole P-DATA-TF PDUs, sent in one write. A promise when the transport asks to wait: it settles when there is
   *  room or the association is over, and never rejects. Throws UlError when over. */
  write(chunks: readonly Buffer[]): Promise<void> | undefined {
    this.#idleTimer?.refresh();
    return this.#upperLayer.send(chunks);
  }

  /** Until the returned function is called, we are the busy side: the idle timer rests, and a release requested by
   *  the peer is answered only afterwards. */
  hold(): () => void {
    this.#holds += 1;
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      this.#holds -= 1;
      this.#idleTimer?.refresh();
      this.#answerRelease();
    };
  }

  /** A-RELEASE-RQ, waits for the peer's A-RELEASE-RP and the end of the connection. Rejects with UlError when the
   *  association ends in any other way. */
  async release(): Promise<void> {
    this.#upperLayer.requestRelease();
    if (this.#sink === undefined) this.#upperLayer.start();
    await this.closed;
    const reason: unknown = this.signal.reason;
    if (!(reason instanceof UlError && reason.code === 'ul-released')) throw reason;
  }

  /** A-ABORT, source service-user. Nothing happens when the association is over already. */
  abort(): void {
    this.#upperLayer.abort(new UlError('ul-aborted', 'the association was aborted at this end'));
  }

  received(pdv: PdvFragment): void | Promise<void> {
    this.#idleTimer?.refresh();
    if (!this.contexts.has(pdv.contextId)) {
      this.#upperLayer.refuse(
        invalidPdu(`PDV for presentation context ${pdv.contextId}, which is not accepted`),
      );
      return;
    }
    const settled = this.#sink?.receive(pdv);
    return settled === undefined ? undefined : this.#watch(settled);
  }

  releaseRequested(): void {
    this.#releaseRequested = true;
    this.#answerRelease();
  }

  // After a release collision the acceptor answers only now (Sta12).
  releaseConfirmed(): void {
    this.#answerRelease();
  }

  ended(reason: UlError): void {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    this.#ending.abort(reason);
    if (reason.code !== 'ul-released' && reason.code !== 'ul-aborted') this.emit('fault', reason);
  }

  #answerRelease(): void {
    if (this.#releaseRequested && this.#holds === 0) this.#upperLayer.respondRelease();
  }

  async #watch(settled: Promise<void>): Promise<void> {
    this.#pendingReceives += 1;
    try {
      await settled;
    } finally {
      this.#pendingReceives -= 1;
      this.#idleTimer?.refresh();
    }
  }

  // "Never while we are the busy side."
  #idle(idleMs: number): void {
    if (this.#holds > 0 || this.#pendingReceives > 0) {
      this.#idleTimer?.refresh();
      return;
    }
    this.#upperLayer.abort(new UlError('ul-idle', `nothing was sent or received for ${idleMs / 1000} s`));
  }
}

function sendLimit(peerMaxPduBytes: number | undefined): number {
  if (peerMaxPduBytes === undefined) return UNSTATED_PDU_BYTES;
  return peerMaxPduBytes === 0 ? MAX_PDU_BYTES : Math.min(peerMaxPduBytes, MAX_PDU_BYTES);
}
