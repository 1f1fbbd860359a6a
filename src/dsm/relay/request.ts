// One request as DSM's web server hands it to a CGI (RFC 3875): checked, bounded, and turned into what is passed on.

import type { Environment } from '../context.ts';

/** An answer of the relay's own. */
export class RelayProblem extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.status = status;
    this.code = code;
  }
}

export interface RelayRequest {
  readonly method: string;
  /** Path and query for the daemon. */
  readonly path: string;
  readonly synoToken: string | undefined;
  readonly language: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyBytes: number;
}

const READS: ReadonlySet<string> = new Set(['GET', 'HEAD']);
const CHANGES: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const MAX_BODY_BYTES = 64 << 20;
const MAX_URL_CHARACTERS = 8192;
const MAX_HEADER_CHARACTERS = 4096;
/** Visible ASCII: nothing that could begin a line of its own, or end the path. */
const PATH = /^\/(?:api(?:\/[\x21-\x22\x24-\x7e]*)?|metrics)(?:\?[\x21-\x22\x24-\x7e]*)?$/;
const TOKEN = /^[\w.~-]{1,128}$/;
const LANGUAGE = /^[a-z]{3}$/;

/** What the daemon may want to know; cookies and DSM's token are nothing to it. */
const PASSED_ON: Readonly<Record<string, string>> = {
  CONTENT_TYPE: 'Content-Type',
  HTTP_ACCEPT: 'Accept',
  HTTP_ACCEPT_LANGUAGE: 'Accept-Language',
  HTTP_IF_MATCH: 'If-Match',
  HTTP_IF_MODIFIED_SINCE: 'If-Modified-Since',
  HTTP_IF_NONE_MATCH: 'If-None-Match',
  HTTP_LAST_EVENT_ID: 'Last-Event-ID',
  HTTP_RANGE: 'Range',
  HTTP_X_ANGIOVAULT: 'X-AngioVault',
};

/** Throws RelayProblem. */
export function relayRequest(environment: Environment): RelayRequest {
  const method = environment.REQUEST_METHOD ?? '';
  if (!READS.has(method) && !CHANGES.has(method)) {
    throw new RelayProblem(405, 'method', `The method ${method.slice(0, 20)} is not known here.`);
  }
  const { path, own } = addressOf(environment);
  if (!PATH.test(path) || /\/\.\.?(?:\/|$)/.test(path.split('?')[0] ?? '')) {
    throw new RelayProblem(404, 'path', 'There is nothing at this address.');
  }
  if (CHANGES.has(method)) refuseForeignPages(environment);
  return {
    method,
    path,
    synoToken:
      [environment.HTTP_X_SYNO_TOKEN, own.get('SynoToken')].find((token) => token && TOKEN.test(token)) ??
      undefined,
    language: [own.get('lang')].find((language) => language && LANGUAGE.test(language)) ?? undefined,
    headers: headersOf(environment),
    bodyBytes: bodyBytesOf(environment),
  };
}

/** `api.cgi?SynoToken=…&lang=…&p=/api/…` is what our pages ask: it reaches a CGI on every version of DSM. `/api/…`
 *  behind the script's name reaches it where the web server splits there. */
function addressOf(environment: Environment): { path: string; own: URLSearchParams } {
  const query = environment.QUERY_STRING ?? '';
  const uri = environment.REQUEST_URI ?? '';
  if (query.length + uri.length > 2 * MAX_URL_CHARACTERS) {
    throw new RelayProblem(
      414,
      'address-too-long',
      `The address is longer than ${MAX_URL_CHARACTERS} characters.`,
    );
  }
  const inQuery = /^(?<own>(?:[^&]*&)*?)p=(?<path>.*)$/s.exec(query)?.groups;
  if (inQuery !== undefined) return { path: inQuery.path ?? '', own: new URLSearchParams(inQuery.own) };
  const behind = /^[^?]*\/api\.cgi(?<path>\/[^?]*)/.exec(uri)?.groups?.path;
  const own = new URLSearchParams(query);
  const rest = query
    .split('&')
    .filter((pair) => pair !== '' && !/^(?:SynoToken|lang)=/.test(pair))
    .join('&');
  const path = behind ?? encodeURI(environment.PATH_INFO ?? '');
  return { path: rest === '' ? path : `${path}?${rest}`, own };
}

/** Browsers say where a change comes from. The page of another site has no business here, whoever is logged in. */
function refuseForeignPages({
  HTTP_ORIGIN: origin,
  HTTP_HOST: host,
  HTTP_SEC_FETCH_SITE: site,
  ...rest
}: Environment): void {
  const isForeign = origin !== undefined && URL.parse(origin)?.host.toLowerCase() !== host?.toLowerCase();
  if (isForeign || (site !== undefined && site !== 'same-origin' && site !== 'none')) {
    throw new RelayProblem(403, 'foreign-origin', 'A page of another origin cannot change anything here.');
  }
  if (rest.HTTP_X_ANGIOVAULT !== '1') {
    throw new RelayProblem(403, 'header-missing', 'Changes need the header X-AngioVault: 1.');
  }
}

function headersOf(environment: Environment): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [variable, header] of Object.entries(PASSED_ON)) {
    const value = environment[variable];
    // The characters of RFC 9110 §5.5, so that no value becomes two headers.
    if (
      value !== undefined &&
      value !== '' &&
      value.length <= MAX_HEADER_CHARACTERS &&
      /^[\t\x20-\x7e]*$/.test(value)
    ) {
      headers[header] = value;
    }
  }
  return headers;
}

function bodyBytesOf({
  CONTENT_LENGTH: text = '',
  HTTP_TRANSFER_ENCODING: encoding = '',
}: Environment): number {
  if (text === '' && encoding === '') return 0;
  if (!/^\d{1,15}$/.test(text))
    throw new RelayProblem(411, 'length', 'A request with a body has to say its length.');
  const bytes = Number(text);
  if (bytes > MAX_BODY_BYTES)
    throw new RelayProblem(413, 'too-large', `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  return bytes;
}
