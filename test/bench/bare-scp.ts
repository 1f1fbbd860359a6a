// As little of a storage SCP as can be, a process of its own: reads PDU headers only and answers Success in one write
// (PS3.7 §9.3.1). It drops the pixels (the destination of every retrieve measurement), or first writes each data set
// to the disk: the least that an acknowledgement takes on this machine, and what ingest is measured against.
import { once } from 'node:events';
import { closeSync, constants, fdatasync, fsyncSync, openSync, write, writeSync, writev } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { alignedBuffer, blocksAround, wholeBlocks } from '../../src/storage/direct-write.ts';
import { decodeCommand, encodeCommand } from '../support/byte-elements.ts';
import { associateAc, dataPdu, PDU, readAssociate, releaseRp } from '../support/byte-pdu.ts';
import { storeResponse } from '../support/byte-storage-scp.ts';
import type { ForeignScp } from '../support/foreign-peers.ts';
import { RunningProcess } from '../support/running-process.ts';

const AE_TITLE = 'BARE';
const EXPLICIT_LE = '1.2.840.10008.1.2.1';
const PDU_HEADER_BYTES = 6;
const PDV_HEADER_BYTES = 6;
const MAX_DATA_SET_BYTES = 1 << 20;

export interface BareScpOptions {
  /** What it announces. */
  readonly maxPduBytes: number;
  /** A file that it makes, into which data sets go, over and over from its beginning. Each has to fit into 1 MiB. */
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

/** Data sets in one file of fixed length. Small ones go to the disk with one write, together with what else is waiting;
 *  of a larger one, pieces are written while the rest arrives, and flushed at its end: as little as can be left then. */
class Keeper {
  static readonly #BYTES = 64 << 20;
  /** For the end of small ones' writes, and the whole of larger ones'. */
  readonly #flushing: number;
  readonly #direct: number;
  #at = 0;
  #waiting: { readonly bytes: Buffer; readonly kept: () => void }[] = [];
  #isWriting = false;

  constructor(file: string) {
    const fd = openSync(file, 'w');
    writeSync(fd, Buffer.alloc(Keeper.#BYTES));
    fsyncSync(fd);
    closeSync(fd);
    this.#flushing = openSync(file, constants.O_WRONLY | constants.O_DSYNC);
    this.#direct = openSync(file, constants.O_WRONLY | constants.O_DIRECT);
  }

  keep(bytes: Buffer, kept: () => void): void {
    this.#waiting.push({ bytes, kept });
    if (this.#isWriting) return;
    this.#isWriting = true;
    // What other associations bring in the same turn joins the group.
    queueMicrotask(() => this.#write());
  }

  /** Where the next so many bytes may go. */
  place(bytes: number): number {
    if (this.#at + bytes > Keeper.#BYTES) this.#at = 0;
    const at = this.#at;
    this.#at += blocksAround(bytes);
    return at;
  }

  /** Whole blocks, not flushed. */
  writeAhead(bytes: Buffer, at: number, written: () => void): void {
    write(this.#direct, bytes, 0, bytes.length, at, (error, count) => {
      if (error !== null || count !== bytes.length) throw error ?? new Error('the disk took a part only');
      written();
    });
  }

  flush(flushed: () => void): void {
    fdatasync(this.#direct, (error) => {
      if (error !== null) throw error;
      flushed();
    });
  }

  #write(): void {
    const group = this.#waiting;
    if (group.length === 0) {
      this.#isWriting = false;
      return;
    }
    this.#waiting = [];
    const bytes = group.reduce((sum, one) => sum + one.bytes.length, 0);
    writev(
      this.#flushing,
      group.map((one) => one.bytes),
      this.place(bytes),
      (error, written) => {
        if (error !== null || written !== bytes) throw error ?? new Error('the disk took a part only');
        for (const { kept } of group) kept();
        this.#write();
      },
    );
  }
}

/** The data set of one association that is just arriving. */
class Arriving {
  static readonly #PIECE_BYTES = 128 << 10;
  readonly #keeper: Keeper;
  readonly #memory = alignedBuffer(MAX_DATA_SET_BYTES);
  #bytes = 0;
  #written = 0;
  #at = 0;
  #writes = 0;
  #onWritten: (() => void) | undefined;

  constructor(keeper: Keeper) {
    this.#keeper = keeper;
  }

  take(slice: Buffer): void {
    slice.copy(this.#memory, this.#bytes);
    this.#bytes += slice.length;
    if (this.#bytes - this.#written >= Arriving.#PIECE_BYTES) this.#write(wholeBlocks(this.#bytes));
  }

  end(kept: () => void): void {
    const bytes = this.#bytes;
    if (this.#written === 0) {
      this.#begin();
      this.#keeper.keep(this.#memory.subarray(0, bytes), kept);
      return;
    }
    this.#write(blocksAround(bytes));
    this.#begin();
    this.#onWritten = () => this.#keeper.flush(kept);
    this.#settle();
  }

  #begin(): void {
    this.#bytes = 0;
    this.#written = 0;
  }

  #write(end: number): void {
    if (this.#written === 0) this.#at = this.#keeper.place(MAX_DATA_SET_BYTES);
    if (end === this.#written) return;
    this.#writes += 1;
    this.#keeper.writeAhead(this.#memory.subarray(this.#written, end), this.#at + this.#written, () => {
      this.#writes -= 1;
      this.#settle();
    });
    this.#written = end;
  }

  #settle(): void {
    if (this.#writes > 0) return;
    const then = this.#onWritten;
    this.#onWritten = undefined;
    then?.();
  }
}

/** Walks over the PDUs of one connection; only what is not pixels is ever put together. */
class BareAssociation {
  readonly #socket: Socket;
  readonly #maxPduBytes: number;
  readonly #arriving: Arriving | undefined;
  #held: Buffer = Buffer.alloc(0);
  #skipBytes = 0;
  #pduBytesLeft = 0;
  #afterSkip: (() => void) | undefined;
  #request: ReturnType<typeof decodeCommand> = {};

  constructor(socket: Socket, maxPduBytes: number, keeper: Keeper | undefined) {
    this.#socket = socket;
    this.#maxPduBytes = maxPduBytes;
    this.#arriving = keeper === undefined ? undefined : new Arriving(keeper);
  }

  take(chunk: Buffer): void {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, rest.length);
        this.#arriving?.take(rest.subarray(0, skipped));
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
    if (this.#arriving === undefined) this.#socket.write(response);
    else this.#arriving.end(() => this.#socket.write(response));
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
