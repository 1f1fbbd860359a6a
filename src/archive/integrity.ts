// Reads everything that is stored again, in the order in which it was last read, and looks for files that nobody has
// listed. A run ends when nothing is due any more or its time is over; the next one goes on where it stopped.

import { setTimeout as pause } from 'node:timers/promises';
import type { InstanceLocation } from '../catalog/catalog.ts';
import type { CheckRun, DueInstance, FindingKind, Verification } from '../catalog/upkeep.ts';
import { type BeforeReading, examine } from './examine.ts';
import { Findings, type FindingsSite } from './findings.ts';
import { Pace } from './pace.ts';
import { requireVolume } from './stored-record.ts';
import { unlistedFiles } from './unlisted-files.ts';

const DAY_MS = 86_400_000;
const BATCH = 32;
/** Instances that were not read again after so many days more than they should tell that the window is too short. */
const PATIENCE_DAYS = 3;
/** Between two looks at what another daemon is doing. */
const LOOK_AGAIN_MS = 1000;
/** Of more suspects than that the next run learns. */
const MAX_SUSPECTS = 1000;

interface Counts {
  files: number;
  findings: number;
  repaired: number;
}

interface Checked extends Verification {
  readonly id: number;
  readonly sha256: string;
}

export interface IntegrityOptions extends FindingsSite {
  readonly bytesPerSecond: number;
  /** Within how many days every file is to be read again. */
  readonly days: number;
  /** Whether users need the disk now. */
  readonly isBusy: () => boolean;
}

export class IntegrityService {
  readonly findings: Findings;
  readonly #options: IntegrityOptions;
  #running: Promise<CheckRun> | undefined;
  #stopping = new AbortController();
  readonly #suspects = new Set<string>();
  #examining: Promise<void> = Promise.resolve();

  constructor(options: IntegrityOptions) {
    this.#options = options;
    this.findings = new Findings(options);
  }

  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Newest first. */
  runs(limit = 50): Promise<readonly CheckRun[]> {
    return this.#options.catalog.ask('runs', limit);
  }

  /** Reads what is due, or `everything`, and answers what became of it. A run that is under way is joined, also that of
   *  another daemon with the same archive: when that dies, this one takes over. */
  run(everything = false): Promise<CheckRun> {
    this.#running ??= this.#runInTurn(everything).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** Ends the run that is under way; the next one goes on from there. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running?.catch(() => undefined);
    await this.#examining;
    this.#stopping = new AbortController();
  }

  /** Reads one instance again now, because its file was found not to be what was received: what is wrong with it becomes
   *  a finding, and is repaired where it can be. */
  suspect(instance: InstanceLocation): Promise<void> {
    const { path } = instance.location;
    if (this.#suspects.has(path) || this.#suspects.size === MAX_SUSPECTS) return Promise.resolve();
    this.#suspects.add(path);
    const examined = this.#examining.then(async () => {
      if (this.#stopping.signal.aborted) return;
      await this.#checkContent(instance, async () => {}, { files: 0, findings: 0, repaired: 0 });
      await this.findings.tell();
    });
    const end = examined.finally(() => this.#suspects.delete(path));
    this.#examining = end.catch(() => undefined);
    return end;
  }

  async #runInTurn(everything: boolean): Promise<CheckRun> {
    const { storage, now } = this.#options;
    const { signal } = this.#stopping;
    const askedAt = now().toISOString();
    while (!signal.aborted) {
      const mine = await storage.aloneChecking(() => this.#run(everything, askedAt));
      if (mine !== undefined) return mine.result;
      await pause(LOOK_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      const [newest] = await this.runs(1);
      if (newest?.state === 'done' && newest.endedAt >= askedAt) return newest;
    }
    const counts = { files: 0, bytes: 0, findings: 0, repaired: 0 };
    return { id: 0, startedAt: askedAt, endedAt: now().toISOString(), state: 'stopped', ...counts };
  }

  /** Nobody else runs now: whatever is said to be running was ended by a crash. */
  async #closeBroken(endedAt: string): Promise<void> {
    for (const run of await this.runs()) {
      if (run.state === 'running')
        await this.#options.catalog.ask('updateRun', { ...run, state: 'stopped', endedAt });
    }
  }

  /** `askedAt`: what was read since then, by a daemon that has died, need not be read again. */
  async #run(everything: boolean, askedAt: string): Promise<CheckRun> {
    const { catalog, now, days, notices } = this.#options;
    const { signal } = this.#stopping;
    const startedAt = now().toISOString();
    await this.#closeBroken(startedAt);
    const id = await catalog.ask('beginRun', startedAt);
    const counts = { files: 0, findings: 0, repaired: 0 };
    const pace = new Pace({ ...this.#options, signal });
    const runNow = (state: CheckRun['state']): CheckRun => {
      const endedAt = state === 'running' ? '' : now().toISOString();
      return { id, startedAt, endedAt, state, ...counts, bytes: pace.bytes };
    };
    const save = async (state: CheckRun['state']): Promise<CheckRun> => {
      const run = runNow(state);
      await catalog.ask('updateRun', run);
      return run;
    };
    try {
      // A day early, so that a window once a day is enough.
      const before = everything ? askedAt : new Date(now().getTime() - (days - 1) * DAY_MS).toISOString();
      for (;;) {
        const due = await catalog.ask('due', { before, limit: BATCH });
        if (due.length === 0) break;
        await this.#checkAll(due, before, pace, counts);
        await save('running');
      }
      await this.#lookForUnlisted(everything, pace, counts);
      await this.findings.recheck();
      await notices.clear('integrity-failed');
      return await save('done');
    } catch (error) {
      if (!signal.aborted) {
        await save('failed');
        await notices.raise({
          code: 'integrity-failed',
          level: 'warning',
          params: { reason: String(error) },
        });
        throw error;
      }
      return await save('stopped');
    } finally {
      await this.findings.tell();
      await this.#tellWhetherBehind();
    }
  }

  /** What has been read when the time is over counts. */
  async #checkAll(due: readonly DueInstance[], before: string, pace: Pace, counts: Counts): Promise<void> {
    const verified: Checked[] = [];
    try {
      for (const instance of due) {
        const result = await this.#check(instance, pace, counts);
        // A clock that went back must not make it due again at once.
        const now = this.#options.now().toISOString();
        const verifiedAt = now > before ? now : before;
        verified.push({ id: instance.id, sha256: instance.location.sha256, verifiedAt, result });
      }
    } finally {
      if (verified.length > 0) await this.#options.catalog.ask('verified', verified);
    }
  }

  async #check(instance: DueInstance, pace: Pace, counts: Counts): Promise<'sound' | FindingKind> {
    const { catalog } = this.#options;
    const older = await catalog.superseded(instance.sopInstanceUid);
    let result: 'sound' | FindingKind = 'sound';
    for (const location of [instance.location, ...older]) {
      const paced = (bytes: number) => pace.beforeReading(bytes);
      const kind = await this.#checkContent({ ...instance, location }, paced, counts);
      if (location === instance.location) result = kind;
    }
    return result;
  }

  /** What the file is in the end: sound also when it was repaired. */
  async #checkContent(
    instance: InstanceLocation,
    beforeReading: BeforeReading,
    counts: Counts,
  ): Promise<'sound' | FindingKind> {
    const { storage } = this.#options;
    const { path } = instance.location;
    counts.files += 1;
    const verdict = await examine(storage, instance, beforeReading);
    if (verdict.result === 'sound') {
      await this.findings.sound(path);
      return 'sound';
    }
    await requireVolume(storage);
    if (await this.#isGone(instance)) return 'sound';
    const { isNew, isSolved } = await this.findings.found(
      { kind: verdict.result, path, reason: verdict.reason },
      instance,
    );
    counts.findings += isNew ? 1 : 0;
    counts.repaired += isSolved ? 1 : 0;
    return isSolved ? 'sound' : verdict.result;
  }

  /** Deleted or replaced while it was being read. */
  async #isGone({ sopInstanceUid, location }: InstanceLocation): Promise<boolean> {
    const { catalog } = this.#options;
    const current = (await catalog.locate(sopInstanceUid))?.location;
    const contents = [...(current ? [current] : []), ...(await catalog.superseded(sopInstanceUid))];
    return !contents.some(({ path, sha256 }) => path === location.path && sha256 === location.sha256);
  }

  async #lookForUnlisted(everything: boolean, pace: Pace, counts: { findings: number }): Promise<void> {
    for await (const { path, reason } of unlistedFiles(this.#options, everything, pace)) {
      const { isNew } = await this.findings.found({ kind: 'unknown', path, reason }, undefined);
      counts.findings += isNew ? 1 : 0;
    }
  }

  async #tellWhetherBehind(): Promise<void> {
    const { catalog, now, days, notices } = this.#options;
    const before = new Date(now().getTime() - (days + PATIENCE_DAYS) * DAY_MS).toISOString();
    const newest = new Date(now().getTime() - PATIENCE_DAYS * DAY_MS).toISOString();
    const [oldest] = await catalog.ask('due', { before, limit: 1 });
    const isLate = oldest !== undefined && (oldest.verifiedAt !== '' || oldest.location.receivedAt < newest);
    if (isLate) await notices.raise({ code: 'integrity-behind', level: 'warning', params: { days } });
    else await notices.clear('integrity-behind');
  }
}
