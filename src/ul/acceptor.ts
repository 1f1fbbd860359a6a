// Listens for transport connections and answers association requests (PS3.8 §7.1, §9.1).
import { EventEmitter } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createSecureServer } from 'node:tls';
import { codeOf, messageOf } from '../util/errors.ts';
import { type Acceptance, answerAssociate } from './associate-answer.ts';
import { Association } from './association.ts';
import { ABORT_BY_PROVIDER, invalidPdu, UlError, userFault } from './errors.ts';
import { type AAssociateRj, type AAssociateRq, MAX_PDU_BYTES } from './pdu.ts';
import type { SecureTransport } from './tls.ts';
import { StreamTransport, type Transport } from './transport.ts';
import { UpperLayer } from './upper-layer.ts';

/** The other end of a transport connection, as far as it is known. */
export interface RemotePeer {
  readonly address: string;
  readonly port: number;
  readonly callingAeTitle?: string;
}

/** A-ASSOCIATE-RJ as the user decides it (PS3.8 Table 9-21). */
export interface Rejection {
  readonly accept: false;
  readonly result: 1 | 2;
  readonly source: 1 | 2 | 3;
  readonly reason: number;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export type Decision = Acceptance | Rejection;

export interface AcceptorOptions {
  readonly host: string;
  readonly port: number;
  /** Every connection has to be a secure one. */
  readonly tls?: SecureTransport;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly maxPduBytes?: number;
  readonly artimMs?: number;
  readonly idleMs?: number;
  /** Associations at the same time. */
  readonly maxAssociations?: number;
  /** Transport connections on which no association has been requested yet; the oldest gives way to the newest. */
  readonly maxWaiting?: number;
  /** Policy: who may associate, and with what. Called once per request; must not wait. */
  decide(request: AAssociateRq, remote: RemotePeer): Decision;
}

export interface AcceptorEvents {
  association: [Association];
  rejected: [AAssociateRq, AAssociateRj, RemotePeer];
  /** One per broken association or attempt: what was wrong, and who did it. */
  fault: [UlError, RemotePeer];
}

const ARTIM_MS = 30_000;
const IDLE_MS = 600_000;
const MAX_ASSOCIATIONS = 600;
const MAX_WAITING = 1000;
// While closing: how long a peer may take to hang up after its association has ended, before we do.
const GOODBYE_MS = 1_000;
// Nothing useful fits into less than a PDV header and a few bytes.
const LEAST_PDU_BYTES = 16;
const LOCAL_LIMIT_EXCEEDED: Rejection = { accept: false, result: 2, source: 3, reason: 2 };

/** The acceptor side of one address. Each association is emitted as it is accepted: attach to it there and then. */
export class Acceptor extends EventEmitter<AcceptorEvents> {
  readonly #options: AcceptorOptions;
  #server: Server;
  readonly #transports = new Set<Transport>();
  readonly #associations = new Map<Association, Transport>();
  #maxAssociations: number;
  readonly #maxWaiting: number;
  /** Connections without an association, oldest first. */
  readonly #waiting = new Map<Transport, () => void>();
  /** Of TLS, by the peer's address: those whose two ends have not agreed on keys yet. */
  readonly #handshakes = new Map<string, Socket>();
  #isClosing = false;

  constructor(options: AcceptorOptions) {
    super();
    this.#options = options;
    this.#maxAssociations = options.maxAssociations ?? MAX_ASSOCIATIONS;
    this.#maxWaiting = options.maxWaiting ?? MAX_WAITING;
    this.#server = this.#newServer();
  }

  /** The associations that are open now. */
  get associations(): ReadonlyMap<Association, Transport> {
    return this.#associations;
  }

  /** Further associations than this are refused; those that are open stay. */
  set maxAssociations(count: number) {
    this.#maxAssociations = count;
  }

  /** Resolves with the address bound; rejects with UlError 'ul-listen-failed'. */
  listen(): Promise<ListenAddress> {
    return this.#listenOn(this.#server, this.#options);
  }

  /** Goes on accepting at another address. Associations that are open stay until they end by themselves. Rejects like
   *  `listen`, and then accepts where it did before. */
  async move(to: ListenAddress): Promise<ListenAddress> {
    const before = this.#server;
    const was = before.address();
    const next = this.#newServer();
    // Two addresses of one port exclude each other where one of them is every address.
    const isSamePort = typeof was === 'object' && was?.port === to.port;
    if (isSamePort) before.close();
    try {
      const bound = await this.#listenOn(next, to);
      if (!isSamePort) before.close();
      this.#server = next;
      return bound;
    } catch (error) {
      if (isSamePort && was !== null) {
        this.#server = this.#newServer();
        await this.#listenOn(this.#server, { host: was.address, port: was.port });
      }
      throw error;
    }
  }

  #newServer(): Server {
    const { tls } = this.#options;
    if (tls !== undefined) return this.#secureServer(tls);
    return createServer({ noDelay: true }, (socket) => this.#connected(socket));
  }

  #listenOn(server: Server, { host, port }: ListenAddress): Promise<ListenAddress> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error) => {
        const why = codeOf(error) ?? messageOf(error);
        const message = `cannot listen on ${host}:${port} (${why}): choose another address or port`;
        reject(new UlError('ul-listen-failed', message, { cause: error }));
      };
      server.once('error', failed);
      server.listen({ host, port }, () => {
        server.off('error', failed);
        server.on('error', (error) => this.#listenerFault(error));
        const bound = server.address();
        resolve({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
      });
    });
  }

  /** Stops accepting, gives the associations `graceMs` to end by themselves, aborts the rest. */
  async close(graceMs: number): Promise<void> {
    this.#isClosing = true;
    const stopped = this.#stopped();
    // Connections that are no association yet have nothing to lose.
    for (const socket of this.#handshakes.values()) socket.destroy();
    const busy = new Set(this.#associations.values());
    for (const transport of this.#transports) if (!busy.has(transport)) transport.close();
    const timers: NodeJS.Timeout[] = [];
    for (const [{ signal }, transport] of this.#associations) {
      const hangUp = () => timers.push(setTimeout(() => transport.close(), GOODBYE_MS));
      if (signal.aborted) hangUp();
      else signal.addEventListener('abort', hangUp);
    }
    const abortAll = () => {
      for (const association of this.#associations.keys()) association.abort();
    };
    timers.push(setTimeout(abortAll, graceMs));
    await stopped;
    for (const timer of timers) clearTimeout(timer);
  }

  /** Here a connection comes up once the two ends have agreed on keys, which takes them no longer than ARTIM. */
  #secureServer(tls: SecureTransport): Server {
    const server = createSecureServer(
      {
        ...tls,
        requestCert: tls.rejectUnauthorized,
        noDelay: true,
        handshakeTimeout: this.#options.artimMs ?? ARTIM_MS,
      },
      (socket) => {
        this.#handshakes.delete(addressOf(socket));
        if (this.#isClosing) socket.destroy();
        else this.#connected(socket);
      },
    );
    server.on('connection', (socket: Socket) => {
      const address = addressOf(socket);
      this.#handshakes.set(address, socket);
      socket.once('close', () => {
        if (this.#handshakes.get(address) === socket) this.#handshakes.delete(address);
      });
    });
    server.maxConnections = this.#maxAssociations + this.#maxWaiting;
    server.on('tlsClientError', (cause, { remoteAddress = '', remotePort = 0 }) => {
      const message = `no secure connection came about (PS3.15 §B.12): ${messageOf(cause)}`;
      this.emit('fault', new UlError('ul-tls-failed', message, { cause }), {
        address: remoteAddress,
        port: remotePort,
      });
    });
    return server;
  }

  /** When nothing is accepted any more and every connection has ended, those of an earlier address included. */
  async #stopped(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#transports].map(({ closed }) => closed));
  }

  #connected(socket: Socket): void {
    const transport = new StreamTransport(socket);
    const remote = { address: transport.remoteAddress, port: transport.remotePort };
    this.#transports.add(transport);
    void transport.closed.then(() => {
      this.#transports.delete(transport);
      this.#waiting.delete(transport);
    });
    this.#waiting.set(transport, () => this.emit('fault', tooManyWaiting(this.#maxWaiting), remote));
    this.#dropOldest();
    let callingAeTitle: string | undefined;
    const upperLayer: UpperLayer = new UpperLayer(
      transport,
      {
        role: 'acceptor',
        artimMs: this.#options.artimMs ?? ARTIM_MS,
        connectMs: 0,
        maxPduBytes: this.#options.maxPduBytes ?? MAX_PDU_BYTES,
      },
      {
        negotiate: (pdu) => {
          if (pdu.type !== 'A-ASSOCIATE-RQ') return;
          this.#waiting.delete(transport);
          callingAeTitle = pdu.callingAeTitle;
          this.#negotiate(upperLayer, pdu, { ...remote, callingAeTitle });
        },
        ended: (error) =>
          this.emit('fault', error, callingAeTitle === undefined ? remote : { ...remote, callingAeTitle }),
      },
    );
    upperLayer.indicated();
  }

  /** Silence costs nobody else the way in: whoever has been silent longest has to go. */
  #dropOldest(): void {
    if (this.#waiting.size <= this.#maxWaiting) return;
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    const [transport, report] = oldest;
    this.#waiting.delete(transport);
    report();
    transport.close();
  }

  #negotiate(upperLayer: UpperLayer, request: AAssociateRq, remote: RemotePeer): void {
    if (this.#associations.size >= this.#maxAssociations) {
      this.#reject(upperLayer, request, LOCAL_LIMIT_EXCEEDED, remote);
      return;
    }
    const { maxPduBytes } = request.userInformation;
    if (maxPduBytes !== undefined && maxPduBytes > 0 && maxPduBytes < LEAST_PDU_BYTES) {
      upperLayer.refuse(invalidPdu(`A-ASSOCIATE-RQ limits P-DATA-TF to ${maxPduBytes} bytes: nothing fits`));
      return;
    }
    try {
      const decision = this.#options.decide(request, remote);
      if (decision.accept) this.#accept(upperLayer, request, decision, remote);
      else this.#reject(upperLayer, request, decision, remote);
    } catch (error) {
      // Our own fault, not the peer's; it must not take the other associations down.
      upperLayer.abort(userFault(error));
    }
  }

  #accept(upperLayer: UpperLayer, request: AAssociateRq, acceptance: Acceptance, remote: RemotePeer): void {
    const { implementationClassUid, implementationVersionName, maxPduBytes, idleMs } = this.#options;
    const answer = answerAssociate(request, acceptance, {
      implementationClassUid,
      implementationVersionName,
      maxPduBytes: maxPduBytes ?? MAX_PDU_BYTES,
    });
    const association = new Association(upperLayer, {
      role: 'acceptor',
      callingAeTitle: request.callingAeTitle,
      calledAeTitle: request.calledAeTitle,
      contexts: answer.contexts,
      extendedNegotiation: answer.extendedNegotiation,
      peer: request.userInformation,
      idleMs: idleMs ?? IDLE_MS,
    });
    association.on('fault', (error) => this.emit('fault', error, remote));
    this.#associations.set(association, upperLayer.transport);
    void association.closed.then(() => this.#associations.delete(association));
    upperLayer.accept(answer.pdu, association);
    this.emit('association', association);
  }

  #reject(upperLayer: UpperLayer, request: AAssociateRq, rejection: Rejection, remote: RemotePeer): void {
    const { result, source, reason } = rejection;
    const pdu: AAssociateRj = { type: 'A-ASSOCIATE-RJ', result, source, reason };
    upperLayer.reject(pdu);
    this.emit('rejected', request, pdu, remote);
  }

  // The listener itself cannot take a connection (out of file descriptors); the next one may succeed.
  #listenerFault(cause: Error): void {
    const error = new UlError('ul-accept-failed', `cannot take a connection: ${messageOf(cause)}`, {
      abortSource: ABORT_BY_PROVIDER,
      cause,
    });
    this.emit('fault', error, { address: this.#options.host, port: this.#options.port });
  }
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function tooManyWaiting(limit: number): UlError {
  return new UlError('ul-dropped', `more than ${limit} connections without an association at a time`);
}
