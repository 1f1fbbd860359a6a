// The table of jobs: each change is one durable transaction, which leaves the same behind when it is run twice.

import type { Selectable } from 'kysely';
import type { Json } from '../util/json.ts';
import type { Engine } from './engine.ts';
import type { Job, JobState, JobStore, JobSummary, LeaseRequest, NewJob, Outcome } from './job-store.ts';
import type { Connection } from './prepared.ts';
import type { JobTable } from './schema.ts';

type Row = Selectable<JobTable>;

/** Sorts before every time: nothing is to be run again. */
const NEVER = '';
/** A job whose daemon ended again and again while it ran may be what ends it: it waits longer and longer. */
const FREE_LOSSES = 3;
const MAX_LOSS_PAUSE_MS = 3_600_000;
const MAX_ERROR_LENGTH = 1000;
/** The table is read in steps of so many rows where it is swept. */
const SWEEP_ROWS = 500;

export function openJobStore(engine: Engine): JobStore {
  const { db, locked } = engine;
  const rowOf = (connection: Connection, id: number): Promise<Row | undefined> =>
    locked(connection.selectFrom('job').selectAll().where('id', '=', id)).executeTakeFirst();
  const change = async (connection: Connection, id: number, values: Partial<Row>): Promise<void> => {
    await connection.updateTable('job').set(values).where('id', '=', id).execute();
  };
  const get = async (id: number): Promise<Job | undefined> => {
    const row = await db.selectFrom('job').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : jobOf(row);
  };
  /** Leases are judged by one clock, the server's: that of this machine may differ from others'. */
  const shift = async (time: string, byMs = 0): Promise<string> =>
    new Date(Date.parse(time) + (await engine.clockOffsetMs()) + byMs).toISOString();

  return {
    enqueue: (job) =>
      engine.transaction(async (connection) => {
        const byKey = connection.selectFrom('job').selectAll().where('job_key', '=', job.key);
        const before = await locked(byKey).executeTakeFirst();
        if (before === undefined) await connection.insertInto('job').values(newRow(job)).execute();
        else if (job.again === true) await change(connection, before.id, revived(before, job));
        return jobOf(await byKey.executeTakeFirstOrThrow());
      }),

    async lease({ kinds, token, leaseMs, now }) {
      const at = await shift(now);
      // Most of the time there is nothing to do, and reading alone wakes no disk.
      const seen = await nextDue(db, { kinds, at });
      if (seen.row === undefined) return seen.nextAt === undefined ? {} : { nextAt: seen.nextAt };
      const leaseEnd = await shift(now, leaseMs);
      let isRepeated = false;
      return engine.transaction(async (connection) => {
        const mine = isRepeated ? await heldBy(connection, token) : undefined;
        isRepeated = true;
        if (mine !== undefined) return { job: jobOf(mine) };
        for (;;) {
          const { row, nextAt } = await nextDue(connection, { kinds, at }, locked);
          if (row === undefined) return nextAt === undefined ? {} : { nextAt };
          const losses = row.state === 'running' ? row.losses + 1 : row.losses;
          if (row.state === 'running' && losses > FREE_LOSSES) {
            const dueAt = new Date(Date.parse(at) + lossPauseMs(losses)).toISOString();
            await change(connection, row.id, { state: 'waiting', due_at: dueAt, losses, updated_at: now });
            continue;
          }
          const taken = {
            ...{ state: 'running', lease_token: token, due_at: leaseEnd, losses, updated_at: now },
            attempts: row.attempts + 1,
          };
          await change(connection, row.id, taken);
          return { job: jobOf({ ...row, ...taken }) };
        }
      });
    },

    async renew({ id, token, leaseMs, now, progress, checkpoint }) {
      const dueAt = await shift(now, leaseMs);
      return engine.transaction(async (connection) => {
        const row = await rowOf(connection, id);
        if (row?.state !== 'running' || row.lease_token !== token) return 'lost';
        await change(connection, id, {
          due_at: dueAt,
          updated_at: now,
          ...progress,
          ...(checkpoint === undefined ? {} : { checkpoint: JSON.stringify(checkpoint), losses: 0 }),
        });
        return row.cancelling === 1 ? 'cancelling' : 'held';
      });
    },

    settle: ({ id, token, outcome, progress, now }) =>
      engine.transaction(async (connection) => {
        const row = await rowOf(connection, id);
        if (row === undefined || row.lease_token !== token) return false;
        // The answer to an earlier try may have been lost.
        if (row.state !== 'running') return true;
        await change(connection, id, { ...progress, ...settled(row, outcome), updated_at: now });
        return true;
      }),

    cancel: ({ id, now }) =>
      engine.transaction(async (connection) => {
        const row = await rowOf(connection, id);
        if (row === undefined) return undefined;
        if (row.state === 'waiting') await change(connection, id, { state: 'cancelled', updated_at: now });
        if (row.state === 'running') await change(connection, id, { cancelling: 1, updated_at: now });
        return jobOf((await rowOf(connection, id)) ?? row);
      }),

    restart: ({ id, now }) =>
      engine.transaction(async (connection) => {
        const row = await rowOf(connection, id);
        if (row === undefined) return undefined;
        if (row.state === 'waiting') await change(connection, id, { due_at: now });
        if (row.state === 'failed' || row.state === 'cancelled') {
          const begun = { ...BEGUN_ANEW, due_at: now, created_at: now, updated_at: now };
          await change(connection, id, begun);
        }
        return jobOf((await rowOf(connection, id)) ?? row);
      }),

    get,

    async list({ states, kinds, before, limit }) {
      let query = db.selectFrom('job').select(SHORT_COLUMNS).orderBy('id', 'desc').limit(limit);
      if (states !== undefined) query = query.where('state', 'in', states);
      if (kinds !== undefined) query = query.where('kind', 'in', kinds);
      if (before !== undefined) query = query.where('id', '<', before);
      return (await query.execute()).map(summaryOf);
    },

    async tally() {
      const { count } = db.fn;
      const rows = await db
        .selectFrom('job')
        .select(['kind', 'state', count<number>('id').as('jobs')])
        .groupBy(['kind', 'state'])
        .execute();
      return rows.map(({ kind, state, jobs }) => ({ kind, state: state as JobState, jobs }));
    },

    async reclaim({ now }) {
      if (engine.isShared) return;
      await engine.transaction((connection) =>
        connection.updateTable('job').set({ due_at: now }).where('state', '=', 'running').execute(),
      );
    },

    async sweep({ before }) {
      for (let ids = [0]; ids.length > 0; ) {
        ids = await engine.transaction(async (connection) => {
          const old = connection
            .selectFrom('job')
            .select('id')
            .where('state', 'in', ['done', 'failed', 'cancelled'])
            .where('updated_at', '<', before)
            .limit(SWEEP_ROWS);
          const found = (await locked(old).execute()).map(({ id }) => id);
          if (found.length > 0) await connection.deleteFrom('job').where('id', 'in', found).execute();
          return found;
        });
      }
    },
  };
}

/** The job to lease, or when there may be one. A lease that has run out goes first. */
async function nextDue(
  connection: Connection,
  { kinds, at }: Pick<LeaseRequest, 'kinds'> & { at: string },
  locked: Engine['locked'] = (query) => query,
): Promise<{ row?: Row; nextAt?: string }> {
  if (kinds.length === 0) return {};
  let nextAt: string | undefined;
  for (const state of ['running', 'waiting']) {
    const open = connection.selectFrom('job').where('state', '=', state).where('kind', 'in', kinds);
    const due = open
      .selectAll()
      .where('due_at', '<=', at)
      .orderBy('priority')
      .orderBy('due_at')
      .orderBy('id')
      .limit(1);
    const row = await locked(due).executeTakeFirst();
    if (row !== undefined) return { row };
    const later = await open.select(['due_at']).orderBy('due_at').limit(1).executeTakeFirst();
    if (later !== undefined && (nextAt === undefined || later.due_at < nextAt)) nextAt = later.due_at;
  }
  return nextAt === undefined ? {} : { nextAt };
}

function lossPauseMs(losses: number): number {
  return Math.min(10_000 * 2 ** Math.min(losses - FREE_LOSSES, 20), MAX_LOSS_PAUSE_MS);
}

function heldBy(connection: Connection, token: string): Promise<Row | undefined> {
  const held = connection.selectFrom('job').selectAll().where('state', '=', 'running');
  return held.where('lease_token', '=', token).executeTakeFirst();
}

const BEGUN_ANEW = {
  state: 'waiting',
  attempts: 0,
  losses: 0,
  error: '',
  cancelling: 0,
  done: 0,
  total: 0,
} as const;

function newRow(job: NewJob) {
  const { kind, key, priority, dueAt, now } = job;
  return {
    ...BEGUN_ANEW,
    kind,
    job_key: key,
    priority,
    title: JSON.stringify(job.title),
    payload: JSON.stringify(job.payload),
    checkpoint: 'null',
    due_at: dueAt,
    again_at: NEVER,
    lease_token: '',
    created_at: now,
    updated_at: now,
  };
}

function revived(row: Row, { dueAt, title, payload, now }: NewJob): Partial<Row> {
  const earlier = (time: string) => (time !== NEVER && time < dueAt ? time : dueAt);
  // What is asked for meanwhile does not overtake the pause after a failure.
  if (row.state === 'waiting') return { due_at: row.error === '' ? earlier(row.due_at) : row.due_at };
  if (row.state === 'running') return { again_at: earlier(row.again_at) };
  const words = { title: JSON.stringify(title), payload: JSON.stringify(payload), checkpoint: 'null' };
  return { ...BEGUN_ANEW, ...words, due_at: dueAt, created_at: now, updated_at: now };
}

function settled(row: Row, outcome: Outcome): Partial<Row> {
  const error = 'error' in outcome ? (outcome.error ?? '').slice(0, MAX_ERROR_LENGTH) : '';
  const again = row.again_at;
  const end = { error, again_at: NEVER, cancelling: 0 };
  if (outcome.state === 'waiting') {
    const { dueAt } = outcome;
    if (error !== '') return { ...end, state: 'waiting', due_at: dueAt, losses: 0 };
    const at = again !== NEVER && again < dueAt ? again : dueAt;
    return { ...end, state: 'waiting', due_at: at, attempts: 0, losses: 0 };
  }
  if (outcome.state === 'done' && again !== NEVER) return { ...end, ...BEGUN_ANEW, due_at: again };
  return { ...end, state: outcome.state, losses: 0 };
}

function jobOf(row: Row): Job {
  const { payload, checkpoint } = row;
  return {
    ...summaryOf(row),
    payload: JSON.parse(payload) as Json,
    checkpoint: JSON.parse(checkpoint) as Json,
  };
}

const SHORT_COLUMNS = [
  ...(['id', 'kind', 'job_key', 'state', 'priority', 'title', 'done', 'total'] as const),
  ...(['attempts', 'losses', 'error', 'cancelling', 'due_at', 'created_at', 'updated_at'] as const),
] as const;

function summaryOf(row: Pick<Row, (typeof SHORT_COLUMNS)[number]>): JobSummary {
  return {
    id: row.id,
    kind: row.kind,
    key: row.job_key,
    state: row.state as JobState,
    priority: row.priority,
    title: JSON.parse(row.title) as Record<string, string>,
    done: row.done,
    total: row.total,
    attempts: row.attempts,
    losses: row.losses,
    error: row.error,
    isCancelling: row.cancelling === 1,
    dueAt: row.due_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
