// Tables with an owner outside of the catalogue: their methods take and give plain values, so that the thread of the
// catalogue is asked for each by its name.

import { openDeliveryStore } from './deliveries.ts';
import { prepareAddDeliveries } from './delivery-rows.ts';
import type { DeliveryStore } from './delivery-store.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import type { JobStore } from './job-store.ts';
import { openJobStore } from './jobs.ts';

export interface Stores {
  readonly jobs: JobStore;
  readonly deliveries: DeliveryStore;
}

/** One method of one store, as it is asked for. */
export interface StoreCall {
  readonly store: keyof Stores;
  readonly method: string;
  readonly request: unknown;
}

type Method = (request: unknown) => Promise<unknown>;

const METHODS: { readonly [S in keyof Stores]: readonly (keyof Stores[S] & string)[] } = {
  jobs: [
    ...(['enqueue', 'lease', 'renew', 'settle', 'cancel', 'restart', 'reclaim', 'sweep'] as const),
    ...(['get', 'list', 'tally'] as const),
  ],
  deliveries: [
    ...(['take', 'nextAt', 'sent', 'failed', 'drop', 'assign', 'release', 'reported', 'fill'] as const),
    ...(['lag', 'late', 'ofStudies', 'uncommitted', 'committedOf'] as const),
  ],
};

/** In the thread: answers calls. */
export function answerCalls(engine: Engine): (call: StoreCall) => Promise<unknown> {
  const stores: Stores = {
    jobs: openJobStore(engine),
    deliveries: openDeliveryStore(engine, prepareAddDeliveries(engine)),
  };
  return ({ store, method, request }) => {
    const methods = stores[store] as unknown as Readonly<Record<string, Method>>;
    const answer = methods[method];
    if (answer === undefined) throw new CatalogError('catalog-request', `${store} has no ${method}`);
    return answer(request);
  };
}

/** Outside: the same store, asked through `ask`. */
export function remoteStore<S extends keyof Stores>(
  store: S,
  ask: (call: StoreCall) => Promise<unknown>,
): Stores[S] {
  const methods = METHODS[store].map((method): [string, Method] => [
    method,
    (request) => ask({ store, method, request }),
  ]);
  return Object.fromEntries(methods) as unknown as Stores[S];
}
