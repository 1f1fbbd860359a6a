// A few threads for re-encoding: started when needed, ended when idle, replaced when anything went wrong in one.

import { Worker } from 'node:worker_threads';
import type { ByteSource } from '../../util/byte-source.ts';
import { TranscodeJob } from './transcode-job.ts';
import type { TranscodeTask } from './worker-messages.ts';

const WORKER_HEAP_MB = 256;

export interface TranscodePoolOptions {
  readonly script: URL;
  readonly workers: number;
  /** An unused thread ends after this. */
  readonly idleMs: number;
  /** A thread that has credit and says nothing for this long is taken for hung. */
  readonly stallMs: number;
}

export class TranscodePool {
  readonly #options: TranscodePoolOptions;
  readonly #idle = new Map<Worker, NodeJS.Timeout>();
  readonly #waiting = new Set<TranscodeJob>();
  #running = 0;

  constructor(options: TranscodePoolOptions) {
    this.#options = options;
  }

  /** Begins with the first read. Whoever stops reading before the end aborts `signal`: until then a thread waits. */
  transcode(task: TranscodeTask, signal: AbortSignal): ByteSource {
    return new TranscodeJob(task, signal, this.#options.stallMs, {
      wanted: (job) => {
        this.#waiting.add(job);
        this.#startWaiting();
      },
      over: (job, worker, reusable) => {
        this.#waiting.delete(job);
        if (worker !== undefined) this.#release(worker, reusable);
        this.#startWaiting();
      },
    });
  }

  /** In the order in which they came: a Set keeps it. */
  #startWaiting(): void {
    for (const job of this.#waiting) {
      if (this.#running === this.#options.workers) return;
      this.#waiting.delete(job);
      this.#running += 1;
      job.start(this.#takeWorker());
    }
  }

  #takeWorker(): Worker {
    for (const [worker, timer] of this.#idle) {
      clearTimeout(timer);
      this.#idle.delete(worker);
      unlisten(worker);
      worker.ref();
      return worker;
    }
    return new Worker(this.#options.script, { resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB } });
  }

  #release(worker: Worker, reusable: boolean): void {
    this.#running -= 1;
    unlisten(worker);
    // An idle thread that dies is only forgotten.
    worker.on('error', () => this.#forget(worker));
    worker.on('exit', () => this.#forget(worker));
    worker.unref();
    const end = () => {
      this.#forget(worker);
      void worker.terminate();
    };
    // After an error nobody knows what a codec left in its memory.
    if (!reusable) end();
    else this.#idle.set(worker, setTimeout(end, this.#options.idleMs).unref());
  }

  #forget(worker: Worker): void {
    clearTimeout(this.#idle.get(worker));
    this.#idle.delete(worker);
  }
}

// Event by event: without a name it would take away what Node itself listens to.
function unlisten(worker: Worker): void {
  for (const event of ['message', 'error', 'messageerror', 'exit']) worker.removeAllListeners(event);
}
