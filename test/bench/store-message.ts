// One C-STORE request laid out as P-DATA-TF PDUs before the clock starts (PS3.7 §9.3.1, PS3.8 §9.3.5).
import { encodeCommand } from '../support/byte-elements.ts';
import { dataPdu } from '../support/byte-pdu.ts';
import { NOISE, type SyntheticInstance } from '../support/synthetic-instances.ts';

/** What to write: `start`, then `block` so many times, then `end`. Large pixels are one block repeated: the
 *  sender stays small and costs the machine nothing but the writes. */
export interface StoreMessage {
  readonly start: Buffer;
  readonly block: Buffer;
  readonly blocks: number;
  readonly end: Buffer;
  readonly dataSetBytes: number;
}

/** the one presentation context of the sender */
export const STORE_CONTEXT_ID = 1;

const BLOCK_BYTES = 1 << 20;
const EMPTY = Buffer.alloc(0);
const blocks = new Map<number, Buffer>();

export function layOutStore(
  instance: SyntheticInstance,
  messageId: number,
  maxPduBytes: number,
): StoreMessage {
  const command = encodeCommand({
    AffectedSOPClassUID: instance.sopClassUid,
    CommandField: 0x0001,
    MessageID: messageId,
    Priority: 0,
    CommandDataSetType: 0x0001,
    AffectedSOPInstanceUID: instance.sopInstanceUid,
  });
  const commandPdu = dataPdu(STORE_CONTEXT_ID, true, true, command);
  // An even number of value bytes in every PDU but the last (PS3.8 Annex E).
  const valueBytes = (maxPduBytes - 6) & ~1;
  const dataSetBytes = instance.head.length + instance.pixelBytes;
  if (dataSetBytes <= valueBytes) {
    const dataSet = Buffer.concat([instance.head, pixels(instance.pixelBytes)]);
    const start = Buffer.concat([commandPdu, dataPdu(STORE_CONTEXT_ID, false, true, dataSet)]);
    return { start, block: EMPTY, blocks: 0, end: EMPTY, dataSetBytes };
  }
  const firstPixels = valueBytes - instance.head.length;
  const first = Buffer.concat([instance.head, pixels(firstPixels)]);
  const block = blockOf(valueBytes);
  const blockPixels = (block.length / (valueBytes + 12)) * valueBytes;
  let left = instance.pixelBytes - firstPixels;
  const count = Math.floor((left - 1) / blockPixels);
  left -= count * blockPixels;
  const end: Buffer[] = [];
  for (; left > valueBytes; left -= valueBytes) {
    end.push(dataPdu(STORE_CONTEXT_ID, false, false, pixels(valueBytes)));
  }
  end.push(dataPdu(STORE_CONTEXT_ID, false, true, pixels(left)));
  return {
    start: Buffer.concat([commandPdu, dataPdu(STORE_CONTEXT_ID, false, false, first)]),
    block,
    blocks: count,
    end: Buffer.concat(end),
    dataSetBytes,
  };
}

function blockOf(valueBytes: number): Buffer {
  const kept = blocks.get(valueBytes);
  if (kept !== undefined) return kept;
  const pdus = Math.max(1, Math.floor(BLOCK_BYTES / valueBytes));
  const block = Buffer.concat(
    Array.from({ length: pdus }, () => dataPdu(STORE_CONTEXT_ID, false, false, pixels(valueBytes))),
  );
  blocks.set(valueBytes, block);
  return block;
}

function pixels(bytes: number): Buffer {
  return NOISE.subarray(0, bytes);
}
