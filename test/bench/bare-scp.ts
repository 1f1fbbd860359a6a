// As little of a storage SCP as can be, a process of its own: reads PDU headers only and answers Success in one write
// (PS3.7 §9.3.1). It drops the pixels (the destination of every retrieve measurement), or first writes each data set
// to the disk: the least that an acknowledgement takes on this machine, and what ingest is measured against.
import { once } from 'node:events';
import { closeSync, constants, fsyncSync, openSync, writeSync, writev } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { decodeCommand, encodeCommand } from '../support/byte-elements.ts';
import { associateAc, dataPdu, PDU, readAssociate, releaseRp } from '../support/byte-pdu.ts';
import { storeResponse } from '../support/byte-storage-scp.ts';
import type { ForeignScp } from '../support/foreign-peers.ts';
import { RunningProcess } from '../support/running-process.ts';

const AE_TITLE = 'BARE';
const EXPLICIT_LE = '1.2.840.10008.1.2.1';
const PDU_HEADER_BYTES = 6;
const PDV_HEADER_BYTES = 6;

export interface BareScpOptions {
  /** What it announces. */
  readonly maxPduBytes: number;
  /** A file that it makes, into which data sets go, over and over from its beginning. Each has to fit into 64 MiB. */
  readonly keepIn?: string;
}

export async function startBareScp(options: BareScpOptions): Promise<ForeignScp> {
  const script = fileURLToPath(import.meta.url);
  const process_ = new RunningProcess(process.execPath, [script, JSON.stringify(options)]);
  const [, port] = await process_.waitForOutput(/^port (\d+)$/m);
  const stop = (): Promise<void> => process_.kill();
  return {
    aeTitle: AE_TITLE,
    host: '127.0.0.1',
    port: Number(port),
    process: process_,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Data sets in one file of fixed length, each on the disk with one write, together with what else is waiting. */
class Keeper {
  static readonly #BYTES = 64 << 20;
  static readonly #BLOCK_BYTES = 4096;
  readonly #fd: number;
  #at = 0;
  #waiting: { readonly slices: readonly Buffer[]; readonly kept: () => void }[] = [];
  #isWriting = false;

  constructor(file: string) {
    const fd = openSync(file, 'w');
    writeSync(fd, Buffer.alloc(Keeper.#BYTES));
    fsyncSync(fd);
    closeSync(fd);
    this.#fd = openSync(file, constants.O_WRONLY | constants.O_DSYNC);
  }

  keep(slices: readonly Buffer[], kept: () => void): void {
    this.#waiting.push({ slices, kept });
    if (this.#isWriting) return;
    this.#isWriting = true;
    // What other associations bring in the same turn joins the group.
    queueMicrotask(() => this.#write());
  }

  #write(): void {
    const group = this.#waiting;
    if (group.length === 0) {
      this.#isWriting = false;
      return;
    }
    this.#waiting = [];
    const slices = group.flatMap((one) => one.slices);
    const bytes = slices.reduce((sum, slice) => sum + slice.length, 0);
    if (this.#at + bytes > Keeper.#BYTES) this.#at = 0;
    writev(this.#fd, slices, this.#at, (error, written) => {
      if (error !== null || written !== bytes) throw error ?? new Error('the disk took a part only');
      for (const { kept } of group) kept();
      this.#write();
    });
    this.#at += Math.ceil(bytes / Keeper.#BLOCK_BYTES) * Keeper.#BLOCK_BYTES;
  }
}

/** Walks over the PDUs of one connection; only what is not pixels is ever put together. */
class BareAssociation {
  readonly #socket: Socket;
  readonly #maxPduBytes: number;
  readonly #keeper: Keeper | undefined;
  #held: Buffer = Buffer.alloc(0);
  #skipBytes = 0;
  #pduBytesLeft = 0;
  #afterSkip: (() => void) | undefined;
  #request: ReturnType<typeof decodeCommand> = {};
  #dataSet: Buffer[] = [];

  constructor(socket: Socket, maxPduBytes: number, keeper: Keeper | undefined) {
    this.#socket = socket;
    this.#maxPduBytes = maxPduBytes;
    this.#keeper = keeper;
  }

  take(chunk: Buffer): void {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, rest.length);
        if (this.#keeper !== undefined) this.#dataSet.push(rest.subarray(0, skipped));
        this.#skipBytes -= skipped;
        rest = rest.subarray(skipped);
        if (this.#skipBytes > 0) break;
      }
      this.#afterSkip?.();
      this.#afterSkip = undefined;
      const used = this.#pduBytesLeft > 0 ? this.#pdv(rest) : this.#pduHeader(rest);
      if (used === 0) break;
      rest = rest.subarray(used);
    }
    this.#held = rest;
  }

  /** Bytes used, 0 when more are needed. */
  #pduHeader(rest: Buffer): number {
    if (rest.length < PDU_HEADER_BYTES) return 0;
    const type = rest.readUInt8(0);
    const length = rest.readUInt32BE(2);
    if (type === PDU.data) {
      this.#pduBytesLeft = length;
      return PDU_HEADER_BYTES;
    }
    const end = PDU_HEADER_BYTES + length;
    if (rest.length < end) return 0;
    if (type === PDU.associateRq) this.#accept(rest.subarray(PDU_HEADER_BYTES, end));
    else if (type === PDU.releaseRq) this.#socket.end(releaseRp());
    else this.#socket.destroy();
    return end;
  }

  #pdv(rest: Buffer): number {
    if (rest.length < PDV_HEADER_BYTES) return 0;
    const length = rest.readUInt32BE(0);
    const contextId = rest.readUInt8(4);
    const control = rest.readUInt8(5);
    const end = 4 + length;
    if ((control & 1) === 1) {
      if (rest.length < end) return 0;
      this.#request = decodeCommand(rest.subarray(PDV_HEADER_BYTES, end));
      this.#pduBytesLeft -= end;
      return end;
    }
    this.#pduBytesLeft -= end;
    this.#skipBytes = end - PDV_HEADER_BYTES;
    if ((control & 2) === 2) this.#afterSkip = () => this.#answer(contextId);
    return PDV_HEADER_BYTES;
  }

  #answer(contextId: number): void {
    const response = dataPdu(contextId, true, true, encodeCommand(storeResponse(this.#request, 0)));
    const dataSet = this.#dataSet;
    this.#dataSet = [];
    if (this.#keeper === undefined) this.#socket.write(response);
    else this.#keeper.keep(dataSet, () => this.#socket.write(response));
  }

  #accept(body: Buffer): void {
    const request = readAssociate(body);
    const results = request.proposed.map(({ id, transferSyntaxes }) => ({
      id,
      result: transferSyntaxes.includes(EXPLICIT_LE) ? 0 : 4,
      transferSyntax: EXPLICIT_LE,
    }));
    const { callingAeTitle, calledAeTitle } = request;
    const maxPduBytes = this.#maxPduBytes;
    this.#socket.write(associateAc({ callingAeTitle, calledAeTitle, maxPduBytes }, results));
  }
}

if (import.meta.main) {
  const { maxPduBytes, keepIn } = JSON.parse(process.argv[2] ?? '') as BareScpOptions;
  const keeper = keepIn === undefined ? undefined : new Keeper(keepIn);
  const server = createServer({ noDelay: true }, (socket) => {
    const association = new BareAssociation(socket, maxPduBytes, keeper);
    socket.on('data', (chunk) => association.take(chunk));
    // A requestor that resets the connection is done with it.
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
}
