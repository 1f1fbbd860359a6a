// Full tests of peers: a few steps one after the other, watched while they run. The first that fails is explained, the
// rest is left out.
import { randomUUID } from 'node:crypto';
import { messageOf } from '../util/errors.ts';
import { ApiError } from './problem.ts';

export const STEP_NAMES = ['echo', 'store', 'find', 'move', 'commit', 'clean-up'] as const;
export type StepName = (typeof STEP_NAMES)[number];

/** `code` says why a step failed or was left out, `detail` in words; both also where there is something to add. */
export interface StepOutcome {
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly code?: string;
  readonly params?: Readonly<Record<string, string | number>>;
  readonly detail?: string;
}

export interface Step extends Omit<StepOutcome, 'state'> {
  readonly name: StepName;
  readonly state: 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
  readonly ms?: number;
}

export interface PeerTest {
  readonly id: string;
  readonly aeTitle: string;
  readonly state: 'running' | 'passed' | 'failed' | 'cancelled';
  readonly steps: readonly Step[];
}

/** What a step does; it gives up when the signal aborts. */
export type StepWork = (signal: AbortSignal) => Promise<StepOutcome>;
export type Steps = Readonly<Record<StepName, StepWork>>;

const MAX_RUNNING = 4;
const MAX_KEPT = 50;
const LONGEST_MS = 5 * 60_000;

interface Running {
  test: PeerTest;
  readonly cancel: AbortController;
}

export class PeerTests {
  readonly #tests = new Map<string, Running>();
  readonly #onChange: (id: string) => void;

  constructor(onChange: (id: string) => void) {
    this.#onChange = onChange;
  }

  /** Throws ApiError 503 when too many run, 409 when this peer is being tested. */
  start(aeTitle: string, steps: Steps): string {
    const running = [...this.#tests.values()].filter(({ test }) => test.state === 'running');
    if (running.some(({ test }) => test.aeTitle === aeTitle))
      throw new ApiError(409, 'test-running', `${aeTitle} is being tested already.`, { params: { aeTitle } });
    if (running.length >= MAX_RUNNING) throw new ApiError(503, 'busy', 'Other tests are still running.');
    const id = randomUUID();
    const waiting = STEP_NAMES.map((name) => ({ name, state: 'waiting' }) as const);
    const cancel = new AbortController();
    this.#tests.set(id, { test: { id, aeTitle, state: 'running', steps: waiting }, cancel });
    for (const [old, { test }] of this.#tests) {
      if (this.#tests.size > MAX_KEPT && test.state !== 'running') this.#tests.delete(old);
    }
    void this.#run(id, steps, AbortSignal.any([cancel.signal, AbortSignal.timeout(LONGEST_MS)]));
    return id;
  }

  get(id: string): PeerTest | undefined {
    return this.#tests.get(id)?.test;
  }

  /** False when there is no such test. */
  cancel(id: string): boolean {
    const running = this.#tests.get(id);
    if (running?.test.state === 'running') running.cancel.abort(new Error('the test was cancelled'));
    return running !== undefined;
  }

  async #run(id: string, steps: Steps, signal: AbortSignal): Promise<void> {
    let failed = false;
    for (const name of STEP_NAMES) {
      // What was made is taken away whatever happened.
      const isWanted = name === 'clean-up' || !(failed || signal.aborted);
      if (!isWanted) {
        this.#step(id, { name, state: 'skipped', code: 'after-failure' });
        continue;
      }
      this.#step(id, { name, state: 'running' });
      const start = performance.now();
      const outcome = await steps[name](signal).catch(
        (error: unknown): StepOutcome => ({ state: 'failed', code: 'unexpected', detail: messageOf(error) }),
      );
      failed ||= outcome.state === 'failed';
      this.#step(id, { name, ...outcome, ms: Math.round(performance.now() - start) });
    }
    const isCancelled = this.#tests.get(id)?.cancel.signal.aborted === true;
    this.#update(id, { state: isCancelled ? 'cancelled' : failed ? 'failed' : 'passed' });
  }

  #step(id: string, step: Step): void {
    const steps = this.get(id)?.steps ?? [];
    this.#update(id, { steps: steps.map((one) => (one.name === step.name ? step : one)) });
  }

  #update(id: string, change: Partial<PeerTest>): void {
    const running = this.#tests.get(id);
    if (running === undefined) return;
    running.test = { ...running.test, ...change };
    this.#onChange(id);
  }
}
