// Deleting to the trash and bringing back, and patients of whom nothing can be deleted.
import { z } from 'zod';
import type { Archive, DeletionTarget, TrashEntry } from '../../archive/archive.ts';
import type { Audit } from '../audit.ts';
import { type Caller, userOf } from '../caller.ts';
import { ApiError } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { patientAnswer, patientView, textOf } from '../study-view.ts';
import { uidParameter } from './studies.ts';

/** More are not listed: the trash is emptied before. */
const MAX_LISTED = 1000;
const DAY_MS = 86_400_000;

const LEVELS = { PATIENT: 'patient', STUDY: 'study', SERIES: 'series', IMAGE: 'instance' } as const;

const reasonBody = z.object({ reason: z.string().max(200).default('') });
const deletionAnswer = z.object({ trashId: z.string() });
const trashAnswer = z.object({
  trashId: z.string(),
  level: z.enum(['patient', 'study', 'series', 'instance']),
  patient: patientAnswer,
  studyUid: z.string(),
  description: z.string().optional(),
  instances: z.int().meta({ description: 'Files, older contents included' }),
  bytes: z.number(),
  deletedAt: z.string(),
  by: z.string(),
  reason: z.string().optional(),
  expiresAt: z.string(),
});

export interface DeletionRoutesOptions {
  readonly archive: Archive;
  readonly audit: Pick<Audit, 'record'>;
  /** How long what was deleted can be brought back. */
  readonly trashDays: () => number;
}

export function deletionRoutes({ archive, audit, trashDays }: DeletionRoutesOptions): Route[] {
  const remove = async (
    target: DeletionTarget,
    action: string,
    uid: string,
    reason: string,
    caller: Caller,
  ) => {
    const user = userOf(caller);
    const { id, files, bytes } = await archive.delete(target, user, reason);
    await audit.record({ user, action, target: uid, after: { trashId: id, files, bytes, reason } });
    return { trashId: id };
  };
  const expiry = ({ deletedAt }: TrashEntry) =>
    new Date(Date.parse(deletedAt) + trashDays() * DAY_MS).toISOString();
  return [
    route({
      method: 'DELETE',
      path: '/api/studies/:uid',
      summary: 'Move a study to the trash',
      params: z.object({ uid: uidParameter }),
      body: reasonBody,
      answer: deletionAnswer,
      handle: ({ params: { uid }, body, caller }) =>
        remove({ study: uid }, 'study-deleted', uid, body.reason, caller),
    }),
    route({
      method: 'DELETE',
      path: '/api/studies/:uid/series/:seriesUid',
      summary: 'Move a series to the trash',
      params: z.object({ uid: uidParameter, seriesUid: uidParameter }),
      body: reasonBody,
      answer: deletionAnswer,
      handle: ({ params: { uid, seriesUid }, body, caller }) =>
        remove({ series: seriesUid, study: uid }, 'series-deleted', seriesUid, body.reason, caller),
    }),
    route({
      method: 'DELETE',
      path: '/api/instances/:uid',
      summary: 'Move an instance to the trash',
      params: z.object({ uid: uidParameter }),
      body: reasonBody,
      answer: deletionAnswer,
      handle: ({ params: { uid }, body, caller }) =>
        remove({ instance: uid }, 'instance-deleted', uid, body.reason, caller),
    }),
    route({
      method: 'GET',
      path: '/api/trash',
      summary: 'What was deleted and can be brought back, newest first',
      answer: z.object({ items: z.array(trashAnswer) }),
      handle: async () => {
        const items: z.infer<typeof trashAnswer>[] = [];
        for await (const entry of archive.trash()) {
          items.push(trashView(entry, expiry(entry)));
          if (items.length === MAX_LISTED) break;
        }
        return { items };
      },
    }),
    route({
      method: 'POST',
      path: '/api/trash/:id/restore',
      summary: 'Bring back what one deletion took; 409 when some of it stays in the trash',
      params: z.object({ id: z.string().regex(/^[0-9TZ]{10,24}-[0-9a-f]{8}$/, 'is no deletion') }),
      answer: z.object({ restored: z.int(), alreadyThere: z.int() }),
      handle: async ({ params: { id }, caller }) => {
        const { restored, alreadyThere, failed } = await archive.restore(id);
        const after = { restored, alreadyThere, failed: failed.length };
        await audit.record({ user: userOf(caller), action: 'restored', target: id, after });
        const [first] = failed;
        if (first === undefined) return { restored, alreadyThere };
        const detail = `${restored} came back, ${failed.length} stay in the trash; the first: ${first.reason}`;
        throw new ApiError(409, 'restore-incomplete', detail, {
          params: { restored, failed: failed.length },
        });
      },
    }),
    route({
      method: 'PUT',
      path: '/api/patients/protection',
      summary: 'Protect a patient against deletion, or end that',
      body: z.object({
        patientId: z.string().min(1).max(64),
        issuer: z.string().max(64).default(''),
        protected: z.boolean(),
        reason: z.string().max(200).default(''),
      }),
      handle: async ({ body: { patientId: id, issuer, protected: wanted, reason }, caller }) => {
        const user = userOf(caller);
        if (wanted) await archive.protect({ id, issuer }, user, reason);
        else await archive.unprotect({ id, issuer });
        await audit.record({
          user,
          action: wanted ? 'patient-protected' : 'patient-unprotected',
          target: `patient ${id}`,
        });
      },
    }),
  ];
}

function trashView(entry: TrashEntry, expiresAt: string): z.infer<typeof trashAnswer> {
  const { id, level, attributes, files, bytes, deletedAt, deletedBy, reason } = entry;
  const description = textOf(attributes, 'SeriesDescription') ?? textOf(attributes, 'StudyDescription');
  return {
    trashId: id,
    level: LEVELS[level],
    patient: patientView(attributes),
    studyUid: textOf(attributes, 'StudyInstanceUID') ?? '',
    instances: files,
    bytes,
    deletedAt,
    by: deletedBy,
    expiresAt,
    ...(description === undefined ? {} : { description }),
    ...(reason === '' ? {} : { reason }),
  };
}
