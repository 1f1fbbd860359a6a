// Ingest: one batch of received instances becomes one durable transaction.

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
  return async (batch) => {
    if (batch.length === 0) return;
    await engine.transaction(async (connection) => write(connection, await load.batch(connection, batch)));
  };
}
