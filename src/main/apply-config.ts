// Takes over settings in a running daemon: what can be at once, the address of the DICOM listeners by listening anew.

import type { Apply } from '../config/live-config.ts';
import { type Config, PATIENT_LOG_FIELDS } from '../config/schema.ts';
import type { DimseListener } from '../dimse/listener.ts';
import type { Forwarding } from '../jobs/forwarding.ts';
import type { Callers } from '../scp/callers.ts';
import type { SecureTransport } from '../ul/tls.ts';
import type { Logger, LogPolicy } from '../util/logger.ts';
import { forwardingSettings } from './jobs.ts';
import { reached } from './secure-transport.ts';

export interface Applied {
  readonly listener: DimseListener;
  readonly secureListener: DimseListener | undefined;
  readonly callers: Callers;
  readonly secure: SecureTransport;
  readonly logger: Logger;
  readonly forwarding: Forwarding;
  /** The address at which the listener is found from now on. */
  readonly onMoved: (to: { host: string; port: number }) => void;
}

export function applyConfig(parts: Applied): Apply {
  const { listener, secureListener, callers, secure, logger, forwarding, onMoved } = parts;
  return async (next, previous) => {
    const { host, port, maxAssociations } = next.dimse;
    const isElsewhere = host !== previous.dimse.host;
    // First, because these alone can fail.
    if (isElsewhere || port !== previous.dimse.port) onMoved(await listener.move({ host, port }));
    if (isElsewhere && previous.dimse.tls !== undefined) {
      await secureListener?.move({ host, port: previous.dimse.tls.port });
    }
    for (const one of [listener, secureListener])
      if (one !== undefined) one.maxAssociations = maxAssociations;
    callers.update(
      next.peers.map((peer) => reached(peer, secure)),
      next.unknownCallers,
    );
    logger.configure(logPolicyOf(next));
    await forwarding.start(forwardingSettings(next));
  };
}

export function logPolicyOf({ log }: Config): LogPolicy {
  return { level: log.level, hiddenFields: log.patientNames ? [] : PATIENT_LOG_FIELDS };
}
