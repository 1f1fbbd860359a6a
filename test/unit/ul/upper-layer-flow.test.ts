// Back-pressure both ways: a busy user stops the reading, a full transport makes the writer wait.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { A_RELEASE_RP, A_RELEASE_RQ, P_DATA_TF } from './encoded-pdus.ts';
import { machineIn } from './machine.ts';

const ECHO = 'P-DATA echo';
const DIGITS = 'P-DATA 0123456789';

// Promise reactions of the machine run before this.
const reactions = () => new Promise((resolve) => setImmediate(resolve));

test('indications are synchronous: they happen while the transport delivers', () => {
  const { transport, log } = machineIn('Sta6');
  transport.receive(P_DATA_TF);
  assert.deepEqual(log, [ECHO, DIGITS]);
  assert.equal(transport.paused, false);
  transport.disconnect();
});

test('a promise from the user pauses the transport and holds back the rest of the chunk', async () => {
  const machine = machineIn('Sta6');
  const gate = Promise.withResolvers<void>();
  machine.received = ({ isCommand }) => (isCommand ? gate.promise : undefined);
  machine.transport.receive(P_DATA_TF);
  assert.equal(machine.transport.paused, true);
  assert.deepEqual(machine.log, [ECHO]);
  gate.resolve();
  await reactions();
  assert.equal(machine.transport.paused, false);
  assert.deepEqual(machine.log, [ECHO, DIGITS]);
  machine.transport.disconnect();
});

test('a chunk that comes in spite of the pause waits in order', async () => {
  const machine = machineIn('Sta6');
  const gate = Promise.withResolvers<void>();
  machine.received = () => gate.promise;
  machine.transport.receive(P_DATA_TF, P_DATA_TF);
  assert.deepEqual(machine.log, [ECHO]);
  gate.resolve();
  await reactions();
  await reactions();
  assert.deepEqual(machine.log, [ECHO, DIGITS, ECHO, DIGITS]);
  machine.transport.disconnect();
});

test('a release behind a busy user is answered only after it', async () => {
  const machine = machineIn('Sta6');
  const gate = Promise.withResolvers<void>();
  machine.received = () => gate.promise;
  machine.transport.receive(Buffer.concat([P_DATA_TF, A_RELEASE_RQ]));
  await reactions();
  assert.equal(machine.upperLayer.state, 'Sta6');
  gate.resolve();
  await reactions();
  assert.equal(machine.upperLayer.state, 'Sta8');
  machine.transport.disconnect();
});

test('a user that throws: A-ABORT from the service-user, its error is the cause', () => {
  const machine = machineIn('Sta6');
  const error = new Error('cannot use that');
  machine.received = () => {
    throw error;
  };
  machine.transport.receive(P_DATA_TF);
  assert.equal(machine.upperLayer.state, 'Sta13');
  assert.deepEqual(machine.transport.takeWritten(), Buffer.from('07000000000400000000', 'hex'));
  assert.equal(machine.reasons[0]?.code, 'ul-user-fault');
  assert.equal(machine.reasons[0]?.message, 'cannot use that');
  assert.equal(machine.reasons[0]?.cause, error);
  machine.transport.disconnect();
});

test('a user that throws a UlError: its abort source and reason go out', () => {
  const machine = machineIn('Sta6');
  machine.received = () => {
    throw new UlError('ul-test', 'bad parameter', { abortSource: 2, reason: 6 });
  };
  machine.transport.receive(P_DATA_TF);
  assert.deepEqual(machine.transport.takeWritten(), Buffer.from('07000000000400000206', 'hex'));
  machine.transport.disconnect();
});

test('a user whose promise rejects: A-ABORT, and reading goes on until the peer closes', async () => {
  const machine = machineIn('Sta6');
  machine.received = () => Promise.reject(new Error('disk gone'));
  machine.transport.receive(P_DATA_TF);
  await reactions();
  assert.equal(machine.upperLayer.state, 'Sta13');
  assert.equal(machine.transport.paused, false);
  assert.equal(machine.reasons[0]?.message, 'disk gone');
  machine.transport.disconnect();
});

test('an abort while the user is busy: its late answer changes nothing', async () => {
  for (const settle of ['resolve', 'reject'] as const) {
    const machine = machineIn('Sta6');
    const gate = Promise.withResolvers<void>();
    machine.received = () => gate.promise;
    machine.transport.receive(P_DATA_TF);
    machine.upperLayer.abort(new UlError('ul-aborted', 'enough'));
    assert.equal(machine.transport.paused, false);
    gate[settle]();
    await reactions();
    assert.deepEqual(machine.log, [ECHO, 'ended']);
    assert.equal(machine.upperLayer.state, 'Sta13');
    machine.transport.disconnect();
  }
});

test('a user that aborts and returns a promise does not stop the reading', () => {
  const machine = machineIn('Sta6');
  machine.received = () => {
    machine.upperLayer.abort(new UlError('ul-aborted', 'enough'));
    return new Promise(() => {});
  };
  machine.transport.receive(P_DATA_TF);
  assert.equal(machine.transport.paused, false);
  machine.transport.disconnect();
});

test('send: one write for all chunks, no promise while there is room', () => {
  const { upperLayer, transport } = machineIn('Sta6');
  assert.equal(upperLayer.send([P_DATA_TF, P_DATA_TF]), undefined);
  assert.deepEqual(transport.writes, [Buffer.concat([P_DATA_TF, P_DATA_TF])]);
  transport.disconnect();
});

test('send: without room all writers wait for the same drain', async () => {
  const { upperLayer, transport } = machineIn('Sta6');
  transport.room = false;
  const first = upperLayer.send([P_DATA_TF]);
  const second = upperLayer.send([P_DATA_TF]);
  assert.ok(first !== undefined && first === second);
  let done = false;
  void first.then(() => {
    done = true;
  });
  await reactions();
  assert.equal(done, false);
  transport.drain();
  await first;
  assert.equal(upperLayer.send([P_DATA_TF]), undefined);
  transport.disconnect();
});

test('send: a waiting writer is let go when the association ends, the next send throws', async () => {
  const { upperLayer, transport } = machineIn('Sta6');
  transport.room = false;
  const waiting = upperLayer.send([P_DATA_TF]);
  transport.disconnect();
  await waiting;
  assert.throws(() => upperLayer.send([P_DATA_TF]), UlError);
});

test('Sta7 + Evt10 → AR-6: data that crosses our release is delivered; ours cannot go out any more', () => {
  const { upperLayer, transport, log } = machineIn('Sta7');
  transport.receive(P_DATA_TF);
  assert.deepEqual(log, [ECHO, DIGITS]);
  assert.throws(
    () => upperLayer.send([P_DATA_TF]),
    (error) => error instanceof UlError && error.code === 'ul-releasing',
  );
  transport.receive(A_RELEASE_RP);
  assert.equal(upperLayer.state, 'Sta1');
});
