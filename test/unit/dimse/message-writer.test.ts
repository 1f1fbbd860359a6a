// When the memory of a block may carry other bytes: not before the transport has really let go of it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CommandField } from '../../../src/dimse/commands.ts';
import { type OutgoingDataSet, prepareMessage, sendPrepared } from '../../../src/dimse/message-writer.ts';

const MAX_PDU_BYTES = 131_072;
const COMMAND = { commandField: CommandField.cStoreRq, messageId: 1, commandDataSetType: 0 };

/** `bytes` of one value; keeps the memory that it was asked to fill. */
class Filler implements OutgoingDataSet {
  readonly remaining: number | undefined;
  readonly memory: ArrayBufferLike[] = [];
  readonly #bytes: number;

  constructor(bytes: number, isLengthKnown = true) {
    this.#bytes = bytes;
    this.remaining = isLengthKnown ? bytes : undefined;
  }

  async fill([first]: readonly Buffer[]): Promise<{ bytes: number; end: boolean }> {
    this.memory.push(first!.buffer);
    return { bytes: this.#bytes, end: true };
  }
}

function ending() {
  const controller = new AbortController();
  return { signal: controller.signal, end: () => controller.abort() };
}

const prepare = (dataSet: OutgoingDataSet) => prepareMessage(1, COMMAND, dataSet, MAX_PDU_BYTES);

/** The memory that the next instance is read into. */
async function nextMemory(): Promise<ArrayBufferLike> {
  const filler = new Filler(500_000);
  await prepare(filler);
  return filler.memory[0]!;
}

describe('the memory of a block', () => {
  test('is used again when the write took it at once', async () => {
    const filler = new Filler(500_000);
    await sendPrepared(
      { ...ending(), maxSendPduBytes: MAX_PDU_BYTES, write: () => undefined },
      await prepare(filler),
    );
    assert.equal(await nextMemory(), filler.memory[0]);
  });

  test('is used again after the write has waited for room, not before', async () => {
    const filler = new Filler(500_000);
    const room = Promise.withResolvers<void>();
    const sent = sendPrepared(
      { ...ending(), maxSendPduBytes: MAX_PDU_BYTES, write: () => room.promise },
      await prepare(filler),
    );
    assert.notEqual(await nextMemory(), filler.memory[0]);
    room.resolve();
    await sent;
    assert.equal(await nextMemory(), filler.memory[0]);
  });

  test('is not used again when the association ended: the rest of the block may still be on its way', async () => {
    const filler = new Filler(500_000);
    const room = Promise.withResolvers<void>();
    const { signal, end } = ending();
    const association = { signal, maxSendPduBytes: MAX_PDU_BYTES, write: () => room.promise };
    const sent = sendPrepared(association, await prepare(filler));
    end();
    room.resolve();
    await sent;
    assert.notEqual(await nextMemory(), filler.memory[0]);
  });

  test('is not used again when the block was so short that the transport may have queued it', async () => {
    const filler = new Filler(1000, false);
    await sendPrepared(
      { ...ending(), maxSendPduBytes: MAX_PDU_BYTES, write: () => undefined },
      await prepare(filler),
    );
    assert.notEqual(await nextMemory(), filler.memory[0]);
  });
});
