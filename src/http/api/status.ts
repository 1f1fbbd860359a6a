// Everything at a glance, and what came on which day.
import { z } from 'zod';
import { codeOf } from '../../util/errors.ts';
import { ownAddresses } from '../own-names.ts';
import { type Notice, notice } from '../passing-notices.ts';
import { type Route, route } from '../route.ts';
import { type Behind, type SafetyFacts, safetyOf, safetyUnknown, sum } from '../safety.ts';

const DAY_MS = 86_400_000;
const NOTHING = { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 };

const count = z.int().min(0);
const run = z.object({
  startedAt: z.string(),
  endedAt: z.string().optional(),
  files: count,
  bytes: count,
  findings: count,
  outcome: z.string().optional(),
});
const integrity = z.object({
  lastRun: run.optional(),
  /** When last everything that was due had been read again. */
  checkedAt: z.string().optional(),
  nextRunAt: z.string().optional(),
  openFindings: count,
  /** Files that are missing or altered, and somebody has accepted that. */
  acceptedFindings: count,
});
export type IntegrityState = z.output<typeof integrity>;

const day = z.object({ day: z.string(), instances: count, bytes: count });
export type IntakeDay = z.output<typeof day>;

const space = z.object({
  totalBytes: count,
  freeBytes: count,
  reserveBytes: count,
  /** By what came in lately. */
  fullOn: z.string().optional(),
  level: z.enum(['ok', 'warning', 'full']),
});
export type Space = z.output<typeof space>;

const NO_SPACE: Space = { totalBytes: 0, freeBytes: 0, reserveBytes: 0, level: 'full' };

const behind = z.object({ aeTitle: z.string(), count }) satisfies z.ZodType<Behind>;

const status = z.object({
  version: z.string(),
  aeTitle: z.string(),
  startedAt: z.string(),
  dimse: z.object({ host: z.string(), port: z.int() }),
  addresses: z.array(z.string()),
  firstStart: z.boolean(),
  counts: z.object({ patients: count, studies: count, series: count, instances: count, bytes: count }),
  pendingInstances: count,
  today: z.object({ instances: count, bytes: count }),
  safety: z.object({
    level: z.enum(['safe', 'attention', 'danger', 'unknown']),
    reasons: z.array(
      z.object({ code: z.string(), params: z.record(z.string(), z.union([z.string(), z.number()])) }),
    ),
  }),
  space,
  integrity,
  /** Of what went to other machines by rules. */
  commitment: z.object({ uncommitted: count, destinations: z.array(behind) }).optional(),
  secondArchive: z.object({ aeTitle: z.string(), lagging: count }).optional(),
  notices: z.array(notice),
});

export interface StatusSources {
  readonly version: string;
  readonly startedAt: Date;
  readonly aeTitle: () => string;
  readonly dimse: () => { host: string; port: number };
  readonly peers: () => number;
  /** Rejects when the catalogue does not answer. */
  readonly counts: () => Promise<typeof NOTHING>;
  readonly pendingInstances: () => number;
  /** Days from this one on, as YYYY-MM-DD in UTC, on which something came. */
  readonly intake: (from: string) => Promise<IntakeDay[]>;
  /** Rejects when the volume does not answer. */
  readonly space: () => Promise<Space>;
  readonly integrity: () => Promise<IntegrityState>;
  /** What of the second archive and of storage commitment is known. */
  readonly copies: () => Promise<Pick<SafetyFacts, 'uncommitted' | 'lagging'>>;
  readonly notices: () => Promise<Notice[]>;
}

export function statusRoutes(sources: StatusSources): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/status',
      summary: 'The state of the archive at a glance',
      answer: status,
      handle: () => statusNow(sources, new Date()),
    }),
    route({
      method: 'GET',
      path: '/api/intake',
      summary: 'What was received on which day and is still kept; days without anything are left out',
      query: z.object({ days: z.coerce.number().int().min(1).max(3660).default(90) }),
      answer: z.object({ items: z.array(day) }),
      handle: async ({ query: { days } }) => ({ items: await sources.intake(daysAgo(new Date(), days - 1)) }),
    }),
  ];
}

async function statusNow(sources: StatusSources, now: Date): Promise<z.output<typeof status>> {
  const { version, startedAt, aeTitle, dimse, peers } = sources;
  const asked = async () =>
    [
      // First: it waits for what was acknowledged and is not in the catalogue yet.
      await sources.counts(),
      await sources.intake(daysAgo(now, 0)),
      await sources.integrity(),
      await sources.copies(),
      await sources.notices(),
    ] as const;
  const catalog = await asked().catch((error: unknown) => {
    if (codeOf(error) !== 'catalog-unavailable') throw error;
    return undefined;
  });
  const volume = await sources.space().catch(() => undefined);
  const [counts, intake, checked, copies, notices] = catalog ?? ([NOTHING, [], undefined, {}, []] as const);
  const room = volume ?? NO_SPACE;
  const pendingInstances = sources.pendingInstances();
  const facts: SafetyFacts = {
    instances: counts.instances,
    lastCheckAt: checked?.checkedAt === undefined ? undefined : new Date(checked.checkedAt),
    openFindings: checked?.openFindings ?? 0,
    acceptedFindings: checked?.acceptedFindings ?? 0,
    space: room.level,
    freeBytes: room.freeBytes,
    pendingInstances,
    ...copies,
  };
  const away = volume === undefined ? 'volume-away' : catalog === undefined ? 'catalogue-away' : undefined;
  const { level, reasons } = away === undefined ? safetyOf(facts, now) : safetyUnknown(away);
  const today = intake.find(({ day: of }) => of === daysAgo(now, 0));
  const { uncommitted, lagging } = copies;
  return {
    version,
    aeTitle: aeTitle(),
    startedAt: startedAt.toISOString(),
    dimse: dimse(),
    addresses: ownAddresses(),
    firstStart: away === undefined && peers() === 0 && counts.instances === 0,
    counts,
    pendingInstances,
    today: { instances: today?.instances ?? 0, bytes: today?.bytes ?? 0 },
    safety: { level, reasons: [...reasons] },
    space: room,
    integrity: checked ?? { openFindings: 0, acceptedFindings: 0 },
    ...(uncommitted === undefined
      ? {}
      : { commitment: { uncommitted: sum(uncommitted), destinations: [...uncommitted] } }),
    ...(lagging === undefined ? {} : { secondArchive: { aeTitle: lagging.aeTitle, lagging: lagging.count } }),
    notices: [...notices],
  };
}

function daysAgo(now: Date, days: number): string {
  return new Date(now.getTime() - days * DAY_MS).toISOString().slice(0, 10);
}
