// Reads a JSON body: bounded before anything is kept, and given up when it does not come.
import type { IncomingMessage } from 'node:http';
import { ApiError } from './problem.ts';

/** The parsed body. Throws ApiError 400, 408, 413 or 415; the connection is then not used again. */
export async function readJsonBody(
  request: IncomingMessage,
  maxBytes: number,
  timeoutMs: number,
): Promise<unknown> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/json' && type !== 'application/merge-patch+json') {
    throw refused(415, 'not-json', 'The body has to be JSON, with Content-Type: application/json.');
  }
  const tooLarge = () => refused(413, 'too-large', `The body is larger than ${maxBytes} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const text = await collect(request, maxBytes, timeoutMs, tooLarge);
  try {
    return JSON.parse(text);
  } catch {
    throw refused(400, 'not-json', 'The body is not JSON.');
  }
}

async function collect(
  request: IncomingMessage,
  maxBytes: number,
  timeoutMs: number,
  tooLarge: () => ApiError,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(
    () => reject(refused(408, 'too-slow', `The body did not arrive within ${timeoutMs / 1000} s.`)),
    timeoutMs,
  );
  request
    .on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) reject(tooLarge());
      else chunks.push(chunk);
    })
    .once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    .once('error', reject)
    .once('close', () => reject(refused(400, 'incomplete', 'The body is not complete.')));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    request.pause();
  }
}

function refused(status: number, code: string, detail: string): ApiError {
  return new ApiError(status, code, detail, { headers: { Connection: 'close' } });
}
