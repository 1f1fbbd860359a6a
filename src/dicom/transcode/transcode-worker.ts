// The thread that re-encodes data sets: hands over chunks as long as it has credit.

import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../util/errors.ts';
import { TranscodeError, type TranscodeErrorCode } from './errors.ts';
import { transcodeFile } from './transcode-file.ts';
import type { FromWorker, ToWorker, TranscodeTask } from './worker-messages.ts';

const port = parentPort!;
let credit = 0;
let creditArrived: (() => void) | undefined;

port.on('message', (message: ToWorker) => {
  if (message.type === 'start') {
    // What was left of the last task's credit does not count.
    credit = message.credit;
    void run(message.task);
  } else {
    credit += message.credit;
    creditArrived?.();
  }
});

async function run(task: TranscodeTask): Promise<void> {
  try {
    await transcodeFile(task, send);
    post({ type: 'end' });
  } catch (error) {
    const known = error instanceof TranscodeError;
    const code = known ? (error.code as TranscodeErrorCode) : 'transcode-failed';
    post({ type: 'error', code, message: known ? error.message : `Transcoding failed: ${messageOf(error)}` });
  }
}

async function send(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  while (credit === 0) {
    await new Promise<void>((resolve) => {
      creditArrived = resolve;
    });
  }
  credit -= 1;
  port.postMessage({ type: 'chunk', bytes } satisfies FromWorker, [bytes.buffer]);
}

function post(message: FromWorker): void {
  port.postMessage(message);
}
