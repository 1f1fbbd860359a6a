// Whatever is no answer is a problem in words and in JSON (RFC 9457); nothing of the inside gets out.
import { STATUS_CODES } from 'node:http';
import { HttpError, type Middleware, type ParameterizedContext } from 'koa';
import type { Log } from '../util/log.ts';

const MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** Answers with a problem. `detail` is for people: what happened, and what to do. */
export function answerProblem(context: ParameterizedContext, status: number, detail: string): void {
  context.status = status;
  context.body = JSON.stringify(problem(status, detail));
  context.type = MEDIA_TYPE;
}

/** Turns what the routes throw, and what no route took, into problems. */
export function problems(log: Log): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      if (error instanceof HttpError && error.expose) {
        answerProblem(context, error.status, error.message);
      } else {
        log.error('http request failed', { method: context.method, path: context.path, error });
        answerProblem(context, 500, 'The request failed; the log says why.');
      }
      return;
    }
    if (context.body === undefined && context.status >= 400)
      answerProblem(context, context.status, whyNot(context));
  };
}

function whyNot({ status, method, path, response }: ParameterizedContext): string {
  if (status === 405) return `${path} does not take ${method}; it takes ${response.get('Allow')}.`;
  if (status === 501) return `The method ${method} is not known here.`;
  return `There is nothing at ${path}; GET /api/openapi.json lists what there is.`;
}

/** A whole response for a request that never became one (Node's own parser refused it). */
export function rawProblemResponse(status: number, detail: string): string {
  const body = JSON.stringify(problem(status, detail));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

function problem(status: number, detail: string) {
  return { title: STATUS_CODES[status] ?? 'Error', status, detail };
}
