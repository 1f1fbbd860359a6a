// The table of deliveries: each change is one durable transaction, which leaves the same behind when it is run twice.

import type { Selectable } from 'kysely';
import type { AddDeliveries } from './delivery-rows.ts';
import type { Delivery, DeliveryState, DeliveryStore, Lag } from './delivery-store.ts';
import type { Engine } from './engine.ts';
import { type Connection, prepare, prepareList } from './prepared.ts';
import type { InstanceTable } from './schema.ts';

const COLUMNS = [
  ...(['id', 'instance_uid as sopInstanceUid', 'sop_class_uid as sopClassUid'] as const),
  ...(['study_uid as studyUid', 'sha256', 'attempts'] as const),
] as const;
const MAX_ERROR_LENGTH = 500;
/** Studies that wait for more to come, looked at in one go. */
const WAITING_STUDIES = 1000;
const LIST = 250;
/** Of what is late: enough to say how bad it is. */
const LOOKED_AT = 1000;

type FillRow = Pick<
  Selectable<InstanceTable>,
  'id' | 'uid' | 'series_id' | 'sop_class_uid' | 'sha256' | 'data_set_bytes'
>;

export function openDeliveryStore(engine: Engine, add: AddDeliveries): DeliveryStore {
  const { db, locked } = engine;
  const { count, max, min, sum } = db.fn;
  const dueAt = (connection: Connection, destination: string) =>
    connection.selectFrom('delivery').where('destination', '=', destination).where('state', '=', 'due');

  // Joined in one statement, a server may begin with all studies there are and put every instance in order.
  const behind = prepare<{ after: number; limit: number }, FillRow>((slot) =>
    db
      .selectFrom('instance')
      .select(['id', 'uid', 'series_id', 'sop_class_uid', 'sha256', 'data_set_bytes'])
      .where('id', '>', slot('after'))
      .orderBy('id')
      .limit(slot('limit')),
  );
  const studiesOf = prepareList((ids: readonly number[]) =>
    db
      .selectFrom('series')
      .innerJoin('study', 'study.id', 'series.study_id')
      .select(['series.id', 'study.uid'])
      .where('series.id', 'in', ids),
  );

  /** Studies of which the last instance came: when each may go. */
  const quietStudies = async (destination: string): Promise<{ studyUid: string; readyAt: string }[]> => {
    const rows = await dueAt(db, destination)
      .where('quiet_s', '>', 0)
      .select(['study_uid', max<string>('ready_at').as('last'), max<number>('quiet_s').as('quiet')])
      .groupBy('study_uid')
      .limit(WAITING_STUDIES)
      .execute();
    return rows.map(({ study_uid, last, quiet }) => ({
      studyUid: study_uid,
      readyAt: new Date(Date.parse(last) + quiet * 1000).toISOString(),
    }));
  };

  return {
    async take({ destination, now, limit }) {
      // In the order of the index: of what is due there may be millions.
      const at = dueAt(db, destination)
        .select(COLUMNS)
        .where('ready_at', '<=', now)
        .orderBy('queued_at')
        .orderBy('bytes')
        .orderBy('id')
        .limit(limit);
      const single: Delivery[] = await at.where('quiet_s', '=', 0).execute();
      if (single.length > 0) return single;
      const ready = (await quietStudies(destination)).filter(({ readyAt }) => readyAt <= now);
      const studyUids = ready.slice(0, LIST).map(({ studyUid }) => studyUid);
      return studyUids.length === 0 ? [] : at.where('study_uid', 'in', studyUids).execute();
    },

    async nextAt({ destination, patienceMs }) {
      const single = await dueAt(db, destination)
        .where('quiet_s', '=', 0)
        .select(min<string | null>('ready_at').as('at'))
        .executeTakeFirst();
      const asked = await db
        .selectFrom('delivery')
        .where('destination', '=', destination)
        .where('state', '=', 'sent')
        // Where nobody confirms anything, all that was ever sent is without one.
        .where('transaction_uid', '>', '')
        .select(min<string | null>('asked_at').as('at'))
        .executeTakeFirst();
      const answer = asked?.at ? [new Date(Date.parse(asked.at) + patienceMs).toISOString()] : [];
      const studies = (await quietStudies(destination)).map(({ readyAt }) => readyAt);
      return [...(single?.at ? [single.at] : []), ...answer, ...studies].sort()[0] ?? null;
    },

    sent: ({ deliveries, now }) =>
      engine.transaction(async (connection) => {
        const gone = { state: 'sent', sent_at: now, transaction_uid: '', asked_at: '', error: '' };
        for (const { id, was, sha256 } of deliveries) {
          const row = connection.updateTable('delivery').set({ ...gone, sha256 });
          await row.where('id', '=', id).where('sha256', '=', was).where('state', '=', 'due').execute();
        }
      }),

    failed: ({ deliveries }) =>
      engine.transaction(async (connection) => {
        for (const { id, was, error, readyAt } of deliveries) {
          const next = readyAt === undefined ? { state: 'refused' } : { ready_at: readyAt };
          await connection
            .updateTable('delivery')
            .set((eb) => ({
              ...next,
              error: error.slice(0, MAX_ERROR_LENGTH),
              attempts: eb('attempts', '+', 1),
            }))
            .where('id', '=', id)
            .where('sha256', '=', was)
            .execute();
        }
      }),

    drop: ({ ids }) =>
      engine.transaction(async (connection) => {
        for (const part of parts(ids)) {
          await connection.deleteFrom('delivery').where('id', 'in', part).execute();
        }
      }),

    assign: ({ destination, transactionUid, now, limit }) =>
      engine.transaction(async (connection) => {
        const rows = connection.selectFrom('delivery').select(COLUMNS).where('destination', '=', destination);
        const sent = rows.where('state', '=', 'sent');
        // The answer to an earlier try may have been lost.
        const mine = await sent.where('transaction_uid', '=', transactionUid).execute();
        if (mine.length > 0) return mine;
        const open = sent.where('transaction_uid', '=', '').orderBy('id').limit(limit);
        const found = await locked(open).execute();
        for (const part of parts(found.map(({ id }) => id))) {
          const assigned = { transaction_uid: transactionUid, asked_at: now };
          await connection.updateTable('delivery').set(assigned).where('id', 'in', part).execute();
        }
        return found;
      }),

    async release({ destination, askedBefore, transactionUid }) {
      await engine.transaction(async (connection) => {
        let rows = connection
          .updateTable('delivery')
          .set({ transaction_uid: '', asked_at: '' })
          .where('destination', '=', destination)
          .where('state', '=', 'sent')
          .where('transaction_uid', '>', '');
        if (askedBefore !== undefined) rows = rows.where('asked_at', '<', askedBefore);
        if (transactionUid !== undefined) rows = rows.where('transaction_uid', '=', transactionUid);
        await rows.execute();
      });
    },

    reported: ({ destination, transactionUid, committed, failed, now, readyAt }) =>
      engine.transaction(async (connection) => {
        const open = connection
          .selectFrom('delivery')
          .select(['id', 'instance_uid'])
          .where('destination', '=', destination)
          .where('state', '=', 'sent')
          .where('transaction_uid', '=', transactionUid);
        const ids = new Map((await locked(open).execute()).map((row) => [row.instance_uid, row.id]));
        const safe = committed.flatMap((uid) => ids.get(uid) ?? []);
        for (const part of parts(safe)) {
          const values = { state: 'committed', committed_at: now, transaction_uid: '', error: '' };
          await connection.updateTable('delivery').set(values).where('id', 'in', part).execute();
        }
        for (const { sopInstanceUid, error } of failed) {
          const id = ids.get(sopInstanceUid);
          if (id === undefined) continue;
          const values = { state: 'due', ready_at: readyAt, transaction_uid: '', asked_at: '', error };
          await connection
            .updateTable('delivery')
            .set((eb) => ({ ...values, attempts: eb('attempts', '+', 1) }))
            .where('id', '=', id)
            .execute();
        }
        return ids.size > 0;
      }),

    fill: ({ destination, after, limit, now }) =>
      engine.transaction(async (connection) => {
        const rows = await behind(connection, { after, limit });
        const studyUids = new Map(
          (await studiesOf(connection, [...new Set(rows.map((row) => row.series_id))])).map(({ id, uid }) => [
            id,
            uid,
          ]),
        );
        const known = new Map<string, string>();
        for (const part of parts(rows.map(({ uid }) => uid))) {
          const there = connection.selectFrom('delivery').select(['instance_uid', 'sha256']);
          const found = there.where('instance_uid', 'in', part).where('destination', '=', destination);
          for (const { instance_uid, sha256 } of await found.execute()) known.set(instance_uid, sha256);
        }
        const missing = rows.flatMap(({ series_id, ...row }) => {
          const studyUid = studyUids.get(series_id);
          return studyUid === undefined || known.get(row.uid) === row.sha256 ? [] : [{ ...row, studyUid }];
        });
        const added = await add(
          connection,
          { destination, quietS: 0 },
          missing.map((row) => ({
            ...{ sopInstanceUid: row.uid, sopClassUid: row.sop_class_uid, studyUid: row.studyUid },
            ...{ sha256: row.sha256, bytes: row.data_set_bytes, queuedAt: now },
          })),
        );
        return { after: rows.at(-1)?.id ?? after, added, isDone: rows.length < limit };
      }),

    async late({ destination, before }) {
      const oldest = (state: DeliveryState) =>
        db
          .selectFrom('delivery')
          .where('destination', '=', destination)
          .where('state', '=', state)
          .where('queued_at', '<', before)
          .select(['sent_at', 'asked_at', 'error'])
          .orderBy('queued_at')
          .limit(LOOKED_AT)
          .execute();
      const open = await oldest('due');
      const sent = (await oldest('sent')).filter((row) => row.sent_at < before);
      const due = open.filter((row) => row.sent_at === '');
      const denied = open.filter((row) => row.sent_at !== '');
      const asked = sent.filter((row) => row.asked_at !== '');
      const errorOf = (rows: typeof open) => rows.find(({ error }) => error !== '')?.error ?? '';
      return {
        ...{ due: due.length, dueError: errorOf(due) },
        ...{ unconfirmed: denied.length + asked.length, unconfirmedError: errorOf(denied) },
        unasked: sent.length - asked.length,
      };
    },

    async lag({ destination }) {
      const rows = await db
        .selectFrom('delivery')
        .where('destination', '=', destination)
        // Of what is committed there may be millions.
        .where('state', 'in', ['due', 'sent', 'refused'])
        .select(['state', count<number>('id').as('rows'), sum<number>('bytes').as('bytes')])
        .select(min<string>('queued_at').as('oldest'))
        .groupBy('state')
        .execute();
      const of = (state: DeliveryState) => rows.find((row) => row.state === state);
      const open = [of('due'), of('sent')].filter((row) => row !== undefined);
      return {
        ...{ due: of('due')?.rows ?? 0, sent: of('sent')?.rows ?? 0, refused: of('refused')?.rows ?? 0 },
        openBytes: open.reduce((bytes, row) => bytes + Number(row.bytes), 0),
        oldestAt: open.map(({ oldest }) => oldest).sort()[0],
      } satisfies Lag;
    },

    async ofStudies({ studyUids }) {
      if (studyUids.length === 0) return [];
      const rows = await db
        .selectFrom('delivery')
        .where('study_uid', 'in', studyUids)
        .select(['study_uid', 'destination', 'state', count<number>('id').as('rows')])
        .groupBy(['study_uid', 'destination', 'state'])
        .execute();
      const groups = Map.groupBy(rows, ({ study_uid, destination }) => `${study_uid} ${destination}`);
      return [...groups.values()].map((group) => {
        const of = (state: DeliveryState) => group.find((row) => row.state === state)?.rows ?? 0;
        const { study_uid = '', destination = '' } = group[0] ?? {};
        const states = {
          due: of('due'),
          sent: of('sent'),
          committed: of('committed'),
          refused: of('refused'),
        };
        return { studyUid: study_uid, destination, ...states };
      });
    },

    uncommitted: ({ destination, after, limit }) =>
      db
        .selectFrom('delivery')
        .where('destination', '=', destination)
        .where('state', '=', 'sent')
        .where('id', '>', after)
        .select(['id', 'study_uid as studyUid', 'instance_uid as sopInstanceUid'])
        .select(['sent_at as sentAt', 'asked_at as askedAt'])
        .orderBy('id')
        .limit(limit)
        .execute(),

    async committedOf({ sopInstanceUids }) {
      const found = new Set<string>();
      for (const part of parts(sopInstanceUids)) {
        const rows = await db
          .selectFrom('delivery')
          .innerJoin('instance', 'instance.uid', 'delivery.instance_uid')
          .whereRef('instance.sha256', '=', 'delivery.sha256')
          .where('delivery.state', '=', 'committed')
          .where('delivery.instance_uid', 'in', part)
          .select('delivery.instance_uid as uid')
          .execute();
        for (const { uid } of rows) found.add(uid);
      }
      return [...found];
    },
  };
}

function* parts<T>(values: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < values.length; start += LIST) yield values.slice(start, start + LIST);
}
