// The association as its user sees it (PS3.8 §7): attach, write, hold, release, abort, idle timer.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Association } from '../../../src/ul/association.ts';
import { UlError } from '../../../src/ul/errors.ts';
import type { PdvFragment } from '../../../src/ul/pdu.ts';
import { emptyUserInformation } from '../../../src/ul/user-information-decoder.ts';
import { A_ABORT_USER, A_RELEASE_RP, A_RELEASE_RQ, bytesOf, P_DATA_TF } from './encoded-pdus.ts';
import { FakeTimeouts } from './fake-timeouts.ts';
import { AC, ARTIM_MS, machineIn } from './machine.ts';
import type { RecordingTransport } from './recording-transport.ts';

const IDLE_MS = 600_000;

let time: FakeTimeouts;
beforeEach(() => {
  time = new FakeTimeouts();
});
afterEach(() => time.restore());

interface Opened {
  readonly association: Association;
  readonly transport: RecordingTransport;
  readonly faults: UlError[];
}

// An association at the acceptor, contexts 1 and 3 accepted, nothing attached yet.
function open(peer: { maxPduBytes?: number } = {}): Opened {
  const { upperLayer, transport } = machineIn('Sta3');
  const context = (id: number) => ({
    id,
    abstractSyntax: '1.2',
    transferSyntax: '1.3',
    scu: false,
    scp: true,
  });
  const association = new Association(upperLayer, {
    role: 'acceptor',
    callingAeTitle: 'CALLING',
    calledAeTitle: 'CALLED',
    contexts: new Map([1, 3].map((id) => [id, context(id)])),
    extendedNegotiation: new Map(),
    peer: { ...emptyUserInformation(), implementationClassUid: '1.2.3', ...peer },
    idleMs: IDLE_MS,
  });
  upperLayer.accept(AC, association);
  transport.takeWritten();
  const faults: UlError[] = [];
  association.on('fault', (error) => faults.push(error));
  return { association, transport, faults };
}

function codeOf({ association }: Opened): string | undefined {
  const reason: unknown = association.signal.reason;
  return reason instanceof UlError ? reason.code : undefined;
}

const ignore = { receive() {} };
const reactions = () => new Promise((resolve) => setImmediate(resolve));

describe('facts', () => {
  test('who, where, what', () => {
    const { association } = open();
    assert.match(association.name, /^A\d+$/);
    assert.equal(association.role, 'acceptor');
    assert.equal(association.callingAeTitle, 'CALLING');
    assert.equal(association.calledAeTitle, 'CALLED');
    assert.equal(association.remoteAddress, '192.0.2.1');
    assert.equal(association.remotePort, 104);
    assert.deepEqual([...association.contexts.keys()], [1, 3]);
    assert.equal(association.peerImplementationClassUid, '1.2.3');
    assert.equal(association.peerImplementationVersionName, undefined);
  });

  const limits: [string, number | undefined, number][] = [
    ['the peer’s own', 16_384, 16_384],
    ['capped at 256 KiB', 1 << 20, 262_144],
    ['256 KiB when the peer has no limit (0)', 0, 262_144],
    ['Deviation: 16 KiB when the peer left the item out', undefined, 16_384],
  ];
  for (const [name, stated, limit] of limits) {
    test(`maxSendPduBytes: ${name} (PS3.8 §D.1.1)`, () => {
      const { association } = open(stated === undefined ? {} : { maxPduBytes: stated });
      assert.equal(association.maxSendPduBytes, limit);
    });
  }
});

describe('attach', () => {
  test('what arrived before waits, then comes at once', () => {
    const { association, transport } = open();
    transport.receive(P_DATA_TF);
    const values: string[] = [];
    association.attach({ receive: ({ data }) => void values.push(data.toString()) });
    assert.deepEqual(values, ['echo', '0123456789']);
  });

  test('once', () => {
    const { association } = open();
    association.attach(ignore);
    assert.throws(() => association.attach(ignore), UlError);
  });

  test('a PDV for a context that is not accepted: A-ABORT source 2, reason 6, and the sink never sees it', () => {
    const opened = open();
    const seen: PdvFragment[] = [];
    opened.association.attach({ receive: (pdv) => void seen.push(pdv) });
    opened.transport.receive(bytesOf('04 00 00000007 00000003 05 03 aa'));
    assert.deepEqual(opened.transport.takeWritten(), bytesOf('07 00 00000004 0000 02 06'));
    assert.equal(seen.length, 0);
    assert.match(opened.faults[0]?.message ?? '', /PDV for presentation context 5, which is not accepted/);
  });
});

describe('release', () => {
  test('requested by the peer: answered at once, signal with ul-released, no fault', async () => {
    const opened = open();
    opened.association.attach(ignore);
    opened.transport.receive(A_RELEASE_RQ);
    assert.deepEqual(opened.transport.takeWritten(), A_RELEASE_RP);
    assert.equal(codeOf(opened), 'ul-released');
    assert.deepEqual(opened.faults, []);
    opened.transport.disconnect();
    await opened.association.closed;
    assert.equal(time.armed, 0);
  });

  test('requested by the peer while held: Sta8 still sends data (AR-7), the answer comes after the last hold', () => {
    const { association, transport } = open();
    association.attach(ignore);
    const first = association.hold();
    const second = association.hold();
    transport.receive(A_RELEASE_RQ);
    assert.equal(transport.takeWritten().length, 0);
    void association.write([P_DATA_TF]);
    assert.deepEqual(transport.takeWritten(), P_DATA_TF);
    first();
    first();
    assert.equal(transport.takeWritten().length, 0);
    second();
    assert.deepEqual(transport.takeWritten(), A_RELEASE_RP);
  });

  test('requested here: resolves when the peer has answered and the connection is closed', async () => {
    const opened = open();
    opened.association.attach(ignore);
    const released = opened.association.release();
    assert.deepEqual(opened.transport.takeWritten(), A_RELEASE_RQ);
    assert.equal(opened.association.signal.aborted, false);
    opened.transport.receive(A_RELEASE_RP);
    await released;
    assert.equal(codeOf(opened), 'ul-released');
    assert.equal(time.armed, 0);
  });

  test('requested here without a sink: the answer is read all the same', async () => {
    const { association, transport } = open();
    const released = association.release();
    transport.receive(P_DATA_TF, A_RELEASE_RP);
    await released;
  });

  test('collision, acceptor: AR-8, AR-10, AR-4 without the user’s help', async () => {
    const opened = open();
    opened.association.attach(ignore);
    const released = opened.association.release();
    opened.transport.takeWritten();
    opened.transport.receive(A_RELEASE_RQ);
    assert.equal(opened.transport.takeWritten().length, 0);
    opened.transport.receive(A_RELEASE_RP);
    assert.deepEqual(opened.transport.takeWritten(), A_RELEASE_RP);
    opened.transport.disconnect();
    await released;
  });

  test('rejects when the peer aborts instead', async () => {
    const { association, transport } = open();
    const released = association.release();
    transport.receive(A_ABORT_USER);
    await assert.rejects(released, { code: 'ul-aborted-by-peer' });
  });

  test('rejects when the peer does not answer within ARTIM', async () => {
    const { association, transport } = open();
    association.attach(ignore);
    const released = association.release();
    time.tick(ARTIM_MS);
    assert.equal(association.signal.aborted, true);
    transport.disconnect();
    await assert.rejects(released, { code: 'ul-artim-expired' });
  });

  test('of an association that is over: tells how it ended', async () => {
    const { association, transport } = open();
    transport.disconnect();
    await assert.rejects(association.release(), { code: 'ul-connection-lost' });
  });
});

describe('abort', () => {
  test('A-ABORT source 0, signal with ul-aborted, no fault: who aborted knows', () => {
    const opened = open();
    opened.association.abort();
    assert.deepEqual(opened.transport.takeWritten(), A_ABORT_USER);
    assert.equal(codeOf(opened), 'ul-aborted');
    assert.deepEqual(opened.faults, []);
  });

  test('twice, or after the end, is nothing', () => {
    const { association, transport } = open();
    association.abort();
    transport.takeWritten();
    association.abort();
    assert.equal(transport.takeWritten().length, 0);
    transport.disconnect();
    association.abort();
  });

  test('by the peer: one fault', () => {
    const opened = open();
    opened.association.attach(ignore);
    opened.transport.receive(A_ABORT_USER);
    opened.transport.disconnect();
    assert.deepEqual(
      opened.faults.map(({ code }) => code),
      ['ul-aborted-by-peer'],
    );
  });

  test('write after the end throws, the signal’s reason', () => {
    const { association } = open();
    association.abort();
    assert.throws(
      () => association.write([P_DATA_TF]),
      (error) => error === association.signal.reason,
    );
  });
});

describe('idle timer', () => {
  test('nothing sent or received for idleMs: A-ABORT, ul-idle', () => {
    const opened = open();
    opened.association.attach(ignore);
    time.tick(IDLE_MS - 1);
    assert.equal(codeOf(opened), undefined);
    time.tick(1);
    assert.equal(codeOf(opened), 'ul-idle');
    assert.deepEqual(opened.transport.takeWritten(), A_ABORT_USER);
    assert.equal(opened.faults.length, 1);
  });

  test('what is received and what is sent begins it anew', () => {
    const opened = open();
    opened.association.attach(ignore);
    time.tick(IDLE_MS - 1);
    opened.transport.receive(P_DATA_TF);
    time.tick(IDLE_MS - 1);
    void opened.association.write([P_DATA_TF]);
    time.tick(IDLE_MS - 1);
    assert.equal(codeOf(opened), undefined);
    time.tick(1);
    assert.equal(codeOf(opened), 'ul-idle');
  });

  test('rests while held, counts from the end of the hold', () => {
    const opened = open();
    opened.association.attach(ignore);
    const done = opened.association.hold();
    time.tick(10 * IDLE_MS - 1);
    done();
    time.tick(IDLE_MS - 1);
    assert.equal(codeOf(opened), undefined);
    time.tick(1);
    assert.equal(codeOf(opened), 'ul-idle');
  });

  test('rests while the sink is busy, counts from when it is done', async () => {
    const opened = open();
    const gate = Promise.withResolvers<void>();
    opened.association.attach({ receive: () => gate.promise });
    opened.transport.receive(P_DATA_TF.subarray(0, 16));
    time.tick(10 * IDLE_MS - 1);
    gate.resolve();
    await reactions();
    time.tick(IDLE_MS - 1);
    assert.equal(codeOf(opened), undefined);
    time.tick(1);
    assert.equal(codeOf(opened), 'ul-idle');
  });

  test('an association nobody attaches to ends by it', () => {
    const opened = open();
    time.tick(IDLE_MS);
    assert.equal(codeOf(opened), 'ul-idle');
  });

  test('is gone after the end', () => {
    const opened = open();
    const done = opened.association.hold();
    opened.association.abort();
    done();
    time.tick(2 * IDLE_MS);
    assert.equal(codeOf(opened), 'ul-aborted');
    assert.equal(time.armed, 0);
  });
});
