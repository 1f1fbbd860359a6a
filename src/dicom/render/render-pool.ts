// A thread for pictures: started when needed, ended when idle, replaced when it took too long or anything went wrong.

import { Worker } from 'node:worker_threads';
import { RenderError } from './errors.ts';
import type { RenderAnswer, RenderTask } from './render-messages.ts';

const WORKER_HEAP_MB = 256;

export interface RenderPoolOptions {
  readonly script: URL;
  /** An unused thread ends after this. */
  readonly idleMs: number;
  /** A picture that takes longer is given up, and its thread ended. */
  readonly deadlineMs: number;
  /** More than these are refused. */
  readonly maxWaiting: number;
}

interface Job {
  readonly task: RenderTask;
  readonly settle: (result: Uint8Array | RenderError) => void;
}

export class RenderPool {
  readonly #options: RenderPoolOptions;
  readonly #waiting = new Set<Job>();
  #worker: Worker | undefined;
  #isBusy = false;
  #idle: NodeJS.Timeout | undefined;

  constructor(options: RenderPoolOptions) {
    this.#options = options;
  }

  /** A PNG. Rejects with a RenderError; what waits is dropped when `signal` aborts, what runs is finished. */
  render(task: RenderTask, signal: AbortSignal): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const { maxWaiting } = this.#options;
    if (this.#waiting.size >= maxWaiting) {
      reject(new RenderError('render-busy', `${maxWaiting} pictures are waiting already; try again later`));
      return promise;
    }
    const aborted = () =>
      job.settle(
        new RenderError('render-aborted', 'Nobody wants the picture any more', { cause: signal.reason }),
      );
    const job: Job = {
      task,
      settle: (result) => {
        this.#waiting.delete(job);
        signal.removeEventListener('abort', aborted);
        if (result instanceof RenderError) reject(result);
        else resolve(result);
      },
    };
    this.#waiting.add(job);
    signal.addEventListener('abort', aborted, { once: true });
    if (signal.aborted) aborted();
    this.#next();
    return promise;
  }

  #next(): void {
    const [job] = this.#waiting;
    if (this.#isBusy || job === undefined) return;
    this.#waiting.delete(job);
    this.#isBusy = true;
    clearTimeout(this.#idle);
    const worker = this.#worker ?? this.#start();
    worker.ref();
    this.#run(worker, job);
  }

  #run(worker: Worker, { task, settle }: Job): void {
    const { deadlineMs } = this.#options;
    const end = (result: Uint8Array | RenderError, reusable: boolean) => {
      clearTimeout(timer);
      for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
      this.#release(worker, reusable);
      settle(result);
      this.#next();
    };
    const timer = setTimeout(() => {
      end(new RenderError('render-limit', `The picture was not made within ${deadlineMs} ms`), false);
    }, deadlineMs);
    const lost = (cause?: unknown) =>
      end(new RenderError('render-failed', 'The rendering thread ended unexpectedly', { cause }), false);
    worker.on('message', (answer: RenderAnswer) => {
      if (answer.type === 'png') end(answer.bytes, true);
      // Where there is nothing to show, no decoder has run; after anything else nobody knows what one left behind.
      else end(new RenderError(answer.code, answer.message), answer.code === 'render-unsupported');
    });
    worker.on('error', lost);
    worker.on('exit', () => lost());
    worker.postMessage(task);
  }

  #start(): Worker {
    this.#worker = new Worker(this.#options.script, {
      resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
    });
    return this.#worker;
  }

  #release(worker: Worker, reusable: boolean): void {
    this.#isBusy = false;
    const end = () => {
      if (this.#worker === worker) this.#worker = undefined;
      void worker.terminate();
    };
    // A thread that dies while nobody uses it is only forgotten.
    worker.on('error', end);
    worker.on('exit', end);
    worker.unref();
    if (reusable) this.#idle = setTimeout(end, this.#options.idleMs).unref();
    else end();
  }
}
