// Whatever is no answer is a problem in words and in JSON (RFC 9457); nothing of the inside gets out.
import { STATUS_CODES } from 'node:http';
import { HttpError, type Middleware, type ParameterizedContext } from 'koa';
import type { z } from 'zod';
import { PacsError } from '../util/errors.ts';
import type { Log } from '../util/log.ts';

const MEDIA_TYPE = 'application/problem+json; charset=utf-8';

/** One wrong value of a request; `path` as `peers[0].port`. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

interface ProblemDetails {
  readonly code?: string | undefined;
  readonly errors?: readonly Fault[] | undefined;
  /** For words of the app's own language. */
  readonly params?: Readonly<Record<string, string | number>> | undefined;
}

/** A request that cannot be answered, for the requestor's eyes. `code` is stable: the app translates by it. */
export class ApiError extends PacsError {
  readonly status: number;
  readonly details: ProblemDetails;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    options: Omit<ProblemDetails, 'code'> & { headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(code, detail);
    const { headers, ...details } = options;
    this.status = status;
    this.details = details;
    this.headers = headers ?? {};
  }
}

export function notFound(what: string): ApiError {
  return new ApiError(404, 'not-found', what);
}

/** A request whose values do not fit. */
export function invalid(status: 400 | 422, errors: readonly Fault[]): ApiError {
  const detail = errors
    .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
    .join('; ');
  return new ApiError(status, 'invalid', detail, { errors });
}

/** What zod found, for the requestor. */
export function faultsOf(error: z.ZodError): Fault[] {
  return error.issues.slice(0, 20).map(({ path, message }) => ({
    path: path
      .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
      .join('')
      .replace(/^\./, ''),
    message,
  }));
}

/** Answers with a problem. `detail` is for people: what happened, and what to do. */
export function answerProblem(
  context: ParameterizedContext,
  status: number,
  detail: string,
  details: ProblemDetails = {},
): void {
  context.status = status;
  context.body = JSON.stringify(problem(status, detail, details));
  context.type = MEDIA_TYPE;
}

/** What the archive says, as HTTP says it. */
const ARCHIVE_STATUS: Readonly<Record<string, number>> = {
  'catalog-unavailable': 503,
  'catalog-unreachable': 503,
  'catalog-busy': 503,
  'catalog-full': 507,
  'storage-failed': 503,
  'no-space': 507,
  'instance-missing': 404,
  'instance-damaged': 422,
  'invalid-uid': 400,
  'invalid-request': 400,
  'not-found': 404,
  protected: 409,
  'trash-busy': 409,
};

/** Turns what the routes throw, and what no route took, into problems. */
export function problems(log: Log): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      answerFailure(context, error, log);
      return;
    }
    if (context.body === undefined && context.status >= 400)
      answerProblem(context, context.status, whyNot(context), { code: codeFor(context.status) });
  };
}

function answerFailure(context: ParameterizedContext, error: unknown, log: Log): void {
  if (error instanceof ApiError) {
    context.set(error.headers);
    answerProblem(context, error.status, error.message, { code: error.code, ...error.details });
    return;
  }
  const archiveStatus = error instanceof PacsError ? ARCHIVE_STATUS[error.code] : undefined;
  if (error instanceof PacsError && archiveStatus !== undefined) {
    answerProblem(context, archiveStatus, error.message, { code: error.code });
  } else if (error instanceof HttpError && error.expose) {
    answerProblem(context, error.status, error.message);
  } else {
    log.error('http request failed', { method: context.method, path: context.path, error });
    answerProblem(context, 500, 'The request failed; the log says why.', { code: 'internal' });
  }
}

function codeFor(status: number): string | undefined {
  return { 404: 'not-found', 405: 'method-not-allowed', 501: 'method-unknown' }[status];
}

function whyNot({ status, method, path, response }: ParameterizedContext): string {
  if (status === 405) return `${path} does not take ${method}; it takes ${response.get('Allow')}.`;
  if (status === 501) return `The method ${method} is not known here.`;
  return `There is nothing at ${path}; GET /api/openapi.json lists what there is.`;
}

/** A whole response for a request that never became one (Node's own parser refused it). */
export function rawProblemResponse(status: number, detail: string): string {
  const body = JSON.stringify(problem(status, detail, {}));
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${MEDIA_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}

function problem(status: number, detail: string, details: ProblemDetails) {
  return { title: STATUS_CODES[status] ?? 'Error', status, detail, ...details };
}
