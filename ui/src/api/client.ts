// The one way to the daemon. Every change carries the header that no form on a foreign page can send.
import type { Params } from './types.ts';

declare global {
  interface Window {
    /** Where the API lies when it is not at the root: below DSM's CGI. */
    readonly __API_BASE__?: string;
  }
}

/** The address of a route, for requests as well as for links and pictures. */
export const address = (path: string): string => `${window.__API_BASE__ ?? ''}/api${path}`;

/** One wrong value of what was sent. `path` as `peers[0].port`, `message` in English. */
export interface Fault {
  readonly path: string;
  readonly message: string;
}

/** The daemon said no (RFC 9457). `code` is stable, `detail` is in English. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string | undefined;
  readonly errors: readonly Fault[];
  readonly params: Params;

  constructor(
    status: number,
    detail: string,
    code?: string,
    { errors = [], params = {} }: Partial<Pick<Problem, 'errors' | 'params'>> = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.params = params;
  }
}

/** The daemon did not answer at all. */
export class Unreachable extends Error {}

async function request<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (method !== 'GET') headers['X-AngioVault'] = '1';
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const options: RequestInit = { method, headers, credentials: 'same-origin' };
  if (body !== undefined) options.body = JSON.stringify(body);
  if (signal !== undefined) options.signal = signal;
  let response: Response;
  try {
    response = await fetch(address(path), options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable('The archive does not answer.', { cause: error });
  }
  if (!response.ok) throw await problemIn(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

async function problemIn(response: Response): Promise<Problem> {
  const text = await response.text();
  if (!response.headers.get('Content-Type')?.includes('json')) {
    return new Problem(response.status, `${response.status} ${response.statusText}`);
  }
  const { detail, title, code, ...rest } = JSON.parse(text) as {
    detail?: string;
    title?: string;
    code?: string;
    errors?: Problem['errors'];
    params?: Params;
  };
  return new Problem(response.status, detail ?? title ?? response.statusText, code, rest);
}

export const get = <T>(path: string, signal?: AbortSignal): Promise<T> =>
  request<T>('GET', path, undefined, signal);
export const post = <T = void>(path: string, body?: unknown): Promise<T> => request<T>('POST', path, body);
export const put = <T = void>(path: string, body?: unknown): Promise<T> => request<T>('PUT', path, body);
export const patch = <T = void>(path: string, body?: unknown): Promise<T> => request<T>('PATCH', path, body);
export const remove = <T = void>(path: string, body?: unknown): Promise<T> =>
  request<T>('DELETE', path, body);

/** `?a=1&b=2` of what is there; nothing of what is empty. */
export function queryOf(parts: Readonly<Record<string, string | number | undefined>>): string {
  const filled = Object.entries(parts).filter(([, value]) => value !== undefined && value !== '');
  return filled.length === 0
    ? ''
    : `?${new URLSearchParams(filled.map(([key, value]) => [key, String(value)]))}`;
}
