// Messages are put together from fragments however they are cut, and disorder is refused (PS3.8 Annex E).
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeCommandSet, MAX_COMMAND_SET_BYTES } from '../../../src/dimse/command-set.ts';
import { CommandField, DATA_SET_PRESENT, NO_DATA_SET } from '../../../src/dimse/commands.ts';
import { ProtocolError } from '../../../src/dimse/errors.ts';
import { type DimseMessage, MessageReader } from '../../../src/dimse/message-reader.ts';
import type { AcceptedContext } from '../../../src/ul/association.ts';
import { collect } from '../../../src/util/byte-source.ts';

const contexts = new Map<number, AcceptedContext>(
  [1, 3].map((id) => [
    id,
    { id, abstractSyntax: '1.2', transferSyntax: '1.2.840.10008.1.2', scu: false, scp: true },
  ]),
);
const STORE = encodeCommandSet({
  commandField: CommandField.cStoreRq,
  messageId: 1,
  commandDataSetType: DATA_SET_PRESENT,
});
const ECHO = encodeCommandSet({
  commandField: CommandField.cEchoRq,
  messageId: 2,
  commandDataSetType: NO_DATA_SET,
});
const DATA = Buffer.from('a data set of forty bytes, more or less..');

function reader() {
  const begun: DimseMessage[] = [];
  const complete: DimseMessage[] = [];
  const sink = new MessageReader(contexts, {
    message: (message) => begun.push(message),
    complete: (message) => complete.push(message),
  });
  const command = (data: Buffer, isLast = true, contextId = 1) =>
    sink.receive({ contextId, isCommand: true, isLast, data });
  const dataSet = (data: Buffer, isLast = true, contextId = 1) =>
    sink.receive({ contextId, isCommand: false, isLast, data });
  return { sink, begun, complete, command, dataSet };
}

describe('message reader', () => {
  test('a command set and a data set cut at every offset come out whole', async () => {
    for (let cut = 1; cut < Math.max(STORE.length, DATA.length); cut += 1) {
      const { begun, complete, command, dataSet } = reader();
      await command(STORE.subarray(0, cut), cut >= STORE.length);
      if (cut < STORE.length) await command(STORE.subarray(cut));
      assert.equal(begun.length, 1, 'a service is called when the command set is whole');
      await dataSet(DATA.subarray(0, cut), cut >= DATA.length);
      if (cut < DATA.length) await dataSet(DATA.subarray(cut));
      assert.equal(complete.length, 1);
      assert.deepEqual(await collect(begun[0]!.dataSet!, 1000), DATA);
    }
  });

  test('a message without data set is complete with its command set', () => {
    const { begun, complete, command } = reader();
    void command(ECHO);
    assert.deepEqual(begun, complete);
    assert.equal(begun[0]?.dataSet, undefined);
  });

  test('an empty last fragment ends the data set', async () => {
    const { begun, command, dataSet } = reader();
    await command(STORE);
    await dataSet(DATA, false);
    await dataSet(Buffer.alloc(0));
    assert.deepEqual(await collect(begun[0]!.dataSet!, 1000), DATA);
  });

  test('a reader that is behind stops the transport', () => {
    const { command, dataSet } = reader();
    void command(STORE);
    assert.equal(dataSet(Buffer.alloc(1000), false), undefined);
    assert.ok(dataSet(Buffer.alloc(2 << 20), false) instanceof Promise);
  });

  test('the end of the association reaches whoever reads the data set', async () => {
    const { sink, begun, command, dataSet } = reader();
    await command(STORE);
    await dataSet(DATA, false);
    sink.fail(new Error('aborted'));
    await assert.rejects(collect(begun[0]!.dataSet!, 1000), /aborted/);
  });

  const disorder: [string, (r: ReturnType<typeof reader>) => void, RegExp][] = [
    ['data set before a command set', (r) => r.dataSet(DATA), /where a command set is due/],
    ['a context that was not accepted', (r) => r.command(ECHO, true, 5), /context 5, which was not accepted/],
    [
      'a command set in two contexts',
      (r) => {
        r.command(ECHO.subarray(0, 10), false, 1);
        r.command(ECHO.subarray(10), true, 3);
      },
      /contexts 1 and 3/,
    ],
    [
      'a data set in another context than its command',
      (r) => {
        r.command(STORE);
        r.dataSet(DATA, true, 3);
      },
      /in context 3, its command in 1/,
    ],
    [
      'a command set inside a data set',
      (r) => {
        r.command(STORE);
        r.command(ECHO);
      },
      /before the data set of C-STORE-RQ ended/,
    ],
    [
      'a command set without end',
      (r) => {
        for (let i = 0; i <= MAX_COMMAND_SET_BYTES; i += 1000) r.command(Buffer.alloc(1000), false);
      },
      /longer than 16384 bytes/,
    ],
  ];
  for (const [name, act, words] of disorder) {
    test(`${name} is refused (PS3.8 Annex E)`, () => {
      assert.throws(
        () => act(reader()),
        (error) => error instanceof ProtocolError && words.test(error.message),
      );
    });
  }
});
