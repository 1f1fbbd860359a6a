// Requests, responses and their disorder between two real ends (PS3.7 §7.5, §9.3).
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { CommandField, type CommandSet } from '../../../src/dimse/commands.ts';
import { DimseError } from '../../../src/dimse/errors.ts';
import { MessageExchange } from '../../../src/dimse/message-exchange.ts';
import { encodeMessage } from '../../../src/dimse/message-writer.ts';
import { type Service, ServiceRegistry } from '../../../src/dimse/service-registry.ts';
import { SourceDataSet } from '../../../src/dimse/source-data-set.ts';
import { Status } from '../../../src/dimse/status.ts';
import { byteSourceOf, collect } from '../../../src/util/byte-source.ts';
import { type AssociationPair, associationPair, type PairOptions } from '../../support/association-pair.ts';

const CLASS = '1.2.840.10008.5.1.4.1.1.2';
const echo = { commandField: CommandField.cEchoRq, affectedSopClassUid: CLASS };
const find = { commandField: CommandField.cFindRq, affectedSopClassUid: CLASS, priority: 0 };
const store = {
  commandField: CommandField.cStoreRq,
  affectedSopClassUid: CLASS,
  affectedSopInstanceUid: '1.2.3',
};

async function exchange(services: Record<number, Service>, options: Partial<PairOptions> = {}) {
  const pair = await associationPair({ abstractSyntaxes: [CLASS], ...options });
  const registry = new ServiceRegistry();
  for (const [command, service] of Object.entries(services))
    registry.add(Number(command), () => true, service);
  const faults: [CommandSet, DimseError][] = [];
  const scp = new MessageExchange(pair.acceptor, registry, (_, command, error) =>
    faults.push([command, error]),
  ).start();
  const scu = new MessageExchange(pair.requestor, new ServiceRegistry(), () => {}).start();
  const [context] = [...pair.requestor.contexts.values()];
  return { ...pair, [Symbol.asyncDispose]: pair[Symbol.asyncDispose], scp, scu, faults, context: context! };
}

describe('finishing', () => {
  const success = async () => ({ status: Status.success });

  // First in this file: real timers cannot be cleared while time is mocked. Sockets need no timers.
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
  afterEach(() => mock.timers.reset());

  async function assertAborted({ acceptor, requestor }: AssociationPair): Promise<void> {
    assert.equal(acceptor.signal.aborted, true);
    await requestor.closed;
    assert.equal(requestor.signal.reason.code, 'ul-aborted-by-peer');
  }

  test('an association on which nothing happens is aborted (PS3.8 §7.3)', async () => {
    await using x = await exchange({ [CommandField.cEchoRq]: success });
    x.scp.finish();
    mock.timers.tick(500);
    await assertAborted(x);
  });

  test('requests are answered as long as they come', async () => {
    await using x = await exchange({ [CommandField.cEchoRq]: success });
    x.scp.finish();
    for (let i = 0; i < 5; i += 1) {
      mock.timers.tick(499);
      assert.equal((await x.scu.request(x.context, echo)).command.status, Status.success);
    }
    mock.timers.tick(499);
    assert.equal(x.acceptor.signal.aborted, false);
    mock.timers.tick(1);
    await assertAborted(x);
  });

  test('a request may take its time, and its data set too', async () => {
    const begun = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    let received = 0;
    const service: Service = async ({ dataSet }) => {
      begun.resolve();
      received = (await collect(dataSet!, 1 << 24)).length;
      return { status: Status.success };
    };
    await using x = await exchange({ [CommandField.cStoreRq]: service });
    // More than what a sender lays out in advance.
    const part = [Buffer.alloc(4_000_000)];
    const parts = [async () => part, () => rest.promise.then(() => part)];
    const source = new SourceDataSet({ read: async () => parts.shift()?.() });
    const answer = x.scu.send(await x.scu.prepare(x.context, store, source));
    await begun.promise;
    x.scp.finish();
    mock.timers.tick(5000);
    rest.resolve();
    assert.equal((await answer).command.status, Status.success);
    assert.equal(received, 8_000_000);
    mock.timers.tick(500);
    await assertAborted(x);
  });
});

describe('message exchange', () => {
  test('a response answers the message id and the class of its request (PS3.7 §9.3.5.2)', async () => {
    await using x = await exchange({ [CommandField.cEchoRq]: async () => ({ status: Status.success }) });
    const { command } = await x.scu.request(x.context, echo);
    assert.deepEqual(command, {
      affectedSopClassUid: CLASS,
      commandField: CommandField.cEchoRsp,
      messageIdBeingRespondedTo: 1,
      commandDataSetType: 0x0101,
      status: 0,
    });
  });

  test('pending responses come in order, with their Identifiers, before the final one', async () => {
    const service: Service = async (request) => {
      for (let i = 0; i < 50; i += 1)
        await request.pending({ status: Status.pending }, [Buffer.alloc(1000 + i, i)]);
      return { status: Status.success };
    };
    await using x = await exchange({ [CommandField.cFindRq]: service });
    const seen: number[] = [];
    const last = await x.scu.request(x.context, find, Buffer.alloc(8), ({ dataSet }) =>
      seen.push(dataSet!.length),
    );
    assert.deepEqual(
      seen,
      Array.from({ length: 50 }, (_, i) => 1000 + i),
    );
    assert.equal(last.command.status, Status.success);
  });

  test('several Identifiers at once are as many responses, in one write', async () => {
    const identifiers = Array.from({ length: 20 }, (_, i) => Buffer.alloc(500 + 2 * i, i));
    let writes = 0;
    const service: Service = async ({ association, pending }) => {
      const write = mock.method(association, 'write');
      await pending({ status: Status.pending }, identifiers);
      writes = write.mock.callCount();
      return { status: Status.success };
    };
    await using x = await exchange({ [CommandField.cFindRq]: service });
    const seen: (Buffer | undefined)[] = [];
    const last = await x.scu.request(x.context, find, Buffer.alloc(8), ({ dataSet }) => seen.push(dataSet));
    assert.deepEqual(seen, identifiers);
    assert.equal(writes, 1);
    assert.equal(last.command.status, Status.success);
  });

  for (const maxPduBytes of [4096, 16384, 262144]) {
    test(`a data set streamed in PDUs of at most ${maxPduBytes} bytes arrives as it was`, async () => {
      const sent = Buffer.from(Array.from({ length: 700_001 }, (_, i) => i % 251));
      let received: Buffer | undefined;
      const service: Service = async ({ dataSet }) => {
        received = await collect(dataSet!, 1 << 20);
        return { status: Status.success };
      };
      await using x = await exchange({ [CommandField.cStoreRq]: service }, { maxPduBytes });
      const slices = [sent.subarray(0, 100_000), sent.subarray(100_000, 100_001), sent.subarray(100_001)];
      const prepared = await x.scu.prepare(x.context, store, new SourceDataSet(byteSourceOf(...slices)));
      const { command } = await x.scu.send(prepared);
      assert.equal(command.status, Status.success);
      assert.equal(command.affectedSopInstanceUid, '1.2.3');
      assert.ok(received?.equals(sent));
    });
  }

  test('a thrown DimseError is the status, the comment and the offending element (PS3.7 Annex C)', async () => {
    const service: Service = async () => {
      throw new DimseError(0xa900, 'Not that class.', { offendingElement: [0x00080016] });
    };
    await using x = await exchange({ [CommandField.cStoreRq]: service });
    const { command } = await x.scu.request(x.context, store, Buffer.alloc(100));
    assert.equal(command.status, 0xa900);
    assert.equal(command.errorComment, 'Not that class.');
    assert.deepEqual(command.offendingElement, [0x00080016]);
    assert.equal(x.faults.length, 1);
  });

  test('any other exception is 0x0110 and tells the peer nothing of our insides', async () => {
    const service: Service = async () => {
      throw new Error('secret path');
    };
    await using x = await exchange({ [CommandField.cStoreRq]: service });
    const { command } = await x.scu.request(x.context, store, Buffer.alloc(100));
    assert.equal(command.status, Status.processingFailure);
    assert.doesNotMatch(command.errorComment ?? '', /secret/);
    assert.match(String(x.faults[0]?.[1].cause), /secret path/);
  });

  test('a command that no service takes is refused by name: 0x0211 (PS3.7 §C.5.22)', async () => {
    await using x = await exchange({});
    const { command } = await x.scu.request(x.context, echo);
    assert.equal(command.status, Status.unrecognizedOperation);
    assert.match(command.errorComment ?? '', /^C-ECHO-RQ is not offered/);
  });

  test('a failure waits for the rest of the data set, so that it does not cross it', async () => {
    let threw = false;
    const service: Service = async () => {
      threw = true;
      throw new DimseError(0xa700, 'Full.');
    };
    await using x = await exchange({
      [CommandField.cStoreRq]: service,
      [CommandField.cEchoRq]: async () => ({ status: 0 }),
    });
    const { command } = await x.scu.request(x.context, store, Buffer.alloc(5 << 20));
    assert.ok(threw);
    assert.equal(command.status, 0xa700);
    assert.equal((await x.scu.request(x.context, echo)).command.status, 0, 'the association goes on');
  });

  test('C-CANCEL-RQ reaches the operation it names (PS3.7 §9.3.2.3)', async () => {
    const service: Service = async (request) => {
      await request.pending({ status: Status.pending });
      await new Promise<void>((resolve) => request.cancelled.addEventListener('abort', () => resolve()));
      return { status: Status.cancel };
    };
    await using x = await exchange({ [CommandField.cFindRq]: service });
    const id = x.scu.nextMessageId;
    const { command } = await x.scu.request(x.context, find, Buffer.alloc(8), () =>
      x.scu.cancel(x.context, id),
    );
    assert.equal(command.status, Status.cancel);
  });

  test('a second request with the message id of an outstanding one is 0x0210 (PS3.7 §C.5.3)', async () => {
    const gate = Promise.withResolvers<void>();
    await using x = await exchange({
      [CommandField.cEchoRq]: async () => {
        await gate.promise;
        return { status: Status.success };
      },
    });
    const statuses: (number | undefined)[] = [];
    const first = x.scu.request(x.context, echo);
    const again = encodeMessage(
      x.context.id,
      { ...echo, messageId: 1, commandDataSetType: 0x0101 },
      undefined,
      16384,
    );
    void x.requestor.write([again]);
    first.then(({ command }) => statuses.push(command.status)).finally(() => gate.resolve());
    await first;
    assert.deepEqual(statuses, [Status.duplicateInvocation]);
  });

  test('more requests at once than any window are cut off', async () => {
    await using x = await exchange({ [CommandField.cEchoRq]: () => new Promise(() => {}) });
    const many = Array.from({ length: 40 }, () => x.scu.request(x.context, echo).catch(() => 'cut off'));
    assert.deepEqual(new Set(await Promise.all(many)), new Set(['cut off']));
    await x.acceptor.closed;
  });

  test('the end of the association reaches the service that reads a data set', async () => {
    const seen = Promise.withResolvers<unknown>();
    const service: Service = async ({ dataSet, cancelled }) => {
      await collect(dataSet!, 1 << 20).catch((error: unknown) => seen.resolve([error, cancelled.aborted]));
      return { status: Status.success };
    };
    await using x = await exchange({ [CommandField.cStoreRq]: service });
    const whole = encodeMessage(
      x.context.id,
      { ...store, messageId: 1, commandDataSetType: 1 },
      Buffer.alloc(9000),
      4096,
    );
    const commandBytes = 6 + whole.readUInt32BE(2);
    const firstPdus = whole.subarray(0, commandBytes + 6 + whole.readUInt32BE(commandBytes + 2));
    await x.requestor.write([firstPdus]);
    x.requestor.abort();
    const [error, aborted] = (await seen.promise) as [Error, boolean];
    assert.match(String(error), /abort/);
    assert.ok(aborted);
  });

  test('the end of the association reaches whoever waits for a response', async () => {
    await using x = await exchange({ [CommandField.cEchoRq]: () => new Promise(() => {}) });
    const answer = x.scu.request(x.context, echo);
    x.requestor.abort();
    await assert.rejects(answer, { code: 'ul-aborted' });
  });

  test('sub-operations go back over the association of their request (PS3.4 C.4.3)', async () => {
    const service: Service = async ({ invoker, context }) => {
      const { command } = await invoker.request(context, store, Buffer.alloc(100));
      return { status: command.status ?? 0xc000 };
    };
    await using pair = await associationPair({ abstractSyntaxes: [CLASS], bothRoles: true });
    new MessageExchange(
      pair.acceptor,
      new ServiceRegistry().add(CommandField.cGetRq, () => true, service),
      () => {},
    ).start();
    const receiver = new ServiceRegistry().add(
      CommandField.cStoreRq,
      () => true,
      async () => ({ status: 0xb006 }),
    );
    const scu = new MessageExchange(pair.requestor, receiver, () => {}).start();
    const [context] = [...pair.requestor.contexts.values()];
    const { command } = await scu.request(context!, { commandField: CommandField.cGetRq }, Buffer.alloc(8));
    assert.equal(command.status, 0xb006);
  });
});
