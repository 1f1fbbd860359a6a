// Our requestor and our acceptor over a real connection: data both ways, back-pressure, large transfers.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Association, PdvSink } from '../../../src/ul/association.ts';
import { P_DATA_HEADER_BYTES, writePDataHeader } from '../../../src/ul/pdu-encoder.ts';
import { requestAssociation } from '../../../src/ul/requestor.ts';
import { IDENTITY, IMPLICIT, openAcceptor, VERIFICATION } from './open-acceptor.ts';

function pData(value: Buffer, isLast = true): Buffer {
  const pdu = Buffer.concat([Buffer.alloc(P_DATA_HEADER_BYTES), value]);
  writePDataHeader(pdu, 0, 1, false, isLast, value.length);
  return pdu;
}

async function openBoth(t: TestContext, sink: (acceptor: Association) => PdvSink): Promise<Association> {
  const { port } = await openAcceptor(t, {}, (association) => association.attach(sink(association)));
  const association = await requestAssociation({
    host: '127.0.0.1',
    port,
    callingAeTitle: 'SENDER',
    calledAeTitle: 'TAKER',
    contexts: [{ abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT] }],
    ...IDENTITY,
  });
  t.after(async () => {
    association.abort();
    await association.closed;
  });
  return association;
}

test('an echo: what one end sends in several chunks comes back in one PDV', async (t) => {
  const association = await openBoth(t, (acceptor) => ({
    receive: ({ data }) => void acceptor.write([pData(Buffer.from(data))]),
  }));
  const answer = new Promise<string>((resolve) => {
    association.attach({ receive: ({ data }) => resolve(data.toString()) });
  });
  const pdu = pData(Buffer.from('over and back'));
  void association.write([pdu.subarray(0, 5), pdu.subarray(5)]);
  assert.equal(await answer, 'over and back');
  await association.release();
});

test('32 MB in PDUs of 256 KiB arrive complete and in order', async (t) => {
  const received = { bytes: 0, last: 0, wrong: 0 };
  const association = await openBoth(t, () => ({
    receive: ({ data, isLast }) => {
      const expected = Math.floor(received.bytes / (262_144 - 6)) & 0xff;
      if (data.length > 0 && data[0] !== expected) received.wrong += 1;
      received.bytes += data.length;
      if (isLast) received.last += 1;
    },
  }));
  association.attach({ receive() {} });
  for (let index = 0; index < 128; index += 1) {
    await association.write([pData(Buffer.alloc(262_144 - 6, index), index === 127)]);
  }
  await association.release();
  assert.deepEqual(received, { bytes: 128 * (262_144 - 6), last: 1, wrong: 0 });
});

test('a sink that waits stops the sender; nothing is lost when it goes on', async (t) => {
  const gate = Promise.withResolvers<void>();
  let received = 0;
  const association = await openBoth(t, () => ({
    receive: ({ data }) => {
      received += data.length;
      return received === data.length ? gate.promise : undefined;
    },
  }));
  association.attach({ receive() {} });
  const pdu = pData(Buffer.alloc(262_144 - 6), false);
  let sent = 0;
  // Writes until the transport has asked to wait and does not drain within several turns of the event loop.
  for (let stuck = false; !stuck; ) {
    const room = association.write([pdu]);
    sent += 1;
    stuck = await settlesLate(room);
  }
  assert.ok(received <= 65_536, 'one chunk at most while the sink is busy');
  gate.resolve();
  await association.write([pdu]);
  await association.release();
  assert.equal(received, (sent + 1) * (262_144 - 6));
});

// True when the promise is still open after many turns: the kernel's buffers on the way are full.
async function settlesLate(room: Promise<void> | undefined): Promise<boolean> {
  let settled = room === undefined;
  void room?.then(() => {
    settled = true;
  });
  for (let turn = 0; turn < 200 && !settled; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return !settled;
}

test('an abort while the sink waits and the sender is stuck ends both', async (t) => {
  const ended = Promise.withResolvers<unknown>();
  const association = await openBoth(t, (acceptor) => {
    acceptor.signal.addEventListener('abort', () => ended.resolve(acceptor.signal.reason));
    return {
      receive: () => {
        acceptor.abort();
        return new Promise(() => {});
      },
    };
  });
  association.attach({ receive() {} });
  const over = new Promise((resolve) => association.signal.addEventListener('abort', resolve));
  void association.write([pData(Buffer.alloc(262_144 - 6), false)]);
  await over;
  assert.equal(association.signal.reason.code, 'ul-aborted-by-peer');
  assert.equal((await ended.promise) instanceof Error, true);
  await association.closed;
});
