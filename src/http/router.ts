// The router made from the list of routes: who may, what was sent, the handler, the answer.
import { Readable } from 'node:stream';
import Router from '@koa/router';
import type { Middleware, ParameterizedContext } from 'koa';
import type { z } from 'zod';
import type { Caller } from './caller.ts';
import { readJsonBody } from './json-body.ts';
import { ApiError, faultsOf, invalid } from './problem.ts';
import { Raw, type Route } from './route.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** What the middleware before the routes has found out. */
export interface DoorState {
  caller: Caller;
}

/** A body has so long to arrive. */
export function createRouter(routes: readonly Route[], bodyMs: number): Router<DoorState> {
  const router = new Router<DoorState>({ strict: true, sensitive: true });
  for (const one of routes) router.register(one.path, [one.method], middlewareOf(one, bodyMs));
  return router;
}

function middlewareOf(route: Route, bodyMs: number): Middleware<DoorState> {
  return async (context) => {
    const { caller } = context.state;
    admit(route, caller);
    const gone = new AbortController();
    context.res.once('close', () => gone.abort(new ApiError(499, 'gone', 'The requestor has gone.')));
    const params: unknown = (context as unknown as { params: unknown }).params;
    const answer = await route.handle({
      params: checked(route.params, params, 400),
      query: checked(route.query, { ...context.query }, 400),
      body: await bodyOf(route, context, bodyMs),
      caller,
      headers: context.headers,
      address: context.req.socket.remoteAddress ?? '',
      signal: gone.signal,
    });
    send(context, route, answer);
  };
}

function admit({ access = 'signed-in' }: Route, caller: Caller): void {
  if (access === 'everybody' || caller.authenticated) return;
  if (access === 'this-machine' && caller.isLocal) return;
  throw new ApiError(401, 'not-signed-in', 'Sign in first.');
}

async function bodyOf(route: Route, context: ParameterizedContext, bodyMs: number): Promise<unknown> {
  if (route.body === undefined) return undefined;
  const isEmpty =
    context.headers['transfer-encoding'] === undefined &&
    Number(context.headers['content-length'] ?? 0) === 0;
  // A body whose every part is optional may be left out as a whole.
  if (isEmpty && route.body.safeParse({}).success) return checked(route.body, {}, 422);
  const body = await readJsonBody(context.req, route.maxBodyBytes ?? MAX_BODY_BYTES, bodyMs);
  return checked(route.body, body, 422);
}

function checked(schema: z.ZodType | undefined, value: unknown, status: 400 | 422): unknown {
  if (schema === undefined) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(status, faultsOf(result.error));
}

function send(context: ParameterizedContext, route: Route, answer: unknown): void {
  if (answer instanceof Raw) {
    context.status = answer.status;
    context.set(answer.headers);
    context.type = answer.type;
    if (answer.status === 200 && context.fresh) {
      context.status = 304;
      if (answer.body instanceof Readable) answer.body.destroy();
    } else context.body = answer.body ?? null;
  } else if (answer === undefined) {
    context.body = null;
    context.status = route.status ?? 204;
  } else {
    context.status = route.status ?? 200;
    context.body = answer;
  }
}
