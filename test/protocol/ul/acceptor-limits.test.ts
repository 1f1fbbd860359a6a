// What a stranger can make grow has a limit: connections, half-open associations, silence (PS3.8 §9.1.5).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UlError } from '../../../src/ul/errors.ts';
import { associateRq, openAcceptor, RELEASE_RP, RELEASE_RQ, rejectPdu } from './open-acceptor.ts';

test('silence after connecting: closed after ARTIM, one fault', async (t) => {
  const { connect, fault } = await openAcceptor(t, { artimMs: 20 });
  const peer = await connect();
  await peer.expectClose();
  const { error, remote } = await fault();
  assert.equal(error.code, 'ul-artim-expired');
  assert.match(error.message, /in vain for A-ASSOCIATE-RQ/);
  assert.deepEqual(remote, { address: '127.0.0.1', port: remote.port });
});

test('half a request: closed after ARTIM', async (t) => {
  const { connect, fault } = await openAcceptor(t, { artimMs: 20 });
  const peer = await connect();
  peer.send(associateRq().subarray(0, 40));
  await peer.expectClose();
  assert.equal((await fault()).error.code, 'ul-artim-expired');
});

test('nothing said for idleMs in an association: A-ABORT', async (t) => {
  const { associate, fault } = await openAcceptor(t, { idleMs: 20 });
  const peer = await associate();
  assert.equal((await peer.readPdu())[0], 7);
  assert.equal((await fault()).error.code, 'ul-idle');
});

test('connected and gone without a byte: no fault', async (t) => {
  const { connect, associate, faults } = await openAcceptor(t);
  const probe = await connect();
  probe.end();
  await probe.expectClose();
  await associate();
  assert.deepEqual(faults, []);
});

test('full: A-ASSOCIATE-RJ transient, local limit exceeded; served again when there is room', async (t) => {
  const { connect, associate, rejections } = await openAcceptor(t, { maxAssociations: 2 });
  const first = await associate();
  await associate();
  const third = await connect();
  third.send(associateRq());
  await third.expect(rejectPdu(2, 3, 2));
  third.end();
  await third.expectClose();
  assert.equal(rejections.length, 1);
  first.send(RELEASE_RQ);
  await first.expect(RELEASE_RP);
  first.end();
  await first.expectClose();
  await associate();
});

test('silent connections beyond the limit: the oldest gives way to the newest, one fault each', async (t) => {
  const { connect, associate, fault } = await openAcceptor(t, { maxWaiting: 2 });
  const first = await connect();
  await connect();
  await connect();
  await first.expectClose();
  assert.equal((await fault()).error.code, 'ul-dropped');
  await associate();
});

test('silent connections are not counted as associations', async (t) => {
  const { connect, associate, faults } = await openAcceptor(t, { maxAssociations: 1 });
  await Promise.all(Array.from({ length: 20 }, () => connect()));
  await associate();
  assert.deepEqual(faults, []);
});

test('500 idle connections do not keep anybody from associating', async (t) => {
  const { connect, associate, faults } = await openAcceptor(t);
  await Promise.all(Array.from({ length: 500 }, () => connect()));
  const peer = await associate();
  peer.send(RELEASE_RQ);
  await peer.expect(RELEASE_RP);
  assert.deepEqual(faults, []);
});

test('close: waits for associations that end in time', async (t) => {
  const { acceptor, associate, connect } = await openAcceptor(t);
  const peer = await associate();
  const halfOpen = await connect();
  const closed = acceptor.close(60_000);
  await halfOpen.expectClose();
  peer.send(RELEASE_RQ);
  await peer.expect(RELEASE_RP);
  peer.end();
  await closed;
});

test('close: aborts what is left after the grace', async (t) => {
  const { acceptor, associate, associations } = await openAcceptor(t);
  const peer = await associate();
  const closed = acceptor.close(0);
  assert.equal((await peer.readPdu())[0], 7);
  const reason: unknown = associations[0]?.signal.reason;
  assert.ok(reason instanceof UlError && reason.code === 'ul-aborted');
  peer.end();
  await closed;
});

test('close: a peer that does not hang up is hung up on', async (t) => {
  const { acceptor, associate } = await openAcceptor(t);
  await associate();
  await acceptor.close(0);
});

test('a port in use: UlError ul-listen-failed with the system error as its cause', async (t) => {
  const { port } = await openAcceptor(t);
  await assert.rejects(openAcceptor(t, { port }), (error) => {
    assert.ok(error instanceof UlError && error.code === 'ul-listen-failed');
    assert.match(error.message, /cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
    assert.ok(error.cause instanceof Error);
    return true;
  });
});
