// Before any route: only requests that were meant for this machine, changes only from our own pages or from programs,
// and answers that nobody reinterprets.
import type { Middleware, ParameterizedContext } from 'koa';
import type { Door } from './authentication.ts';
import { answerProblem } from './problem.ts';
import type { Refusals } from './refusals.ts';

export interface GuardOptions {
  readonly door: Door['kind'];
  /** Whether a Host header names this machine. */
  readonly isOwnHost: (header: string) => boolean;
  readonly refusals: Refusals;
}

const CHANGES = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** Marks every answer as not to be kept, sniffed or framed; static files set their own policy afterwards. The relay
 *  has proved itself by its secret, and DSM's desktop has its own Host and Origin. */
export function guard({ door, isOwnHost, refusals }: GuardOptions): Middleware {
  return async (context, next) => {
    context.set({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Referrer-Policy': 'no-referrer',
      'X-Content-Type-Options': 'nosniff',
    });
    // What a route does not read is not read at all: answered, and the connection closed.
    if (bringsBody(context) && !CHANGES.has(context.method)) context.set('Connection', 'close');
    const refuse = (status: number, code: string, kind: string, detail: string) => {
      refusals.note(kind, {
        method: context.method,
        path: context.path,
        host: context.get('Host'),
        origin: context.get('Origin'),
        address: context.req.socket.remoteAddress,
      });
      if (bringsBody(context)) context.set('Connection', 'close');
      answerProblem(context, status, detail, { code });
    };
    if (door === 'tcp' && !isOwnHost(context.get('Host'))) {
      const detail =
        'The Host header names another machine; use http://127.0.0.1 or the address of this one.';
      return refuse(421, 'foreign-host', 'a request for another host', detail);
    }
    if (CHANGES.has(context.method)) {
      if (door === 'tcp' && !isOwnOrigin(context)) {
        const detail = 'A page of another origin cannot change anything here.';
        return refuse(403, 'foreign-origin', 'a change from another origin', detail);
      }
      if (context.get('X-AngioVault') !== '1') {
        const detail = 'Changes need the header X-AngioVault: 1.';
        return refuse(403, 'header-missing', 'a change without its header', detail);
      }
    }
    await next();
    // A body that nobody read would be taken for the next request.
    if (bringsBody(context) && !context.req.readableEnded) context.set('Connection', 'close');
  };
}

/** Browsers send Origin with every change; programs need not. */
function isOwnOrigin(context: ParameterizedContext): boolean {
  const origin = context.get('Origin');
  if (context.get('Sec-Fetch-Site') === 'cross-site') return false;
  return origin === '' || origin.toLowerCase() === `http://${context.get('Host').toLowerCase()}`;
}

function bringsBody({ request }: ParameterizedContext): boolean {
  return Number(request.get('Content-Length')) > 0 || request.get('Transfer-Encoding') !== '';
}
