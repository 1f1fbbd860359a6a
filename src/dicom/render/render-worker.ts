// The thread that makes pictures, one after the other, and gives way to everything else on the machine.

import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { renderErrorOf } from './errors.ts';
import type { RenderAnswer, RenderTask } from './render-messages.ts';
import { thumbnail } from './thumbnail.ts';

const port = parentPort!;

// On Linux priority belongs to the thread, and 0 means the one that calls.
if (process.platform === 'linux') setPriority(0, 10);

port.on('message', (task: RenderTask) => void run(task));

async function run(task: RenderTask): Promise<void> {
  try {
    const bytes = await thumbnail(task);
    port.postMessage({ type: 'png', bytes } satisfies RenderAnswer, [bytes.buffer]);
  } catch (error) {
    const { code, message } = renderErrorOf(error);
    port.postMessage({ type: 'error', code, message } satisfies RenderAnswer);
  }
}
