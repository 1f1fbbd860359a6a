// Lays DIMSE messages into P-DATA-TF PDUs (PS3.8 Annex E): headers and data set bytes share one buffer, so that
// a file is read straight into place and leaves in one write.

import { getDefaultHighWaterMark } from 'node:stream';
import type { Association } from '../ul/association.ts';
import { P_DATA_HEADER_BYTES, writePDataHeader } from '../ul/pdu-encoder.ts';
import { encodeCommandSet } from './command-set.ts';
import { type CommandSet, DATA_SET_PRESENT, NO_DATA_SET } from './commands.ts';

/** A data set on its way out. `fill` puts the next bytes into the slices, in order, and says when they were the last. */
export interface OutgoingDataSet {
  /** Bytes left, when known: small instances then need one buffer of just their size. */
  readonly remaining: number | undefined;
  fill(slices: readonly Buffer[]): Promise<{ bytes: number; end: boolean }>;
}

/** One read from disk and one write to the transport; an instance under this size takes one of each. */
const BLOCK_BYTES = 1024 * 1024;
/** Item length, context id and message control header count toward the PDU's maximum length (PS3.8 §9.3.5). */
const PDV_OVERHEAD_BYTES = 6;

interface Block {
  /** What `bytes` is a part of, to be used again once they have left. */
  readonly whole: Buffer;
  readonly bytes: Buffer;
  readonly end: boolean;
}

/** What sending needs of an association. */
type Outlet = Pick<Association, 'write' | 'signal' | 'maxSendPduBytes'>;

/** A message whose first block has been read, ready to leave without waiting for the disk. */
export interface PreparedMessage {
  readonly contextId: number;
  readonly dataSet: OutgoingDataSet;
  readonly first: Block;
}

/** Command set and a data set at hand, as whole PDUs in one Buffer. */
export function encodeMessage(
  contextId: number,
  command: CommandSet,
  dataSet: Buffer | undefined,
  maxPduBytes: number,
): Buffer {
  return encodeMessages(contextId, command, [dataSet], maxPduBytes);
}

/** As many messages as there are data sets, each with this command set, behind each other in one Buffer. */
export function encodeMessages(
  contextId: number,
  command: CommandSet,
  dataSets: readonly (Buffer | undefined)[],
  maxPduBytes: number,
): Buffer {
  const commandSet = encodeCommandSet({
    ...command,
    commandDataSetType: dataSets[0] === undefined ? NO_DATA_SET : DATA_SET_PRESENT,
  });
  const valueBytes = pdvValueBytes(maxPduBytes);
  let bytes = dataSets.length * laidBytes(commandSet.length, valueBytes);
  for (const dataSet of dataSets) if (dataSet !== undefined) bytes += laidBytes(dataSet.length, valueBytes);
  const out = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const dataSet of dataSets) {
    at = lay(out, at, contextId, true, commandSet, valueBytes);
    if (dataSet !== undefined) at = lay(out, at, contextId, false, dataSet, valueBytes);
  }
  return out;
}

/** Reads the first block of the data set behind its command set. */
export async function prepareMessage(
  contextId: number,
  command: CommandSet,
  dataSet: OutgoingDataSet,
  maxPduBytes: number,
): Promise<PreparedMessage> {
  const commandSet = encodeCommandSet({ ...command, commandDataSetType: DATA_SET_PRESENT });
  const valueBytes = pdvValueBytes(maxPduBytes);
  const head = Buffer.allocUnsafe(laidBytes(commandSet.length, valueBytes));
  lay(head, 0, contextId, true, commandSet, valueBytes);
  return { contextId, dataSet, first: await readBlock(contextId, dataSet, maxPduBytes, head) };
}

/** Sends a prepared message; the next block is read while the last one leaves. */
export async function sendPrepared(association: Outlet, message: PreparedMessage): Promise<void> {
  let block = message.first;
  for (;;) {
    const room = association.write([block.bytes]);
    if (block.end) {
      await room;
      if (hasLeft(association, block, room !== undefined)) giveBack(block.whole);
      return;
    }
    const [next] = await Promise.all([
      readBlock(message.contextId, message.dataSet, association.maxSendPduBytes),
      room,
    ]);
    if (hasLeft(association, block, room !== undefined)) giveBack(block.whole);
    block = next;
  }
}

/** After a write, and its wait if it had one. A write without a wait has left at once, or is shorter than what the
 *  transport queues without asking to wait. When the association ends, waits end too, whatever is still queued. */
function hasLeft(association: Outlet, { bytes }: Block, hasWaited: boolean): boolean {
  return !association.signal.aborted && (hasWaited || bytes.length >= LEAST_REUSED_BYTES);
}

/** Fresh megabytes cost the kernel more than the copy into them, and the garbage collector runs for them every few
 *  instances: blocks are used again. */
const FREE_BLOCKS: Buffer[] = [];
const MAX_FREE_BLOCKS = 8;
const REUSED_BYTES = BLOCK_BYTES + 64 * 1024;
/** No stream queues more than its high-water mark without asking to wait. */
const LEAST_REUSED_BYTES = getDefaultHighWaterMark(false);

function takeBuffer(bytes: number): Buffer {
  if (bytes < LEAST_REUSED_BYTES || bytes > REUSED_BYTES) return Buffer.allocUnsafeSlow(bytes);
  return FREE_BLOCKS.pop() ?? Buffer.allocUnsafeSlow(REUSED_BYTES);
}

function giveBack(buffer: Buffer): void {
  if (buffer.length === REUSED_BYTES && FREE_BLOCKS.length < MAX_FREE_BLOCKS) FREE_BLOCKS.push(buffer);
}

async function readBlock(
  contextId: number,
  dataSet: OutgoingDataSet,
  maxPduBytes: number,
  head: Buffer = Buffer.alloc(0),
): Promise<Block> {
  const valueBytes = pdvValueBytes(maxPduBytes);
  const wanted = Math.max(1, Math.min(dataSet.remaining ?? BLOCK_BYTES, BLOCK_BYTES));
  const pdus = Math.ceil(wanted / valueBytes);
  const capacity = Math.min(wanted, pdus * valueBytes);
  const buffer = takeBuffer(head.length + capacity + pdus * P_DATA_HEADER_BYTES);
  head.copy(buffer, 0);
  const slices: Buffer[] = [];
  let at = head.length;
  for (let left = capacity; left > 0; left -= valueBytes) {
    const size = Math.min(left, valueBytes);
    slices.push(buffer.subarray(at + P_DATA_HEADER_BYTES, at + P_DATA_HEADER_BYTES + size));
    at += P_DATA_HEADER_BYTES + size;
  }
  const { bytes, end } = await dataSet.fill(slices);

  at = head.length;
  let left = bytes;
  do {
    const size = Math.min(left, valueBytes);
    left -= size;
    writePDataHeader(buffer, at, contextId, false, end && left === 0, size);
    at += P_DATA_HEADER_BYTES + size;
  } while (left > 0);
  return { whole: buffer, bytes: buffer.subarray(0, at), end };
}

function lay(
  out: Buffer,
  at: number,
  contextId: number,
  isCommand: boolean,
  value: Buffer,
  valueBytes: number,
): number {
  let from = 0;
  do {
    const size = Math.min(value.length - from, valueBytes);
    writePDataHeader(out, at, contextId, isCommand, from + size === value.length, size);
    value.copy(out, at + P_DATA_HEADER_BYTES, from, from + size);
    at += P_DATA_HEADER_BYTES + size;
    from += size;
  } while (from < value.length);
  return at;
}

function laidBytes(length: number, valueBytes: number): number {
  return length + Math.max(1, Math.ceil(length / valueBytes)) * P_DATA_HEADER_BYTES;
}

/** Fragments have even lengths, because data sets do (PS3.8 §9.3.5.1, PS3.5 §7.1.1). */
function pdvValueBytes(maxPduBytes: number): number {
  return Math.max(2, (maxPduBytes - PDV_OVERHEAD_BYTES) & ~1);
}
