// What one route of the API is: a row from which the router and the OpenAPI document are both made. Each resource is
// one file of api/ that exports a list of them.
import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { Caller } from './caller.ts';

/** What a handler is given: everything checked against the schemas of its route. */
export interface ApiRequest<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly caller: Caller;
  readonly headers: IncomingHttpHeaders;
  /** The requestor's address; empty on a unix socket. */
  readonly address: string;
  /** Aborts when the requestor has gone before its answer was whole. */
  readonly signal: AbortSignal;
}

/** An answer that is not JSON, or needs headers or a status of its own. With an ETag, 304 is answered by itself. */
export class Raw {
  readonly body: Readable | Buffer | string | undefined;
  readonly type: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    type: string,
    body: Readable | Buffer | string | undefined,
    options: { status?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    this.type = type;
    this.body = body;
    this.status = options.status ?? 200;
    this.headers = options.headers ?? {};
  }
}

/** `everybody` needs no session; `this-machine` needs one only from another machine. */
export type Access = 'everybody' | 'this-machine' | 'signed-in';

export interface Route<P = unknown, Q = unknown, B = unknown, A = unknown> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With parameters as `/api/peers/:aeTitle`. */
  readonly path: string;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  /** Default: signed-in. */
  readonly access?: Access;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Default 64 KiB. */
  readonly maxBodyBytes?: number;
  /** Of the answer, when it is JSON; without it and without `media` the answer is 204. */
  readonly answer?: z.ZodType<A>;
  /** Of an answer that is not JSON. */
  readonly media?: string;
  /** Default 200, or 204 without an answer. */
  readonly status?: number;
  /** Throws ApiError (problem.ts) for what the requestor has to know. */
  handle(request: ApiRequest<P, Q, B>): A | Raw | Promise<A | Raw>;
}

/** Binds the handler's types to the schemas beside it. */
export function route<P = undefined, Q = undefined, B = undefined, A = void>(
  definition: Route<P, Q, B, A>,
): Route {
  return definition;
}
