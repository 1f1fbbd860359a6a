// Reaches the thread of the catalogue, which its owner keeps to itself, to end it.
import type { TestContext } from 'node:test';
import { Worker } from 'node:worker_threads';

/** Watches what is sent to threads from now on. The returned function ends the one that last got a request to the
 *  catalogue, and resolves when it has gone. */
export function catalogKiller(t: TestContext): () => Promise<void> {
  const postMessage = Worker.prototype.postMessage;
  let catalog: Worker | undefined;
  t.mock.method(Worker.prototype, 'postMessage', function (this: Worker, message: { operation?: unknown }) {
    if (message.operation !== undefined) catalog = this;
    postMessage.call(this, message);
  });
  return async () => {
    await catalog?.terminate();
  };
}
