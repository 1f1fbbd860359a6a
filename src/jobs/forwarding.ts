// Sees to it that what is due somewhere gets there: wakes the job of each destination, and says how far each one is.

import type { InstanceRecord } from '../catalog/catalog.ts';
import type { DeliveryStore, Lag, Route, StudyDelivery } from '../catalog/delivery-store.ts';
import { type ForwardingRule, routesOf } from './forwarding-rules.ts';
import type { JobQueue } from './job-queue.ts';

export interface ForwardingSettings {
  readonly rules: readonly ForwardingRule[];
  /** AE titles of second archives. */
  readonly archives: readonly string[];
}

export interface ForwardingOptions {
  readonly queue: JobQueue;
  readonly deliveries: DeliveryStore;
  /** As they are now. */
  readonly settings: () => ForwardingSettings;
  /** A job could not be woken. What is due stays due, and the next instance tries again. */
  onFault(error: unknown): void;
}

export interface DestinationStatus extends Lag {
  readonly destination: string;
  readonly isSecondArchive: boolean;
  /** Everything that was here before has been looked through: nothing is missing in these numbers. */
  readonly isSurveyed: boolean;
}

/** What does not get better by waiting. */
export interface DestinationTrouble {
  readonly code: 'second-archive-behind' | 'commitment-failing';
  readonly destination: string;
  /** At least. */
  readonly instances: number;
  /** What the destination says, or why it cannot be reached; '' when it says nothing. */
  readonly reason: string;
}

/** Instances come in bursts: their destination is woken once for all of them. */
const GATHER_MS = 1500;

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #waking = new Map<string, NodeJS.Timeout>();

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  /** At the start of the program, which may have left something to be done, and when the settings have changed. */
  async start({ rules, archives }: ForwardingSettings = this.#options.settings()): Promise<void> {
    for (const destination of new Set([...rules.map((rule) => rule.destination), ...archives])) {
      await this.#enqueue(destination);
    }
    for (const destination of archives) {
      await this.#options.queue.enqueue({
        ...{ kind: 'fill', key: `fill ${destination}`, payload: { destination }, again: true },
        title: { peer: destination },
      });
    }
  }

  /** An instance is here now. */
  stored(record: InstanceRecord): void {
    const { rules, archives } = this.#options.settings();
    for (const route of routesOf(record, rules, archives)) this.#wakeLater(route);
  }

  /** Something is due for this destination. */
  wake(destination: string): void {
    this.#wakeLater({ destination, quietS: 0 });
  }

  stop(): void {
    for (const timer of this.#waking.values()) clearTimeout(timer);
    this.#waking.clear();
  }

  async status(): Promise<DestinationStatus[]> {
    const { queue, deliveries, settings } = this.#options;
    const { rules, archives } = settings();
    const fills = await queue.list({ kinds: ['fill'], limit: 100 });
    const destinations = [...new Set([...archives, ...rules.map((rule) => rule.destination)])];
    return Promise.all(
      destinations.map(async (destination) => {
        const isSecondArchive = archives.includes(destination);
        const fill = fills.find(({ title }) => title.peer === destination);
        const isSurveyed = !isSecondArchive || (fill?.progress.done ?? 0) > 0;
        return { destination, isSecondArchive, isSurveyed, ...(await deliveries.lag({ destination })) };
      }),
    );
  }

  /** Destinations that somebody has to look at: a second archive that takes nothing, a destination that does not confirm
   *  what it took, since before that time. One that is slow and goes on is none of them. */
  async troubles(before: Date): Promise<DestinationTrouble[]> {
    const { queue, deliveries } = this.#options;
    const jobs = await queue.list({ kinds: ['deliver'], limit: 100 });
    const troubles: DestinationTrouble[] = [];
    for (const { destination, isSecondArchive, refused } of await this.status()) {
      const late = await deliveries.late({ destination, before: before.toISOString() });
      const failing =
        jobs.find(({ title, error }) => title.peer === destination && error !== '')?.error ?? '';
      const behind = late.due + refused;
      const reason = failing || late.dueError;
      if (isSecondArchive && behind > 0 && (reason !== '' || refused > 0)) {
        troubles.push({ code: 'second-archive-behind', destination, instances: behind, reason });
      }
      const unconfirmed = late.unconfirmed + (isSecondArchive ? late.unasked : 0);
      if (unconfirmed > 0) {
        const said = late.unconfirmedError || failing;
        troubles.push({ code: 'commitment-failing', destination, instances: unconfirmed, reason: said });
      }
    }
    return troubles;
  }

  /** How far each of these studies is, by destination. */
  ofStudies(studyUids: readonly string[]): Promise<readonly StudyDelivery[]> {
    return this.#options.deliveries.ofStudies({ studyUids });
  }

  /** What was sent to a destination and is not committed there. */
  uncommitted(page: Parameters<DeliveryStore['uncommitted']>[0]): ReturnType<DeliveryStore['uncommitted']> {
    return this.#options.deliveries.uncommitted(page);
  }

  #wakeLater({ destination, quietS }: Route): void {
    if (this.#waking.has(destination)) return;
    const timer = setTimeout(
      () => {
        this.#waking.delete(destination);
        this.#enqueue(destination).catch((error: unknown) => this.#options.onFault(error));
      },
      GATHER_MS + quietS * 1000,
    );
    this.#waking.set(destination, timer);
  }

  async #enqueue(destination: string): Promise<void> {
    await this.#options.queue.enqueue({
      ...{ kind: 'deliver', key: `deliver ${destination}`, payload: { destination }, again: true },
      title: { peer: destination },
    });
  }
}
