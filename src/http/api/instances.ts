// One instance: a small picture of it, and its file.
import { z } from 'zod';
import type { Archive, InstanceLocation, RenderErrorCode } from '../../archive/archive.ts';
import { codeOf, messageOf } from '../../util/errors.ts';
import { FileStream } from '../file-stream.ts';
import { ApiError, notFound } from '../problem.ts';
import { Raw, type Route, route } from '../route.ts';
import { uidParameter } from './studies.ts';

/** Goes into the ETag: another way of making pictures makes other pictures. */
const PICTURES = 1;

const STATUS: Readonly<Record<RenderErrorCode, number>> = {
  'render-unsupported': 415,
  'render-malformed': 422,
  'render-limit': 422,
  'render-busy': 503,
  'render-aborted': 499,
  'render-failed': 422,
};

export function instanceRoutes({ archive }: { readonly archive: Archive }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/instances/:uid/thumbnail',
      summary: 'A PNG of the middle frame; 415 when there is nothing to show, 422 when it is damaged',
      params: z.object({ uid: uidParameter }),
      query: z.object({ size: z.coerce.number().int().min(16).max(1024).default(160) }),
      media: 'image/png',
      handle: async ({ params: { uid }, query: { size }, headers, signal }) => {
        const instance = await locate(archive, uid);
        const etag = `"${instance.location.sha256.slice(0, 32)}-${size}-${PICTURES}"`;
        // Asked again each time, answered without making the picture: nobody keeps it past a sign-out unasked.
        const kept = { ETag: etag, 'Cache-Control': 'private, no-cache' };
        if (headers['if-none-match'] === etag)
          return new Raw('image/png', undefined, { status: 304, headers: kept });
        const picture = await archive.thumbnail(instance, size, signal).catch(refuse);
        return new Raw('image/png', Buffer.from(picture.buffer, picture.byteOffset, picture.length), {
          headers: kept,
        });
      },
    }),
    route({
      method: 'GET',
      path: '/api/instances/:uid/file',
      summary: 'The file as it is stored',
      params: z.object({ uid: uidParameter }),
      media: 'application/dicom',
      handle: async ({ params: { uid } }) => {
        const instance = await locate(archive, uid);
        const file = await archive.openFile(instance);
        return new Raw('application/dicom', new FileStream(file), {
          headers: {
            'Content-Length': String(instance.location.fileBytes),
            'Content-Disposition': `attachment; filename="${uid}.dcm"`,
          },
        });
      },
    }),
  ];
}

async function locate(archive: Archive, uid: string): Promise<InstanceLocation> {
  for await (const [instance] of archive.select({ sopInstanceUids: [uid] })) {
    if (instance !== undefined) return instance;
  }
  throw notFound(`There is no instance ${uid}; it may have been deleted.`);
}

function refuse(error: unknown): never {
  const code = codeOf(error) ?? '';
  const status = STATUS[code as RenderErrorCode];
  if (status === undefined) throw error;
  const headers = status === 503 ? { 'Retry-After': '2' } : {};
  throw new ApiError(status, code, messageOf(error), { headers });
}
