// The app: every file of its folder read once at start, so that no path of a request ever reaches the disk.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Middleware } from 'koa';
import { codeOf } from '../util/errors.ts';

const MAX_FILES = 1000;
const MAX_BYTES = 64 * 1024 * 1024;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json',
};
const COMPRESSED_ALREADY = new Set(['.png', '.ico', '.woff2']);
/** antd writes its styles into the page; scripts come from here alone. DSM frames the app from its own origin. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self'",
  "font-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'self'",
].join('; ');

interface StaticFile {
  readonly type: string;
  readonly bytes: Buffer;
  readonly etag: string;
  readonly isHashed: boolean;
  readonly isCompressible: boolean;
  /** Made at the first request, once. */
  readonly encoded: Map<string, Promise<Buffer>>;
}

const ENCODERS: Readonly<Record<string, (bytes: Buffer) => Promise<Buffer>>> = {
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: (bytes) => promisify(gzip)(bytes, { level: 9 }),
};

export type StaticFiles = ReadonlyMap<string, StaticFile>;

/** By path, `/` for index.html. Empty when the app has not been built. */
export async function readStaticFiles(folder: string): Promise<StaticFiles> {
  const files = new Map<string, StaticFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  let left = MAX_BYTES;
  for (const entry of entries.filter((one) => one.isFile()).slice(0, MAX_FILES)) {
    const file = join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    left -= bytes.length;
    if (left < 0) throw new Error(`${folder} holds more than ${MAX_BYTES} bytes: it is not the app`);
    const path = `/${relative(folder, file).split(sep).join('/')}`;
    files.set(path === '/index.html' ? '/' : path, staticFile(path, bytes));
  }
  return files;
}

function staticFile(path: string, bytes: Buffer): StaticFile {
  const extension = extname(path);
  return {
    type: TYPES[extension] ?? 'application/octet-stream',
    bytes,
    etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    // Vite puts the content's hash into the name of everything under assets/.
    isHashed: path.startsWith('/assets/'),
    isCompressible: !COMPRESSED_ALREADY.has(extension) && bytes.length > 1024,
    encoded: new Map(),
  };
}

/** Answers GET and HEAD for the app's files, and with its page for every other address that a browser opens. */
export function serveStatic(files: StaticFiles): Middleware {
  return async (context, next) => {
    await next();
    const isRead = context.method === 'GET' || context.method === 'HEAD';
    if (!isRead || context.status !== 404 || context.body !== undefined) return;
    if (context.path === '/metrics' || context.path.startsWith('/api/')) return;
    const isPage = context.get('Accept').includes('text/html') && extname(context.path) === '';
    const file = files.get(context.path) ?? (isPage ? files.get('/') : undefined);
    if (file === undefined) return;
    context.status = 200;
    context.set({
      'Cache-Control': file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Content-Security-Policy': POLICY,
      ETag: file.etag,
      Vary: 'Accept-Encoding',
    });
    context.type = file.type;
    if (context.fresh) {
      context.status = 304;
      return;
    }
    const encoding = file.isCompressible ? context.acceptsEncodings('br', 'gzip', 'identity') : false;
    context.body = await encodedAs(file, encoding === false ? 'identity' : encoding);
    if (context.body !== file.bytes) context.set('Content-Encoding', String(encoding));
  };
}

function encodedAs(file: StaticFile, encoding: string): Promise<Buffer> | Buffer {
  const encode = ENCODERS[encoding];
  if (encode === undefined) return file.bytes;
  const known = file.encoded.get(encoding) ?? encode(file.bytes);
  file.encoded.set(encoding, known);
  return known;
}
