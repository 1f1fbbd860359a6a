// A study as a ZIP with a DICOMDIR.
import { z } from 'zod';
import type { Archive } from '../../archive/archive.ts';
import { mediaZip } from '../media-zip.ts';
import { ApiError } from '../problem.ts';
import { Raw, type Route, route } from '../route.ts';
import { textOf } from '../study-view.ts';
import { findStudy, uidParameter } from './studies.ts';

/** More would take the disk from the devices. */
const MAX_DOWNLOADS = 4;

export function downloadRoute({ archive }: { readonly archive: Archive }): Route {
  let running = 0;
  return route({
    method: 'GET',
    path: '/api/studies/:uid/download',
    summary: 'The study as a ZIP that can be copied onto a medium: a DICOM file-set with its DICOMDIR',
    params: z.object({ uid: uidParameter }),
    media: 'application/zip',
    handle: async ({ params: { uid }, signal }) => {
      const study = await findStudy(archive, uid);
      if (running >= MAX_DOWNLOADS) {
        const detail = `${MAX_DOWNLOADS} downloads are running; try again when one of them has ended.`;
        throw new ApiError(503, 'busy', detail, { headers: { 'Retry-After': '10' } });
      }
      running += 1;
      const zip = mediaZip(archive, study, signal).once('close', () => {
        running -= 1;
      });
      const date = /^\d{8}$/.exec(textOf(study.attributes, 'StudyDate') ?? '')?.[0] ?? 'undated';
      return new Raw('application/zip', zip, {
        headers: { 'Content-Disposition': `attachment; filename="study-${date}-${uid.slice(-8)}.zip"` },
      });
    },
  });
}
