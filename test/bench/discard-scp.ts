// The destination of every retrieve measurement, a process of its own: reads PDU headers only, drops the
// pixels, answers Success in one write (PS3.7 §9.3.1).
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { decodeCommand, encodeCommand } from '../support/byte-elements.ts';
import { associateAc, dataPdu, PDU, readAssociate, releaseRp } from '../support/byte-pdu.ts';
import { storeResponse } from '../support/byte-storage-scp.ts';
import type { ForeignScp } from '../support/foreign-peers.ts';
import { RunningProcess } from '../support/running-process.ts';

const AE_TITLE = 'DISCARD';
const MAX_PDU_BYTES = 131_072;
const EXPLICIT_LE = '1.2.840.10008.1.2.1';
const PDU_HEADER_BYTES = 6;
const PDV_HEADER_BYTES = 6;

export async function startDiscardScp(): Promise<ForeignScp> {
  const process_ = new RunningProcess(process.execPath, [fileURLToPath(import.meta.url)]);
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

/** Walks over the PDUs of one connection; only what is not pixels is ever put together. */
class DiscardAssociation {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #skipBytes = 0;
  #pduBytesLeft = 0;
  #afterSkip: (() => void) | undefined;
  #request: ReturnType<typeof decodeCommand> = {};

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  take(chunk: Buffer): void {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#skipBytes > 0) {
        const skipped = Math.min(this.#skipBytes, rest.length);
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
    this.#socket.write(dataPdu(contextId, true, true, encodeCommand(storeResponse(this.#request, 0))));
  }

  #accept(body: Buffer): void {
    const request = readAssociate(body);
    const results = request.proposed.map(({ id, transferSyntaxes }) => ({
      id,
      result: transferSyntaxes.includes(EXPLICIT_LE) ? 0 : 4,
      transferSyntax: EXPLICIT_LE,
    }));
    const { callingAeTitle, calledAeTitle } = request;
    this.#socket.write(associateAc({ callingAeTitle, calledAeTitle, maxPduBytes: MAX_PDU_BYTES }, results));
  }
}

if (import.meta.main) {
  const server = createServer({ noDelay: true }, (socket) => {
    const association = new DiscardAssociation(socket);
    socket.on('data', (chunk) => association.take(chunk));
    // A requestor that resets the connection is done with it.
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
}
