// Sending to a device: a job, that goes on when nobody looks.
import { z } from 'zod';
import type { Archive } from '../../archive/archive.ts';
import type { JobQueue } from '../../jobs/job-queue.ts';
import type { Audit } from '../audit.ts';
import { userOf } from '../caller.ts';
import { ApiError, notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { describedStudyView } from '../study-view.ts';
import { findStudy, uidParameter } from './studies.ts';

const MAX_INSTANCES = 1000;

export interface SendRouteOptions {
  readonly archive: Archive;
  readonly jobs: Pick<JobQueue, 'enqueue'>;
  readonly isPeer: (aeTitle: string) => boolean;
  readonly audit: Pick<Audit, 'record'>;
}

export function sendRoute({ archive, jobs, isPeer, audit }: SendRouteOptions): Route {
  return route({
    method: 'POST',
    path: '/api/send',
    summary: 'Send a study, a series or some instances to a peer',
    body: z
      .object({
        to: z.string().min(1).max(16),
        studyUid: uidParameter.optional(),
        seriesUid: uidParameter.optional(),
        sopInstanceUids: z.array(uidParameter).min(1).max(MAX_INSTANCES).optional(),
      })
      .refine(
        ({ studyUid, seriesUid, sopInstanceUids }) =>
          (studyUid ?? seriesUid ?? sopInstanceUids) !== undefined,
        'needs studyUid, seriesUid or sopInstanceUids',
      ),
    maxBodyBytes: 128 * 1024,
    status: 202,
    answer: z.object({ job: z.string().meta({ description: 'Its id in /api/jobs' }) }),
    handle: async ({ body: { to, studyUid, seriesUid, sopInstanceUids }, caller }) => {
      if (!isPeer(to)) {
        const detail = `${to} is not in the list of devices; enter it first.`;
        throw new ApiError(422, 'unknown-peer', detail, { errors: [{ path: 'to', message: detail }] });
      }
      const selection = {
        ...(studyUid === undefined ? {} : { studyUids: [studyUid] }),
        ...(seriesUid === undefined ? {} : { seriesUids: [seriesUid] }),
        ...(sopInstanceUids === undefined ? {} : { sopInstanceUids }),
      };
      const study = await studyOf(archive, selection);
      const { patient, studyUid: uid } = describedStudyView(await findStudy(archive, study));
      const { id } = await jobs.enqueue({
        kind: 'send',
        payload: { destination: to, ...selection },
        title: {
          to,
          patientName: patient.name.ideographic ?? patient.name.alphabetic ?? '',
          studyUid: uid,
          ...(seriesUid === undefined ? {} : { seriesUid }),
        },
      });
      await audit.record({
        user: userOf(caller),
        action: 'sent',
        target: uid,
        after: { to, job: id },
      });
      return { job: String(id) };
    },
  });
}

/** That of the first instance, or 404. */
async function studyOf(archive: Archive, selection: Parameters<Archive['select']>[0]): Promise<string> {
  for await (const [first] of archive.select(selection)) if (first !== undefined) return first.studyUid;
  throw notFound('The archive holds none of these instances; they may have been deleted.');
}
