// Each single question and the function on the engine that answers it.

import type { Engine } from './engine.ts';
import type { LoadState } from './ingest-load.ts';
import type { WriteState } from './ingest-write.ts';
import type { Handlers, SingleOperations } from './single-operations.ts';
import { trashOperations } from './trash-operations.ts';
import { upkeepOperations } from './upkeep-operations.ts';
import { verificationOperations } from './verification.ts';

export function singleOperations(
  engine: Engine,
  load: LoadState,
  write: WriteState,
): Handlers<SingleOperations> {
  return {
    ...trashOperations(engine, load, write),
    ...upkeepOperations(engine),
    ...verificationOperations(engine, load, write),
  };
}
