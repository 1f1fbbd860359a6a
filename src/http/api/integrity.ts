// Reading again what is stored: runs, what they found, and what is done about it.
import { z } from 'zod';
import type { FindingActionName, Findings } from '../../archive/findings.ts';
import type { IntegrityService } from '../../archive/integrity.ts';
import type { Config } from '../../config/schema.ts';
import type { Audit } from '../audit.ts';
import { userOf } from '../caller.ts';
import { ApiError } from '../problem.ts';
import { type Route, route } from '../route.ts';
import type { IntegrityState } from './status.ts';

type Run = Awaited<ReturnType<IntegrityService['runs']>>[number];
type Finding = Awaited<ReturnType<Findings['list']>>[number];

/** As the app calls the actions. */
const ACTIONS = {
  're-read': 'read-again',
  'restore-superseded': 'restore',
  'restore-second-archive': 'fetch-back',
  adopt: 'adopt',
  accept: 'accept',
} as const satisfies Record<string, FindingActionName>;
type Action = keyof typeof ACTIONS;
const ACTION_NAMES = Object.keys(ACTIONS) as [Action, ...Action[]];

const SHOWN_RUNS = 20;
const count = z.int().min(0);

const run = z.object({
  startedAt: z.string(),
  endedAt: z.string().optional(),
  files: count,
  bytes: count,
  findings: count,
  repaired: count,
  outcome: z.enum(['running', 'done', 'stopped', 'failed']),
});

const finding = z.object({
  id: z.string(),
  kind: z.string(),
  path: z.string(),
  reason: z.string(),
  sopInstanceUid: z.string().optional(),
  foundAt: z.string(),
  state: z.enum(['open', 'solved', 'accepted']),
  closedAt: z.string().optional(),
  actions: z.array(z.enum(ACTION_NAMES)),
  history: z
    .array(z.object({ at: z.string(), by: z.string(), action: z.string(), outcome: z.string() }))
    .optional(),
});

const byId = z.object({ id: z.coerce.number().int().min(1) });

export interface IntegrityRoutesOptions {
  readonly integrity: IntegrityService;
  readonly settings: () => Config['integrity'];
  readonly instances: () => Promise<number>;
  readonly audit: Audit;
  /** A run asked for here has failed; nobody waits for its answer. */
  readonly onFailure: (error: unknown) => void;
  readonly onChange: () => void;
}

export function integrityRoutes(options: IntegrityRoutesOptions): Route[] {
  const { integrity, settings, instances, audit, onFailure, onChange } = options;
  const { findings } = integrity;
  const shown = (one: Finding) => shownFinding(one, findings.actionsFor(one));

  return [
    route({
      method: 'GET',
      path: '/api/integrity',
      summary: 'The run that is under way, and those before',
      answer: z.object({
        running: z.object({ startedAt: z.string(), done: count, total: count, bytes: count }).optional(),
        settings: z.record(z.string(), z.unknown()),
        runs: z.array(run),
      }),
      handle: async () => {
        const runs = await integrity.runs(SHOWN_RUNS);
        const [newest] = runs;
        const isRunning = integrity.isRunning && newest?.state === 'running';
        return {
          ...(isRunning
            ? {
                running: {
                  startedAt: newest.startedAt,
                  done: newest.files,
                  total: Math.max(newest.files, await instances()),
                  bytes: newest.bytes,
                },
              }
            : {}),
          settings: settings(),
          runs: runs.map(shownRun),
        };
      },
    }),
    route({
      method: 'POST',
      path: '/api/integrity/runs',
      summary: 'Read everything again now; a run that is under way is joined',
      status: 202,
      answer: z.object({}),
      handle: async ({ caller }) => {
        await audit.record({ user: userOf(caller), action: 'integrity-run', target: 'archive' });
        void integrity.run(true).catch(onFailure).finally(onChange);
        return {};
      },
    }),
    route({
      method: 'GET',
      path: '/api/integrity/findings',
      summary: 'What was found wrong, newest first',
      query: z.object({
        state: z.enum(['open', 'solved', 'accepted']).optional(),
        cursor: z.coerce.number().int().min(1).optional(),
      }),
      answer: z.object({ items: z.array(finding), next: z.string().optional() }),
      handle: async ({ query: { state, cursor } }) => {
        const found = await findings.list(state, cursor);
        const last = found.at(-1);
        return { items: found.map(shown), ...(last === undefined ? {} : { next: String(last.id) }) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/integrity/findings/:id',
      summary: 'One finding, with everything that was done about it',
      params: byId,
      answer: finding,
      handle: async ({ params: { id } }) => {
        const { finding: one, actions } = await findings.get(id);
        return { ...shown(one), history: [...actions] };
      },
    }),
    route({
      method: 'POST',
      path: '/api/integrity/findings/:id/actions',
      summary: 'Do something about a finding; answers the finding as it is then',
      params: byId,
      body: z.object({ action: z.enum(ACTION_NAMES) }),
      answer: finding,
      handle: async ({ params: { id }, body: { action }, caller }) => {
        const { finding: before } = await findings.get(id);
        if (!findings.actionsFor(before).includes(ACTIONS[action]))
          throw new ApiError(
            409,
            'action-not-possible',
            `Finding ${id} is ${before.state}; ${action} does not apply.`,
          );
        const after = await findings.act(id, ACTIONS[action], userOf(caller));
        await audit.record({ user: userOf(caller), action: `finding-${action}`, target: after.path });
        onChange();
        return shown(after);
      },
    }),
  ];
}

/** For the state at a glance: the newest run that has ended, and when last everything that was due had been read. */
export async function integrityState(
  integrity: IntegrityService,
  openFindings: number,
  nextRunAt: Date | undefined,
): Promise<IntegrityState> {
  const runs = await integrity.runs();
  const last = runs.find(({ state }) => state !== 'running');
  const whole = runs.find(({ state }) => state === 'done');
  // An unknown file that was accepted is no loss.
  const accepted = (await integrity.findings.list('accepted')).filter(({ kind }) => kind !== 'unknown');
  return {
    ...(last === undefined ? {} : { lastRun: shownRun(last) }),
    ...(whole === undefined ? {} : { checkedAt: whole.endedAt }),
    ...(nextRunAt === undefined ? {} : { nextRunAt: nextRunAt.toISOString() }),
    openFindings,
    acceptedFindings: accepted.length,
  };
}

function shownRun({
  startedAt,
  endedAt,
  files,
  bytes,
  findings,
  repaired,
  state,
}: Run): z.output<typeof run> {
  const end = endedAt === '' ? {} : { endedAt };
  return { startedAt, ...end, files, bytes, findings, repaired, outcome: state };
}

function shownFinding(
  { id, sopInstanceUid, closedAt, ...rest }: Finding,
  possible: readonly FindingActionName[],
): z.output<typeof finding> {
  return {
    ...rest,
    id: String(id),
    ...(sopInstanceUid === '' ? {} : { sopInstanceUid }),
    ...(closedAt === '' ? {} : { closedAt }),
    actions: ACTION_NAMES.filter((name) => possible.includes(ACTIONS[name])),
  };
}
