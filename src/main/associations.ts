// Who is connected now, in both directions, what they do, and how fast: for the app.

import { CommandField } from '../dimse/commands.ts';
import type { Association, DimseListener } from '../dimse/listener.ts';
import type { ServiceObserver } from '../dimse/service-registry.ts';
import { isWarning, Status } from '../dimse/status.ts';
import type { LiveAssociation } from '../http/api/associations.ts';
import { callsOut } from '../scu/associate.ts';

/** Rates are those of the last seconds. */
const WINDOW_MS = 5000;
const SAMPLE_MS = 1000;

const DOING: ReadonlyMap<number, LiveAssociation['doing']> = new Map([
  [CommandField.cEchoRq, 'echo'],
  [CommandField.cStoreRq, 'store'],
  [CommandField.cFindRq, 'query'],
  [CommandField.cMoveRq, 'retrieve'],
  [CommandField.cGetRq, 'retrieve'],
  [CommandField.nActionRq, 'commit'],
]);

interface Tracked {
  readonly association: Association;
  readonly since: Date;
  instances: number;
  /** Requests in progress. */
  readonly doing: LiveAssociation['doing'][];
  samples: { at: number; bytes: number }[];
}

export class LiveAssociations {
  readonly #tracked = new Map<Association, Tracked>();
  readonly #onChange: () => void;
  #sampling: NodeJS.Timeout | undefined;

  /** `onChange` when one begins or ends, and every second while there are any. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
    callsOut.on('call', (call) => {
      if ('association' in call) this.#track(call.association);
    });
  }

  follow(listener: DimseListener): void {
    listener.on('association', (association) => this.#track(association));
  }

  /** For the registry of services. */
  readonly observer: ServiceObserver = ({ association, command }) => {
    const tracked = this.#tracked.get(association);
    const doing = DOING.get(command.commandField) ?? 'idle';
    tracked?.doing.push(doing);
    return (status) => {
      if (tracked === undefined) return;
      tracked.doing.splice(tracked.doing.indexOf(doing), 1);
      if (doing === 'store' && (status === Status.success || isWarning(status))) tracked.instances += 1;
    };
  };

  /** How many others have opened. */
  get incoming(): number {
    return [...this.#tracked.keys()].filter(({ role }) => role === 'acceptor').length;
  }

  list(): LiveAssociation[] {
    return [...this.#tracked.values()].map(({ association, since, instances, doing, samples }) => {
      const { received, sent } = association.bytes;
      return {
        id: association.name,
        calling: association.callingAeTitle,
        called: association.calledAeTitle,
        address: association.remoteAddress,
        since: since.toISOString(),
        direction: association.role === 'acceptor' ? 'in' : 'out',
        bytesIn: received,
        bytesOut: sent,
        ratePerSecond: rateOf(samples, received + sent),
        instances,
        doing: doing.at(-1) ?? (association.role === 'requestor' ? 'send' : 'idle'),
      };
    });
  }

  #track(association: Association): void {
    this.#tracked.set(association, { association, since: new Date(), instances: 0, doing: [], samples: [] });
    const forget = () => {
      this.#tracked.delete(association);
      if (this.#tracked.size === 0) {
        clearInterval(this.#sampling);
        this.#sampling = undefined;
      }
      this.#onChange();
    };
    if (association.signal.aborted) forget();
    else association.signal.addEventListener('abort', forget, { once: true });
    if (this.#tracked.size > 0) this.#sampling ??= setInterval(() => this.#sample(), SAMPLE_MS).unref();
    this.#onChange();
  }

  #sample(): void {
    const at = performance.now();
    for (const tracked of this.#tracked.values()) {
      const { received, sent } = tracked.association.bytes;
      tracked.samples = tracked.samples.filter((one) => one.at >= at - WINDOW_MS);
      tracked.samples.push({ at, bytes: received + sent });
    }
    this.#onChange();
  }
}

function rateOf(samples: readonly { at: number; bytes: number }[], bytesNow: number): number {
  const [first] = samples;
  if (first === undefined) return 0;
  const seconds = (performance.now() - first.at) / 1000;
  return seconds < 0.2 ? 0 : Math.round((bytesNow - first.bytes) / seconds);
}
