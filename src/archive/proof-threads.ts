// The threads that read files again, from outside: as many as asked for, each with one batch at a time.

import { Worker } from 'node:worker_threads';
import type { FromProof, ProofAnswer, ProofTask, ToProof } from './proof-messages.ts';

export class ProofThreads {
  readonly #idle: Worker[];
  readonly #all: readonly Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  constructor(threads: number) {
    this.#all = Array.from(
      { length: threads },
      () => new Worker(new URL('./proof-worker.ts', import.meta.url), { name: 'proof' }),
    );
    this.#idle = [...this.#all];
  }

  /** One answer for each task, in order. */
  async prove(tasks: readonly ProofTask[]): Promise<readonly ProofAnswer[]> {
    const worker = await this.#take();
    const answer = Promise.withResolvers<readonly ProofAnswer[]>();
    const onMessage = (message: FromProof) => answer.resolve(message.answers);
    worker.once('message', onMessage).once('error', answer.reject);
    worker.postMessage({ tasks } satisfies ToProof);
    try {
      return await answer.promise;
    } finally {
      worker.off('message', onMessage).off('error', answer.reject);
      this.#give(worker);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map((worker) => worker.terminate()));
  }

  #take(): Promise<Worker> | Worker {
    return this.#idle.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  #give(worker: Worker): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(worker);
    else next(worker);
  }
}
