// Live updates: what is coalesced, who is let go, and how many may listen.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { EventFeed } from '../../../src/http/event-feed.ts';

const never = new AbortController().signal;

describe('events', () => {
  test('of one subject in a short time come as one, the last', async () => {
    const feed = new EventFeed({ spacingMs: 1 });
    const client = feed.subscribe(never).setEncoding('utf8');
    const add = (held?: { count: number }) => ({ count: (held?.count ?? 0) + 1 });
    for (let n = 0; n < 3; n += 1) feed.publish('instances', add, '1.2.3');
    feed.publish('instances', add, '1.2.4');
    feed.publish('jobs', { id: 'a' });
    let text = '';
    while (!text.includes('jobs')) text += (await once(client, 'data'))[0];
    assert.equal(
      text,
      'retry: 3000\n\nevent: instances\ndata: {"count":3}\n\nevent: instances\ndata: {"count":1}\n\nevent: jobs\ndata: {"id":"a"}\n\n',
    );
    feed.close();
  });

  test('a reader that does not read is let go, and costs no more than its bound', async () => {
    const feed = new EventFeed({ spacingMs: 0, maxWaitingBytes: 1000 });
    const slow = feed.subscribe(never);
    const gone = once(slow, 'close');
    const publish = () => {
      feed.publish('log', { text: 'x'.repeat(300) });
      if (feed.clients > 0) setImmediate(publish);
    };
    publish();
    await gone;
    assert.equal(feed.clients, 0);
  });

  test('one more reader than allowed is refused, until one has left', () => {
    const feed = new EventFeed({ maxClients: 2 });
    const leaving = new AbortController();
    feed.subscribe(leaving.signal);
    feed.subscribe(never);
    assert.throws(() => feed.subscribe(never), { code: 'too-many-listeners', status: 503 });
    leaving.abort();
    feed.subscribe(never);
    feed.close();
    assert.equal(feed.clients, 0);
  });
});
