// The transport over Node streams: an in-memory pair here, sockets in test/protocol/ul.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import { StreamTransport, type TransportUser } from '../../../src/ul/transport.ts';

// Notes what the transport tells, in order.
function listening(transport: StreamTransport): string[] {
  const heard: string[] = [];
  const user: TransportUser = {
    received: (chunk) => heard.push(chunk.toString()),
    drained: () => heard.push('drained'),
    disconnected: (cause) =>
      heard.push(cause === undefined ? 'disconnected' : `disconnected: ${cause.message}`),
  };
  transport.open(user);
  return heard;
}

test('bytes go both ways through an in-memory pair', async () => {
  const [left, right] = duplexPair();
  const one = new StreamTransport(left);
  const other = new StreamTransport(right);
  const heard = listening(one);
  const otherHeard = listening(other);
  one.write([Buffer.from('ping')]);
  other.write([Buffer.from('pong')]);
  right.end();
  await once(left, 'end');
  assert.deepEqual(heard, ['pong', 'disconnected']);
  assert.deepEqual(otherHeard, ['ping']);
  assert.equal(one.remoteAddress, '');
  assert.equal(one.remotePort, 0);
});

test('several chunks leave in one write of the stream', () => {
  const calls: number[] = [];
  const stream = new Duplex({
    read() {},
    writev(chunks, done) {
      calls.push(chunks.length);
      done();
    },
    write(_chunk, _encoding, done) {
      calls.push(1);
      done();
    },
  });
  const transport = new StreamTransport(stream);
  transport.write([Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]);
  transport.write([Buffer.from('d')]);
  assert.deepEqual(calls, [3, 1]);
});

test('write tells when there is no more room, drained tells when there is again', async () => {
  const unfinished: (() => void)[] = [];
  const stream = new Duplex({
    read() {},
    writableHighWaterMark: 4,
    write: (_chunk, _encoding, done) => void unfinished.push(done),
  });
  const transport = new StreamTransport(stream);
  const heard = listening(transport);
  assert.equal(transport.write([Buffer.from('abc')]), true);
  assert.equal(transport.write([Buffer.from('def')]), false);
  const drained = once(stream, 'drain');
  unfinished.shift()?.();
  assert.deepEqual(heard, []);
  unfinished.shift()?.();
  await drained;
  assert.deepEqual(heard, ['drained']);
});

test('a broken stream: disconnected once, with the cause', async () => {
  const stream = new Duplex({ read() {}, write() {} });
  const transport = new StreamTransport(stream);
  const heard = listening(transport);
  stream.destroy(new Error('cable pulled'));
  await transport.closed;
  assert.deepEqual(heard, ['disconnected: cable pulled']);
});

test('closed here: no bytes come any more', async () => {
  const [left, right] = duplexPair();
  const transport = new StreamTransport(left);
  const heard = listening(transport);
  transport.close();
  right.write('late');
  await transport.closed;
  assert.deepEqual(heard, ['disconnected']);
  await new StreamTransport(left).closed;
});
