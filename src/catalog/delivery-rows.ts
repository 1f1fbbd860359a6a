// Rows of deliveries for instances that were indexed: new content of an instance is due again.

import type { Insertable } from 'kysely';
import type { Route } from './delivery-store.ts';
import type { Engine } from './engine.ts';
import { type Connection, prepareRows } from './prepared.ts';
import type { DeliveryTable } from './schema.ts';

export interface DueInstance {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly studyUid: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly queuedAt: string;
}

export type AddDeliveries = (
  connection: Connection,
  route: Route,
  instances: readonly DueInstance[],
) => Promise<number>;

const LOOKED_UP = 250;

/** Resolves with the number of rows that are due because of it. */
export function prepareAddDeliveries({ db, locked }: Engine): AddDeliveries {
  const insert = prepareRows(
    [
      ...(['destination', 'instance_uid', 'sop_class_uid', 'study_uid', 'sha256', 'bytes', 'state'] as const),
      ...(['quiet_s', 'queued_at', 'ready_at', 'sent_at', 'asked_at', 'committed_at'] as const),
      ...(['transaction_uid', 'attempts', 'error'] as const),
    ],
    (rows: readonly Insertable<DeliveryTable>[]) => db.insertInto('delivery').values(rows),
  );
  return async (connection, { destination, quietS }, instances) => {
    const newest = new Map(instances.map((instance) => [instance.sopInstanceUid, instance]));
    const uids = [...newest.keys()];
    let changed = 0;
    for (let start = 0; start < uids.length; start += LOOKED_UP) {
      const known = connection
        .selectFrom('delivery')
        .select(['id', 'instance_uid', 'sha256'])
        .where('destination', '=', destination)
        .where('instance_uid', 'in', uids.slice(start, start + LOOKED_UP));
      for (const { id, instance_uid, sha256 } of await locked(known).execute()) {
        const instance = newest.get(instance_uid);
        newest.delete(instance_uid);
        if (instance === undefined || instance.sha256 === sha256) continue;
        await connection
          .updateTable('delivery')
          .set({ ...dueRow(instance), quiet_s: quietS })
          .where('id', '=', id)
          .execute();
        changed += 1;
      }
    }
    const rows = [...newest.values()].map((instance) => ({
      ...dueRow(instance),
      ...{ destination, instance_uid: instance.sopInstanceUid, quiet_s: quietS },
    }));
    await insert(connection, rows);
    return changed + rows.length;
  };
}

function dueRow({ sopClassUid, studyUid, sha256, bytes, queuedAt }: DueInstance) {
  return {
    ...{ sop_class_uid: sopClassUid, study_uid: studyUid, sha256, bytes, state: 'due' },
    ...{ queued_at: queuedAt, ready_at: queuedAt, sent_at: '', asked_at: '', committed_at: '' },
    ...{ transaction_uid: '', attempts: 0, error: '' },
  };
}
