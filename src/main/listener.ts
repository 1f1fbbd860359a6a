// The DICOM side of the daemon: its listener with all services, joined to the log.

import type { Archive } from '../archive/archive.ts';
import type { Config } from '../config/schema.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../dicom/uid.ts';
import { commandName } from '../dimse/commands.ts';
import { type Association, type AssociationRequest, DimseListener } from '../dimse/listener.ts';
import type { ServiceObserver } from '../dimse/service-registry.ts';
import { isWarning, statusText } from '../dimse/status.ts';
import type { Commitments } from '../jobs/commitments.ts';
import { Callers } from '../scp/callers.ts';
import type { ExpectedInstances } from '../scp/expected-instances.ts';
import { admission, createServices } from '../scp/services.ts';
import { UnknownCallers } from '../scp/unknown-callers.ts';
import type { TakeReport } from '../scu/commitment-request.ts';
import type { SecureTransport } from '../ul/tls.ts';
import { PacsError } from '../util/errors.ts';
import type { Log } from '../util/log.ts';
import { characterSetsOf } from './open-archive.ts';
import { reached } from './secure-transport.ts';

export interface ListenerSite {
  /** As it is now. */
  readonly config: () => Config;
  readonly secure: SecureTransport;
  readonly archive: Archive;
  readonly commitments: Commitments;
  readonly takeReport: TakeReport;
  readonly expected: ExpectedInstances;
  /** Of every request to a service. */
  readonly onRequest: ServiceObserver;
  readonly log: Log;
}

export interface Listener {
  readonly listener: DimseListener;
  /** For DICOM over TLS, where the settings ask for it. */
  readonly secureListener: DimseListener | undefined;
  readonly callers: Callers;
  readonly unknownCallers: UnknownCallers;
}

export function createListener(site: ListenerSite): Listener {
  const { config, secure, archive, commitments, takeReport, expected, onRequest, log } = site;
  const { peers, unknownCallers: policy, dimse } = config();
  const callers = new Callers(
    peers.map((peer) => reached(peer, secure)),
    policy,
  );
  const unknownCallers = new UnknownCallers(() => new Date());
  const admit = admission(callers);
  const services = createServices({
    archive,
    callers,
    commitments,
    takeReport,
    expected,
    aeTitle: () => config().aeTitle,
    onRequest,
    characterSetsOf: characterSetsOf(config),
    observer: {
      subOperationFailed: (association, destination, { item, status, error }) =>
        log.warn('>> C-STORE sub-operation failed', {
          association: association.name,
          destination,
          instance: item.sopInstanceUid,
          status: statusText(status),
          reason: error,
        }),
      destinationUnreachable: (association, destination, error) =>
        log.warn('C-MOVE destination cannot be reached', {
          association: association.name,
          destination,
          reason: error,
        }),
    },
  });
  const { tls, ...plain } = dimse;
  const shared = {
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    admit: (request: AssociationRequest) => {
      if (callers.isStranger(request.callingAeTitle, request.remoteAddress)) unknownCallers.note(request);
      return admit(request);
    },
    services,
  };
  const listener = new DimseListener({ ...plain, ...shared });
  const secureListener =
    tls === undefined ? undefined : new DimseListener({ ...plain, port: tls.port, tls: secure, ...shared });
  for (const one of [listener, secureListener]) if (one !== undefined) logAssociations(one, log);
  return { listener, secureListener, callers, unknownCallers };
}

/** One line per association that begins or ends, per refused caller, per failed request. */
function logAssociations(listener: DimseListener, log: Log): void {
  const named = (association: Association) => ({
    association: association.name,
    calling: association.callingAeTitle,
    address: association.remoteAddress,
  });
  listener.on('association', (association) =>
    log.info('<< A-ASSOCIATE-RQ accepted', { ...named(association), contexts: association.contexts.size }),
  );
  listener.on('ended', (association, reason) => {
    const isRelease = reason instanceof PacsError && reason.code === 'ul-released';
    if (isRelease) log.info('<< A-RELEASE-RQ', named(association));
    else log.warn('association ended', { ...named(association), reason });
  });
  listener.on('refused', (request) =>
    log.warn('>> A-ASSOCIATE-RJ unknown caller', {
      calling: request.callingAeTitle,
      address: request.remoteAddress,
    }),
  );
  listener.on('failure', (association, command, error) =>
    log[isWarning(error.status) ? 'warn' : 'error'](`>> ${commandName(command.commandField)} failed`, {
      ...named(association),
      instance: command.affectedSopInstanceUid,
      status: statusText(error.status),
      reason: error,
      cause: error.cause instanceof PacsError ? undefined : error.cause,
    }),
  );
  listener.on('fault', (reason, { address, port }) => log.warn('no association', { address, port, reason }));
}
