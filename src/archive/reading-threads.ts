// Threads that read files with blocking calls, from outside: as many as asked for, each with one batch at a time. A small
// file costs less than its trips through the thread pool would.

import { type MessagePort, Worker } from 'node:worker_threads';

interface ToReader<Task> {
  readonly tasks: readonly Task[];
}

interface FromReader<Answer> {
  readonly answers: readonly Answer[];
}

export class ReadingThreads<Task, Answer> {
  readonly #idle: Worker[];
  readonly #all: readonly Worker[];
  readonly #waiting: ((worker: Worker) => void)[] = [];

  /** Each runs `script`, which calls `answerTasks` with its `workerData`. */
  constructor(script: URL, threads: number, workerData?: unknown) {
    this.#all = Array.from({ length: threads }, () => new Worker(script, { name: 'reading', workerData }));
    this.#idle = [...this.#all];
  }

  /** One answer for each task, in order. */
  async ask(tasks: readonly Task[]): Promise<readonly Answer[]> {
    const worker = await this.#take();
    const answer = Promise.withResolvers<readonly Answer[]>();
    const onMessage = (message: FromReader<Answer>) => answer.resolve(message.answers);
    worker.once('message', onMessage).once('error', answer.reject);
    worker.postMessage({ tasks } satisfies ToReader<Task>);
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

/** The other side: answers batch after batch. */
export function answerTasks<Task, Answer>(
  port: MessagePort,
  answerAll: (tasks: readonly Task[]) => readonly Answer[] | Promise<readonly Answer[]>,
): void {
  port.on('message', async ({ tasks }: ToReader<Task>) => {
    port.postMessage({ answers: await answerAll(tasks) } satisfies FromReader<Answer>);
  });
}
