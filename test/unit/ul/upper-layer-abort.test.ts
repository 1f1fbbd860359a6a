// What an A-ABORT says and what our own side is told (PS3.8 §9.3.8, Table 9-26).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { MAX_ASSOCIATE_BYTES } from '../../../src/ul/pdu.ts';
import {
  A_ABORT_PROVIDER,
  A_ASSOCIATE_AC,
  A_ASSOCIATE_RQ,
  A_RELEASE_RP,
  A_RELEASE_RQ,
  bytesOf,
  P_DATA_TF,
} from './encoded-pdus.ts';
import { machineIn } from './machine.ts';

const abort = (source: number, reason: number) => Buffer.from([7, 0, 0, 0, 0, 4, 0, 0, source, reason]);

test('user abort in Sta6: source 0, reason 0', () => {
  const { upperLayer, transport, reasons } = machineIn('Sta6');
  upperLayer.abort(new UlError('ul-aborted', 'enough'));
  assert.deepEqual(transport.takeWritten(), abort(0, 0));
  assert.equal(reasons[0]?.code, 'ul-aborted');
  transport.disconnect();
});

test('unknown PDU type in Sta6: source 2, reason 1 unrecognised PDU', () => {
  const { transport, reasons } = machineIn('Sta6');
  transport.receive(Buffer.from('GET / HTTP/1.1\r\n'));
  assert.deepEqual(transport.takeWritten(), abort(2, 1));
  assert.equal(reasons[0]?.code, 'ul-unrecognised-pdu');
  transport.disconnect();
});

test('Deviation: unknown PDU type before the association tells the reason too', () => {
  const { transport, reasons } = machineIn('Sta2');
  transport.receive(Buffer.from('GET / HTTP/1.1\r\n'));
  assert.deepEqual(transport.takeWritten(), abort(2, 1));
  assert.equal(reasons[0]?.code, 'ul-unrecognised-pdu');
  transport.disconnect();
});

test('data before the association: source 2, reason 2 unexpected PDU', () => {
  const { transport, reasons } = machineIn('Sta2');
  transport.receive(P_DATA_TF);
  assert.deepEqual(transport.takeWritten(), abort(2, 2));
  assert.match(reasons[0]?.message ?? '', /P-DATA-TF is not allowed in Sta2/);
  transport.disconnect();
});

test('A-ASSOCIATE-RQ above the limit: source 2, reason 6 invalid parameter', () => {
  const { transport, reasons } = machineIn('Sta2');
  const header = bytesOf('01 00 00000000');
  header.writeUInt32BE(MAX_ASSOCIATE_BYTES + 1, 2);
  transport.receive(header);
  assert.deepEqual(transport.takeWritten(), abort(2, 6));
  assert.equal(reasons[0]?.code, 'ul-pdu-too-long');
  transport.disconnect();
});

test('A-ABORT received: source and reason are in the error, nothing is sent', () => {
  const { transport, reasons } = machineIn('Sta6');
  transport.receive(A_ABORT_PROVIDER);
  assert.equal(transport.takeWritten().length, 0);
  assert.equal(transport.isClosed, true);
  assert.deepEqual(
    [reasons[0]?.code, reasons[0]?.abortSource, reasons[0]?.reason],
    ['ul-aborted-by-peer', 2, 6],
  );
});

test('connection lost in Sta6: the system error is the cause', () => {
  const { transport, reasons } = machineIn('Sta6');
  const cause = new Error('read ECONNRESET');
  transport.disconnect(cause);
  assert.equal(reasons[0]?.code, 'ul-connection-lost');
  assert.equal(reasons[0]?.cause, cause);
  assert.match(reasons[0]?.message ?? '', /ended in Sta6: read ECONNRESET/);
});

test('connected and gone without a byte is no fault; half an A-ASSOCIATE-RQ is', () => {
  const probe = machineIn('Sta2');
  probe.transport.disconnect();
  assert.deepEqual(probe.reasons, []);
  const broken = machineIn('Sta2');
  broken.transport.receive(A_ASSOCIATE_RQ.subarray(0, 100));
  broken.transport.disconnect();
  assert.equal(broken.reasons[0]?.code, 'ul-connection-lost');
});

test('after an abort the peer is read on but not listened to, until it closes', () => {
  const { upperLayer, transport, reasons, log } = machineIn('Sta6');
  transport.receive(bytesOf('ff 00 00000000'));
  transport.takeWritten();
  log.length = 0;
  transport.receive(P_DATA_TF, A_RELEASE_RQ, A_ASSOCIATE_RQ);
  assert.equal(transport.takeWritten().length, 0);
  assert.equal(transport.paused, false);
  assert.equal(upperLayer.state, 'Sta13');
  transport.disconnect();
  assert.equal(upperLayer.state, 'Sta1');
  assert.deepEqual(log, []);
  assert.equal(reasons.length, 1);
});

test('AA-7: a peer that keeps requesting after the end gets one A-ABORT, then no ear', () => {
  const { transport } = machineIn('Sta13');
  transport.receive(Buffer.concat([A_ASSOCIATE_RQ, A_ASSOCIATE_RQ, A_ASSOCIATE_RQ]), A_ASSOCIATE_RQ);
  assert.deepEqual(transport.takeWritten(), abort(2, 2));
  assert.equal(transport.paused, true);
  transport.disconnect();
});

test('PDUs behind the one that ended the association are dropped', () => {
  const { transport, log } = machineIn('Sta6');
  transport.receive(Buffer.concat([P_DATA_TF, A_ABORT_PROVIDER, P_DATA_TF, A_RELEASE_RP]));
  assert.deepEqual(log, ['P-DATA echo', 'P-DATA 0123456789', 'ended']);
});

test('abort in the midst of an indication: the rest of the chunk is not delivered', () => {
  const machine = machineIn('Sta6');
  machine.received = () => machine.upperLayer.abort(new UlError('ul-aborted', 'enough'));
  machine.transport.receive(Buffer.concat([P_DATA_TF, P_DATA_TF]));
  assert.deepEqual(machine.log, ['P-DATA echo', 'ended']);
  machine.transport.disconnect();
});

test('sending after the end throws the reason of the end', () => {
  const { upperLayer, transport, reasons } = machineIn('Sta6');
  transport.receive(A_ABORT_PROVIDER);
  assert.throws(
    () => upperLayer.send([P_DATA_TF]),
    (error) => error === reasons[0],
  );
});

test('an abort while nobody has started reading is seen through to the close', () => {
  const machine = machineIn('Sta3');
  machine.accept();
  assert.equal(machine.transport.paused, true);
  machine.upperLayer.abort(new UlError('ul-aborted', 'enough'));
  assert.equal(machine.transport.paused, false);
  machine.transport.disconnect();
});

test('A-ASSOCIATE-AC and data in one chunk: the data waits until the user starts', () => {
  const machine = machineIn('Sta5');
  machine.transport.receive(Buffer.concat([A_ASSOCIATE_AC, P_DATA_TF]));
  assert.deepEqual(machine.log, ['A-ASSOCIATE-AC']);
  machine.upperLayer.start();
  assert.deepEqual(machine.log, ['A-ASSOCIATE-AC', 'P-DATA echo', 'P-DATA 0123456789']);
  machine.transport.disconnect();
});
