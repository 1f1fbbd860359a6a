// Retrieve SCP, C-MOVE: the sub-operations go to a known destination over associations of our own (PS3.4 C.4.2).

import type { Archive } from '../archive/archive.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Service, ServiceRequest } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import { storeItems, survey } from '../jobs/store-items.ts';
import { sendItems } from '../scu/send.ts';
import { PacsError } from '../util/errors.ts';
import type { Callers, Peer } from './callers.ts';
import { readIdentifier } from './identifier.ts';
import { MOVE_MODELS } from './query-models.ts';
import type { RetrieveObserver } from './retrieve-observer.ts';
import { selectionOf } from './selection.ts';
import { queryFailure } from './status-mapping.ts';
import { SubOperations } from './sub-operations.ts';

export interface MoveScpOptions {
  readonly archive: Archive;
  readonly callers: Callers;
  /** Our AE title, under which the destination is called. */
  readonly aeTitle: () => string;
  readonly observer: RetrieveObserver;
}

export function moveScp({ archive, callers, aeTitle, observer }: MoveScpOptions): Service {
  return async (request) => {
    const { association, cancelled, command } = request;
    const identifier = await readIdentifier(request, MOVE_MODELS.get(request.context.abstractSyntax) ?? []);
    const peer = destinationOf(request, callers);
    const selection = selectionOf(identifier);
    try {
      const { total, kinds } = await survey(archive, selection);
      const counts = new SubOperations(total);
      const originator = { aeTitle: association.callingAeTitle, messageId: command.messageId ?? 0 };
      const sending = { peer, callingAeTitle: aeTitle(), signal: cancelled, originator };
      try {
        for await (const result of sendItems(sending, kinds, () => storeItems(archive, selection))) {
          if (counts.add(result)) observer.subOperationFailed(association, peer.aeTitle, result);
          await counts.report(request);
        }
      } catch (error) {
        if (!(error instanceof PacsError && error.code.startsWith('ul-'))) throw error;
        // Every instance is named as failed: the requestor may ask for them one by one later.
        observer.destinationUnreachable(association, peer.aeTitle, error);
        for await (const item of storeItems(archive, selection)) {
          counts.add({ item, status: Status.unableToPerformSubOperations });
        }
        return { ...counts.final(request), errorComment: `${peer.aeTitle}: ${error.message}` };
      }
      return counts.final(request);
    } catch (error) {
      throw queryFailure(error, Status.unableToCalculateMatches);
    }
  };
}

function destinationOf({ command }: ServiceRequest, callers: Callers): Peer {
  const title = command.moveDestination ?? '';
  const peer = callers.peer(title);
  if (peer !== undefined) return peer;
  throw new DimseError(
    Status.moveDestinationUnknown,
    `Move Destination ${JSON.stringify(title)} is not a known peer.`,
    { code: 'move-destination-unknown', offendingElement: [0x00000600] },
  );
}
