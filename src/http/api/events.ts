// GET /api/events: live updates.
import type { EventFeed } from '../event-feed.ts';
import { Raw, type Route, route } from '../route.ts';

export function eventsRoute(feed: EventFeed): Route {
  return route({
    method: 'GET',
    path: '/api/events',
    summary: 'Server-sent events: what has changed; ask for the rest',
    media: 'text/event-stream',
    handle: ({ signal }) =>
      new Raw('text/event-stream', feed.subscribe(signal), {
        // A proxy in between, such as DSM's, must not collect them.
        headers: { 'X-Accel-Buffering': 'no' },
      }),
  });
}
