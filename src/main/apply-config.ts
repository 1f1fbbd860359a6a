// Takes over settings in a running daemon: what can be at once, the address of the DICOM listener by listening anew.

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
  readonly callers: Callers;
  readonly secure: SecureTransport;
  readonly logger: Logger;
  readonly forwarding: Forwarding;
  /** The address at which the listener is found from now on. */
  readonly onMoved: (to: { host: string; port: number }) => void;
}

export function applyConfig({ listener, callers, secure, logger, forwarding, onMoved }: Applied): Apply {
  return async (next, previous) => {
    const { host, port, maxAssociations } = next.dimse;
    // First, because it alone can fail.
    if (host !== previous.dimse.host || port !== previous.dimse.port) {
      onMoved(await listener.move({ host, port }));
    }
    listener.maxAssociations = maxAssociations;
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
