// The request to the daemon's socket, and its answer back as a CGI gives it (RFC 3875 §6): streams in both directions,
// so that events arrive when they happen and a download takes no memory.

import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { codeOf } from '../../util/errors.ts';
import { RelayProblem, type RelayRequest } from './request.ts';

export interface Relay {
  readonly socketPath: string;
  readonly secret: string;
  readonly user: string;
}

/** They belong to one connection (RFC 9110 §7.6.1), and this one ends here. */
const NOT_PASSED_BACK: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'set-cookie',
]);

/** Throws RelayProblem as long as nothing has been answered. */
export async function exchange(
  request: RelayRequest,
  relay: Relay,
  input: Readable,
  output: Writable,
): Promise<void> {
  const outgoing = httpRequest({
    socketPath: relay.socketPath,
    method: request.method,
    path: request.path,
    headers: {
      Host: 'localhost',
      ...request.headers,
      ...(request.bodyBytes > 0 && { 'Content-Length': request.bodyBytes }),
      'X-AngioVault-Relay': relay.secret,
      // A header takes no other characters.
      'X-AngioVault-User': /^[\x20-\x7e]+$/.test(relay.user) ? relay.user : encodeURIComponent(relay.user),
      ...(request.language !== undefined && { 'X-AngioVault-Language': request.language }),
    },
  });
  // Whoever asked has gone: the daemon need not go on.
  output.once('error', () => outgoing.destroy());
  output.once('close', () => outgoing.destroy());
  if (request.bodyBytes === 0) outgoing.end();
  // The answer may come before the whole body, and then says why.
  else pipeline(input, outgoing).catch(() => undefined);
  let response: IncomingMessage;
  try {
    [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  } catch (error) {
    const isAway = ['ENOENT', 'ECONNREFUSED', 'EACCES'].includes(codeOf(error) ?? '');
    const detail = isAway
      ? 'AngioVault is not running. Start it in Package Center.'
      : 'AngioVault did not answer.';
    throw new RelayProblem(isAway ? 503 : 502, isAway ? 'not-running' : 'no-answer', detail, {
      cause: error,
    });
  }
  output.write(headOf(response));
  await pipeline(response, output);
}

function headOf({ statusCode = 502, rawHeaders }: IncomingMessage): string {
  const lines = [`Status: ${statusCode} ${STATUS_CODES[statusCode] ?? ''}`.trim()];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    if (!NOT_PASSED_BACK.has(name.toLowerCase())) lines.push(`${name}: ${value}`);
  }
  // DSM's web server would otherwise collect events until there are enough of them.
  lines.push('X-Accel-Buffering: no');
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The relay's own answer, in the form that the daemon's have (RFC 9457). */
export function problemAnswer({ status, code, message }: RelayProblem): string {
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify({ title, status, code, detail: message });
  return [
    `Status: ${status} ${title}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    '',
    body,
  ].join('\r\n');
}
