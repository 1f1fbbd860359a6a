// Ingest: one batch of received instances becomes one durable transaction.

import { type DueInstance, prepareAddDeliveries } from './delivery-rows.ts';
import type { Route } from './delivery-store.ts';
import type { Engine } from './engine.ts';
import { type LoadState, prepareLoad } from './ingest-load.ts';
import type { IngestRecord } from './ingest-record.ts';
import { prepareWrite, type WriteState } from './ingest-write.ts';

export type Ingest = (batch: readonly IngestRecord[]) => Promise<void>;

export function prepareIngest(
  engine: Engine,
  load: LoadState = prepareLoad(engine),
  write: WriteState = prepareWrite(engine),
): Ingest {
  const addDeliveries = prepareAddDeliveries(engine);
  return async (batch) => {
    if (batch.length === 0) return;
    await engine.transaction(async (connection) => {
      await write(connection, await load.batch(connection, batch));
      for (const [route, instances] of dueInstances(batch)) await addDeliveries(connection, route, instances);
    });
  };
}

/** What goes where: durable as soon as the instance is in the index. */
function dueInstances(batch: readonly IngestRecord[]): Map<Route, DueInstance[]> {
  const byRoute = new Map<string, { readonly route: Route; readonly due: DueInstance[] }>();
  for (const { routes = [], uid, sopClassUid, studyUid, location } of batch) {
    for (const route of routes) {
      const key = `${route.destination} ${route.quietS}`;
      const entry = byRoute.get(key) ?? { route, due: [] };
      byRoute.set(key, entry);
      const { sha256, dataSetBytes, receivedAt } = location;
      const instance = { sopInstanceUid: uid, sopClassUid, studyUid, sha256 };
      entry.due.push({ ...instance, bytes: dataSetBytes, queuedAt: receivedAt });
    }
  }
  return new Map([...byRoute.values()].map(({ route, due }) => [route, due]));
}
