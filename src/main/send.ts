// `send`: files to a peer. Interrupted, it ends after the instance under way.

import type { CommandLine } from '../config/command-line.ts';
import { loadConfig } from '../config/load.ts';
import { isWarning, Status, statusText } from '../dimse/status.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { type FileItem, fileItem, filesUnder } from '../scu/file-items.ts';
import { sendItems } from '../scu/send.ts';
import { complain, EXIT, say } from './program.ts';
import { stopSignal } from './stop-signal.ts';

export async function sendFiles({
  options,
  peer,
  paths,
}: Extract<CommandLine, { command: 'send' }>): Promise<number> {
  const { aeTitle } = (await loadConfig(options)).config;
  const items: FileItem[] = [];
  for await (const path of filesUnder(paths)) {
    const item = await fileItem(path);
    if ('reason' in item) complain(`skipped ${path}: ${item.reason}`);
    else items.push(item);
  }
  let sent = 0;
  let failed = 0;
  const summary = () => `sent ${sent} of ${items.length} instances to ${peer.aeTitle}`;
  const stopping = new AbortController();
  const late = () =>
    complain(`stopped: ${peer.aeTitle} keeps silent; ${summary()}, and one may have arrived`);
  void stopSignal(late, EXIT.failed).then(() => stopping.abort());
  try {
    const sending = { peer, callingAeTitle: aeTitle, signal: stopping.signal };
    for await (const { item, status, error } of sendItems(sending, items, () => each(items))) {
      if (status === Status.success || isWarning(status)) sent += 1;
      else failed += 1;
      if (error !== undefined || status !== Status.success) {
        complain(`${item.sopInstanceUid}: ${statusText(status)} ${error ?? ''}`);
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${sent + failed} of ${items.length}`);
    }
  } catch (error) {
    complain(diagnose(error, peer, aeTitle));
    return EXIT.failed;
  }
  say(summary());
  return failed === 0 && sent === items.length && items.length > 0 ? EXIT.done : EXIT.failed;
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}
