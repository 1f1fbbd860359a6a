// The sender of every ingest measurement, a process of its own: N associations on one thread, messages laid
// out before the clock starts, one write each, the next after the answer. Prints its result as JSON.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { RawPdu } from '../support/byte-connection.ts';
import { decodeCommand } from '../support/byte-elements.ts';
import { associateRq, PDU, readAssociate, releaseRq } from '../support/byte-pdu.ts';
import type { PeerAddress } from '../support/foreign-peers.ts';
import { RunningProcess } from '../support/running-process.ts';
import { SHAPES, type ShapeName, syntheticInstance, syntheticStudy } from '../support/synthetic-instances.ts';
import { layOutStore, STORE_CONTEXT_ID, type StoreMessage } from './store-message.ts';

export interface SendJob {
  readonly peer: PeerAddress;
  readonly shape: ShapeName;
  readonly associations: number;
  readonly instancesPerAssociation: number;
  readonly instancesPerStudy: number;
  /** the first study's number, see syntheticStudy */
  readonly firstStudy: number;
  readonly uidRoot: string;
}

export interface SendResult {
  readonly instances: number;
  readonly bytes: number;
  readonly seconds: number;
  /** processor time of the sender in that time */
  readonly senderCpuSeconds: number;
}

const SENDER_AE_TITLE = 'BENCHSCU';
const EXPLICIT_LE = '1.2.840.10008.1.2.1';
const OUR_MAX_PDU_BYTES = 262_144;

/** Runs a job in a process of its own. */
export async function send(job: SendJob): Promise<SendResult> {
  const sender = new RunningProcess(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(job)]);
  const { code } = await sender.ended;
  if (code !== 0) throw new Error(`sending to ${job.peer.aeTitle} failed: ${sender.stderr}`);
  return JSON.parse(sender.stdout) as SendResult;
}

class StoreRequestor {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #wake: ((pdu: RawPdu) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;
  maxPduBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail?.(error));
    socket.on('close', () => this.#fail?.(new Error('the peer closed the connection')));
  }

  async associate(peer: PeerAddress, sopClassUid: string): Promise<void> {
    const answer = await this.#exchange(() =>
      this.#socket.write(
        associateRq({
          callingAeTitle: SENDER_AE_TITLE,
          calledAeTitle: peer.aeTitle,
          contexts: [{ id: STORE_CONTEXT_ID, abstractSyntax: sopClassUid, transferSyntaxes: [EXPLICIT_LE] }],
          maxPduBytes: OUR_MAX_PDU_BYTES,
        }),
      ),
    );
    const accepted = answer.type === PDU.associateAc ? readAssociate(answer.body) : undefined;
    if (accepted?.results[0]?.result !== 0) throw new Error('the peer does not take the association');
    const announced = accepted.maxPduBytes;
    this.maxPduBytes = announced === 0 ? OUR_MAX_PDU_BYTES : Math.min(announced, OUR_MAX_PDU_BYTES);
  }

  async store(message: StoreMessage): Promise<void> {
    const answer = await this.#exchange(() => {
      this.#socket.cork();
      this.#socket.write(message.start);
      for (let written = 0; written < message.blocks; written++) this.#socket.write(message.block);
      if (message.end.length > 0) this.#socket.write(message.end);
      this.#socket.uncork();
    });
    const response = decodeCommand(answer.body.subarray(6));
    if (response.Status !== 0) throw new Error(`C-STORE-RSP ${JSON.stringify(response)}`);
  }

  async release(): Promise<void> {
    await this.#exchange(() => this.#socket.write(releaseRq()));
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #exchange(write: () => void): Promise<RawPdu> {
    return new Promise((resolve, reject) => {
      this.#wake = resolve;
      this.#fail = reject;
      write();
    });
  }

  /** Every answer of a storage SCP is one PDU with one PDV. */
  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    if (this.#received.length < 6) return;
    const end = 6 + this.#received.readUInt32BE(2);
    if (this.#received.length < end) return;
    const pdu = { type: this.#received.readUInt8(0), body: this.#received.subarray(6, end) };
    this.#received = this.#received.subarray(end);
    this.#wake?.(pdu);
  }
}

async function run(job: SendJob): Promise<SendResult> {
  const shape = SHAPES[job.shape];
  const senders = await Promise.all(
    Array.from({ length: job.associations }, async (_, index) => {
      const socket = connect(job.peer.port, job.peer.host);
      await once(socket, 'connect');
      const requestor = new StoreRequestor(socket);
      await requestor.associate(job.peer, shape.sopClassUid);
      return { requestor, messages: messagesOf(job, index, requestor.maxPduBytes) };
    }),
  );
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(
    senders.map(async ({ requestor, messages }) => {
      for (const message of messages) await requestor.store(message);
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  await Promise.all(senders.map(({ requestor }) => requestor.release()));
  const messages = senders.flatMap((sender) => sender.messages);
  const bytes = messages.reduce((sum, message) => sum + message.dataSetBytes, 0);
  return { instances: messages.length, bytes, seconds, senderCpuSeconds: (user + system) / 1e6 };
}

function messagesOf(job: SendJob, association: number, maxPduBytes: number): StoreMessage[] {
  const shape = SHAPES[job.shape];
  return Array.from({ length: job.instancesPerAssociation }, (_, index) => {
    const nth = association * job.instancesPerAssociation + index;
    const study = syntheticStudy(job.firstStudy + Math.floor(nth / job.instancesPerStudy), job.uidRoot);
    const instance = syntheticInstance(study, shape, 1, nth % job.instancesPerStudy);
    return layOutStore(instance, (index % 0xffff) + 1, maxPduBytes);
  });
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(process.argv[2] ?? '') as SendJob)));
}
