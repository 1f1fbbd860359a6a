// What proves that a study is what was received: hashes, when it came, from whom.
import { z } from 'zod';
import type { Archive } from '../../archive/archive.ts';
import { type Route, route } from '../route.ts';
import { describedStudy, describedStudyView } from '../study-view.ts';
import { findStudy, uidParameter } from './studies.ts';

export function proofRoute({ archive }: { readonly archive: Archive }): Route {
  return route({
    method: 'GET',
    path: '/api/studies/:uid/proof',
    summary: 'The hash of every data set of a study as it was received, and what reading it again has shown',
    params: z.object({ uid: uidParameter }),
    answer: describedStudy.extend({
      instances: z.array(
        z.object({
          sopInstanceUid: z.string(),
          sha256: z.string().meta({ description: 'Of the data set’s bytes' }),
          bytes: z.number().meta({ description: 'Of the data set' }),
          receivedAt: z.string(),
          source: z.string(),
          verifiedAt: z.string().optional().meta({ description: 'When it was last read again' }),
          verified: z.enum(['ok', 'damaged']).optional(),
        }),
      ),
    }),
    handle: async ({ params: { uid } }) => {
      const study = describedStudyView(await findStudy(archive, uid));
      const instances = (await archive.proof(uid)).map(
        ({ sopInstanceUid, location, verifiedAt, result }) => ({
          sopInstanceUid,
          sha256: location.sha256,
          bytes: location.dataSetBytes,
          receivedAt: location.receivedAt,
          source: location.sourceAeTitle,
          ...(verifiedAt === '' ? {} : { verifiedAt }),
          ...(result === '' ? {} : { verified: result === 'sound' ? ('ok' as const) : ('damaged' as const) }),
        }),
      );
      return { ...study, instances };
    },
  });
}
