// Ingest: one batch of received instances becomes one durable transaction.

import type { Engine } from './engine.ts';
import { prepareLoad } from './ingest-load.ts';
import type { IngestRecord } from './ingest-record.ts';
import { prepareWrite } from './ingest-write.ts';

export type Ingest = (batch: readonly IngestRecord[]) => Promise<void>;

export function prepareIngest(engine: Engine): Ingest {
  const load = prepareLoad(engine);
  const write = prepareWrite(engine);
  return async (batch) => {
    if (batch.length === 0) return;
    await engine.transaction(async (connection) => write(connection, await load(connection, batch)));
  };
}
