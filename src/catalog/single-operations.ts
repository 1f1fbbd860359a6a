// Everything that the catalogue is asked in one question with one answer, beside finding and ingesting. No SQL here.

import type { TrashOperations } from './trash.ts';
import type { UpkeepOperations } from './upkeep.ts';

export interface SingleOperations extends TrashOperations, UpkeepOperations {}

interface Exchange {
  readonly request: unknown;
  readonly answer: unknown;
}

export type Handlers<T> = {
  readonly [O in keyof T]: T[O] extends Exchange
    ? (request: T[O]['request']) => Promise<T[O]['answer']>
    : never;
};
