// Retrieve SCP, C-GET: the sub-operations go back over the same association (PS3.4 C.4.3).

import type { Archive } from '../archive/archive.ts';
import type { Service } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import { storeItems, survey } from '../jobs/store-items.ts';
import { ItemQueue } from '../scu/item-queue.ts';
import { storeAll } from '../scu/store.ts';
import { readIdentifier } from './identifier.ts';
import { GET_MODELS } from './query-models.ts';
import type { RetrieveObserver } from './retrieve-observer.ts';
import { selectionOf } from './selection.ts';
import { queryFailure } from './status-mapping.ts';
import { SubOperations } from './sub-operations.ts';

export function getScp(archive: Archive, observer: RetrieveObserver): Service {
  return async (request) => {
    const { invoker, context, cancelled, association } = request;
    const identifier = await readIdentifier(request, GET_MODELS.get(context.abstractSyntax) ?? []);
    const selection = selectionOf(identifier);
    try {
      const { total } = await survey(archive, selection);
      const counts = new SubOperations(total);
      const items = new ItemQueue(storeItems(archive, selection));
      try {
        for await (const result of storeAll(invoker, items, cancelled)) {
          if (counts.add(result))
            observer.subOperationFailed(association, association.callingAeTitle, result);
          await counts.report(request);
        }
      } finally {
        await items.close();
      }
      return counts.final(request);
    } catch (error) {
      throw queryFailure(error, Status.unableToCalculateMatches);
    }
  };
}
