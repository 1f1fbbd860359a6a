// Before any route: only requests that were meant for this machine, and answers that nobody reinterprets.
import type { Middleware, ParameterizedContext } from 'koa';
import { isLoopbackAddress } from '../util/loopback.ts';
import { answerProblem } from './problem.ts';

/** A page anywhere on the web can have its own name resolve to 127.0.0.1 and then read our answers as its own
 *  (DNS rebinding). Its requests carry that name in Host; ours carry `localhost` or a loopback address. */
export function isLoopbackHost(header: string): boolean {
  const host = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/.exec(header)?.groups;
  const name = host?.six ?? host?.name ?? '';
  return name.toLowerCase() === 'localhost' || isLoopbackAddress(name);
}

/** Refuses foreign Host headers; marks every answer as not to be kept, sniffed or framed. */
export function guard(): Middleware {
  return async (context, next) => {
    context.set({
      'Cache-Control': 'no-store',
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      'X-Content-Type-Options': 'nosniff',
    });
    // Nothing here reads a body: a request that brings one is answered, and its connection closed.
    if (bringsBody(context)) context.set('Connection', 'close');
    if (isLoopbackHost(context.get('Host'))) return next();
    answerProblem(
      context,
      421,
      'The Host header names another machine; use http://127.0.0.1 or http://localhost.',
    );
  };
}

function bringsBody({ request }: ParameterizedContext): boolean {
  return Number(request.get('Content-Length')) > 0 || request.get('Transfer-Encoding') !== '';
}
