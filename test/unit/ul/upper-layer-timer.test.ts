// The ARTIM timer and our patience where Table 9-10 has none (PS3.8 §9.1.5).
import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { State } from '../../../src/ul/state-table.ts';
import { A_ASSOCIATE_AC, A_ASSOCIATE_RQ, A_RELEASE_RP } from './encoded-pdus.ts';
import { ARTIM_MS, machineIn } from './machine.ts';

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('Sta2 + Evt18 → AA-2: silence after connecting is cut off after ARTIM, not before', () => {
  const { upperLayer, transport, reasons } = machineIn('Sta2');
  mock.timers.tick(ARTIM_MS - 1);
  assert.equal(upperLayer.state, 'Sta2');
  mock.timers.tick(1);
  assert.equal(upperLayer.state, 'Sta1');
  assert.equal(transport.isClosed, true);
  assert.equal(reasons[0]?.code, 'ul-artim-expired');
  assert.match(reasons[0]?.message ?? '', /waited 30 s in vain for A-ASSOCIATE-RQ/);
});

test('Sta2: bytes that trickle in do not stop the timer, only the whole A-ASSOCIATE-RQ does', () => {
  const { upperLayer, transport } = machineIn('Sta2');
  mock.timers.tick(ARTIM_MS / 2);
  transport.receive(A_ASSOCIATE_RQ.subarray(0, -1));
  mock.timers.tick(ARTIM_MS / 2);
  assert.equal(upperLayer.state, 'Sta1');
  const complete = machineIn('Sta2');
  complete.transport.receive(A_ASSOCIATE_RQ);
  mock.timers.tick(ARTIM_MS * 2);
  assert.equal(complete.upperLayer.state, 'Sta3');
});

test('Sta13 + Evt18 → AA-2: a peer that does not close is closed', () => {
  const { upperLayer, transport } = machineIn('Sta13');
  mock.timers.tick(ARTIM_MS);
  assert.equal(upperLayer.state, 'Sta1');
  assert.equal(transport.isClosed, true);
});

test('Sta4: the transport connection may take connectMs, then AA-2', () => {
  const { upperLayer, reasons } = machineIn('Sta4');
  mock.timers.tick(5_000);
  assert.equal(upperLayer.state, 'Sta1');
  assert.equal(reasons[0]?.code, 'ul-connect-timeout');
});

// Table 9-10 has no Evt18 here: our user gives up, which is Evt15.
const WAITING: [State, string][] = [
  ['Sta5', 'the answer to A-ASSOCIATE-RQ'],
  ['Sta7', 'A-RELEASE-RP'],
  ['Sta9', 'our own user'],
  ['Sta10', 'A-RELEASE-RP'],
  ['Sta11', 'A-RELEASE-RP'],
  ['Sta12', 'our own user'],
];
for (const [state, what] of WAITING) {
  test(`${state}: no ${what} within ARTIM → Evt15, AA-1`, () => {
    const { upperLayer, transport, reasons } = machineIn(state);
    mock.timers.tick(ARTIM_MS);
    assert.equal(upperLayer.state, 'Sta13');
    assert.equal(transport.takeWritten()[0], 7);
    assert.equal(reasons[0]?.code, 'ul-artim-expired');
    assert.ok(reasons[0]?.message.includes(what));
    mock.timers.tick(ARTIM_MS);
    assert.equal(upperLayer.state, 'Sta1');
  });
}

test('Sta6: no timer runs', () => {
  const requestor = machineIn('Sta5');
  requestor.transport.receive(A_ASSOCIATE_AC);
  const acceptor = machineIn('Sta3');
  acceptor.accept();
  mock.timers.tick(100 * ARTIM_MS);
  assert.equal(requestor.upperLayer.state, 'Sta6');
  assert.equal(acceptor.upperLayer.state, 'Sta6');
});

test('after the end no timer is left', () => {
  const released = machineIn('Sta7');
  released.transport.receive(A_RELEASE_RP);
  mock.timers.tick(ARTIM_MS);
  assert.deepEqual(
    released.reasons.map(({ code }) => code),
    ['ul-released'],
  );
});
