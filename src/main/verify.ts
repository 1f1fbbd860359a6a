// `verify`: proves every file of the archive.

import { verifyArchive } from '../archive/verify.ts';
import type { LoadOptions } from '../config/load.ts';
import { openOffline } from './open-archive.ts';
import { EXIT, say } from './program.ts';

export async function verify(options: LoadOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog } = await openOffline(options, stack);
  const findings = verifyArchive(storage, catalog);
  let count = 0;
  for (;;) {
    const { done, value } = await findings.next();
    if (done === true) {
      say(
        `read ${value.files} files, ${value.bytes} bytes: ${count === 0 ? 'all as received' : `${count} findings`}`,
      );
      return count === 0 ? EXIT.done : EXIT.failed;
    }
    count += 1;
    say(`${value.kind} ${value.path}: ${value.reason}`);
  }
}
