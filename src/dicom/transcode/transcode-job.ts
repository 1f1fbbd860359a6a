// One data set on its way through a worker: a byte source whose reads give the worker credit for more.

import type { Worker } from 'node:worker_threads';
import type { ByteSource } from '../../util/byte-source.ts';
import { TranscodeError } from './errors.ts';
import type { FromWorker, ToWorker, TranscodeTask } from './worker-messages.ts';

/** Chunks that one job may have under way: 2 MiB. */
const CREDIT = 8;

/** What a job tells its pool: once that it wants a worker, then once that it is over. */
interface JobEvents {
  wanted(job: TranscodeJob): void;
  over(job: TranscodeJob, worker: Worker | undefined, reusable: boolean): void;
}

export class TranscodeJob implements ByteSource {
  readonly #task: TranscodeTask;
  readonly #signal: AbortSignal;
  readonly #stallMs: number;
  readonly #events: JobEvents;
  readonly #onAbort = () => {
    const { reason } = this.#signal;
    this.#end(new TranscodeError('transcode-aborted', 'Transcoding was aborted', { cause: reason }));
  };
  #state: 'new' | 'running' | 'ended' | TranscodeError = 'new';
  #worker: Worker | undefined;
  #chunks: Buffer[] = [];
  /** Chunks that the worker may still send. */
  #credit = 0;
  #stall: NodeJS.Timeout | undefined;
  #wake: (() => void) | undefined;

  constructor(task: TranscodeTask, signal: AbortSignal, stallMs: number, events: JobEvents) {
    this.#task = task;
    this.#signal = signal;
    this.#stallMs = stallMs;
    this.#events = events;
  }

  async read(): Promise<readonly Buffer[] | undefined> {
    if (this.#state === 'new') this.#begin();
    for (;;) {
      if (this.#state instanceof TranscodeError) throw this.#state;
      if (this.#chunks.length > 0) {
        const taken = this.#chunks;
        this.#chunks = [];
        if (this.#state === 'running') this.#grant(taken.length);
        return taken;
      }
      if (this.#state === 'ended') return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #begin(): void {
    this.#state = 'running';
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    if (this.#signal.aborted) this.#onAbort();
    else this.#events.wanted(this);
  }

  /** The pool's answer to `wanted`, unless the job was over before. */
  start(worker: Worker): void {
    this.#worker = worker;
    const lost = (cause?: unknown) =>
      this.#end(
        new TranscodeError('transcode-failed', 'The transcoding thread ended unexpectedly', { cause }),
      );
    worker.on('message', (message: FromWorker) => this.#receive(message));
    worker.on('error', lost);
    worker.on('messageerror', lost);
    worker.on('exit', () => lost());
    this.#credit = CREDIT;
    this.#watch();
    worker.postMessage({ type: 'start', task: this.#task, credit: CREDIT } satisfies ToWorker);
  }

  #receive(message: FromWorker): void {
    if (message.type === 'error') this.#end(new TranscodeError(message.code, message.message));
    else if (message.type === 'end') this.#end('ended');
    else {
      const { buffer, byteOffset, byteLength } = message.bytes;
      this.#chunks.push(Buffer.from(buffer, byteOffset, byteLength));
      this.#credit -= 1;
      this.#watch();
      this.#wake?.();
    }
  }

  /** What the consumer took makes room for as much. */
  #grant(credit: number): void {
    this.#credit += credit;
    this.#watch();
    this.#worker?.postMessage({ type: 'credit', credit } satisfies ToWorker);
  }

  /** While the worker has credit, it has to say something in time. */
  #watch(): void {
    clearTimeout(this.#stall);
    if (this.#credit === 0) return;
    this.#stall = setTimeout(() => {
      this.#end(
        new TranscodeError('transcode-failed', `The transcoding thread hung for ${this.#stallMs} ms`),
      );
    }, this.#stallMs);
  }

  /** After an error what was not read yet is of no use: the instance cannot be completed. */
  #end(state: 'ended' | TranscodeError): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    if (state !== 'ended') this.#chunks = [];
    clearTimeout(this.#stall);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#wake?.();
    this.#events.over(this, this.#worker, state === 'ended');
  }
}
