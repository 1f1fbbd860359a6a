// The job `fill`: looks through everything that is here for what a second archive was never sent.

import type { DeliveryStore } from '../catalog/delivery-store.ts';
import { type JobKind, PRIORITY } from './job-kind.ts';
import { FOR_EVER } from './retry-policy.ts';

const PAGE = 500;
const AGAIN_MS = 7 * 24 * 3_600_000;

export interface FillSite {
  readonly deliveries: DeliveryStore;
  readonly isArchive: (destination: string) => boolean;
  /** Something is due now. */
  onAdded(destination: string): void;
  readonly now: () => Date;
}

export function fillKind({ deliveries, isArchive, onAdded, now }: FillSite): JobKind {
  return {
    kind: 'fill',
    priority: PRIORITY.background,
    retry: FOR_EVER,
    run: async ({ payload, checkpoint }, context) => {
      const { destination } = payload as { destination: string };
      if (!isArchive(destination)) return undefined;
      let after = typeof checkpoint === 'number' ? checkpoint : 0;
      // Done is 1 only when everything has been looked through since the last start.
      context.progress(0, 1);
      for (let isDone = false; !isDone; ) {
        const page = await deliveries.fill({ destination, after, limit: PAGE, now: now().toISOString() });
        ({ after, isDone } = page);
        if (page.added > 0) onAdded(destination);
        await context.checkpoint(after);
        await context.giveWay();
      }
      await context.checkpoint(0);
      context.progress(1, 1);
      return { againAt: new Date(now().getTime() + AGAIN_MS) };
    },
  };
}
