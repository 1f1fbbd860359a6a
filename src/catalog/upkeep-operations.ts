// Findings, runs and notices in the database.

import type { Selectable } from 'kysely';
import type { Engine } from './engine.ts';
import { readIntake } from './intake.ts';
import type { FindingTable } from './schema.ts';
import type { Handlers } from './single-operations.ts';
import type {
  CheckRun,
  Finding,
  FindingKind,
  FindingState,
  NoticeLevel,
  UpkeepOperations,
} from './upkeep.ts';
import type { VerificationOperations } from './verification.ts';

const PAGE = 100;

type Operations = Omit<UpkeepOperations, keyof VerificationOperations>;

export function upkeepOperations(engine: Engine): Handlers<Operations> {
  const { db, transaction } = engine;
  return {
    intake: (from) => readIntake(engine, from),
    report: ({ kind, path, sopInstanceUid: uid, reason, foundAt }) =>
      transaction(async (connection) => {
        const known = connection
          .selectFrom('finding')
          .selectAll()
          .where('path', '=', path)
          .where('kind', '=', kind)
          .where('state', '!=', 'solved')
          .orderBy('id', 'desc');
        const before = await known.executeTakeFirst();
        if (before !== undefined) return { finding: findingOf(before), isNew: false };
        const row = { kind, path, uid, reason, found_at: foundAt, state: 'open', closed_at: '' };
        await connection.insertInto('finding').values(row).execute();
        return { finding: findingOf(await known.executeTakeFirstOrThrow()), isNew: true };
      }),
    finding: async (id) => {
      const row = await db.selectFrom('finding').selectAll().where('id', '=', id).executeTakeFirst();
      if (row === undefined) return undefined;
      const actions = await db
        .selectFrom('finding_action')
        .select(['at', 'done_by as by', 'action', 'outcome'])
        .where('finding_id', '=', id)
        .orderBy('id')
        .execute();
      return { finding: findingOf(row), actions };
    },
    findings: async ({ state, below }) => {
      let query = db.selectFrom('finding').selectAll().orderBy('id', 'desc').limit(PAGE);
      if (state !== undefined) query = query.where('state', '=', state);
      if (below !== undefined) query = query.where('id', '<', below);
      return (await query.execute()).map(findingOf);
    },
    openFindings: async () => {
      const counting = db
        .selectFrom('finding')
        .select(({ fn }) => fn.countAll<number>().as('count'))
        .where('state', '=', 'open');
      return (await counting.executeTakeFirstOrThrow()).count;
    },
    act: ({ finding, state, at, by, action, outcome }) =>
      transaction(async (connection) => {
        await connection
          .insertInto('finding_action')
          .values({ finding_id: finding, at, done_by: by, action, outcome })
          .execute();
        if (state === undefined) return undefined;
        const closed = { state, closed_at: state === 'open' ? '' : at };
        await connection.updateTable('finding').set(closed).where('id', '=', finding).execute();
        return undefined;
      }),
    solve: async ({ path, at, by, action, outcome }) => {
      const open = await db
        .selectFrom('finding')
        .select('id')
        .where('path', '=', path)
        .where('state', '!=', 'solved')
        .execute();
      if (open.length === 0) return undefined;
      return transaction(async (connection) => {
        for (const { id } of open) {
          await connection
            .insertInto('finding_action')
            .values({ finding_id: id, at, done_by: by, action, outcome })
            .execute();
          const closed = { state: 'solved', closed_at: at };
          await connection.updateTable('finding').set(closed).where('id', '=', id).execute();
        }
        return undefined;
      });
    },
    beginRun: (startedAt) =>
      transaction(async (connection) => {
        const counts = { files: 0, bytes: 0, findings: 0, repaired: 0 };
        const row = { started_at: startedAt, ended_at: '', state: 'running', ...counts };
        await connection.insertInto('check_run').values(row).execute();
        const newest = connection.selectFrom('check_run').select('id').orderBy('id', 'desc').limit(1);
        return (await newest.executeTakeFirstOrThrow()).id;
      }),
    updateRun: ({ id, endedAt, state, files, bytes, findings, repaired }) =>
      transaction(async (connection) => {
        const row = { ended_at: endedAt, state, files, bytes, findings, repaired };
        await connection.updateTable('check_run').set(row).where('id', '=', id).execute();
        return undefined;
      }),
    runs: async (limit) => {
      const rows = await db.selectFrom('check_run').selectAll().orderBy('id', 'desc').limit(limit).execute();
      return rows.map(({ started_at, ended_at, state, ...counts }) => ({
        ...counts,
        startedAt: started_at,
        endedAt: ended_at,
        state: state as CheckRun['state'],
      }));
    },
    raise: ({ key, code, level, params, at }) =>
      transaction(async (connection) => {
        const known = await connection
          .selectFrom('notice')
          .selectAll()
          .where('notice_key', '=', key)
          .executeTakeFirst();
        const text = JSON.stringify(params);
        if (known === undefined) {
          const row = { notice_key: key, code, level, params: text, raised_at: at };
          await connection.insertInto('notice').values(row).execute();
          return true;
        }
        await connection
          .updateTable('notice')
          .set({ code, level, params: text })
          .where('notice_key', '=', key)
          .execute();
        return known.level !== level;
      }),
    clear: (key) =>
      transaction(async (connection) => {
        const [deleted] = await connection.deleteFrom('notice').where('notice_key', '=', key).execute();
        return (deleted?.numDeletedRows ?? 0n) > 0n;
      }),
    notices: async () => {
      const rows = await db.selectFrom('notice').selectAll().orderBy('raised_at').execute();
      return rows.map(({ notice_key, code, level, params, raised_at }) => ({
        key: notice_key,
        code,
        level: level as NoticeLevel,
        params: JSON.parse(params) as Record<string, string | number>,
        at: raised_at,
      }));
    },
    progress: async (name) => {
      const query = db.selectFrom('progress').select('value').where('name', '=', name);
      return (await query.executeTakeFirst())?.value;
    },
    setProgress: ({ name, value }) =>
      transaction(async (connection) => {
        await connection.deleteFrom('progress').where('name', '=', name).execute();
        await connection.insertInto('progress').values({ name, value }).execute();
        return undefined;
      }),
  };
}

function findingOf(row: Selectable<FindingTable>): Finding {
  return {
    id: row.id,
    kind: row.kind as FindingKind,
    path: row.path,
    sopInstanceUid: row.uid,
    reason: row.reason,
    foundAt: row.found_at,
    state: row.state as FindingState,
    closedAt: row.closed_at,
  };
}
