// `verify`: proves every file of the archive, or of a part of it.

import { type Finding, type Verified, verifyArchive } from '../archive/verify.ts';
import type { CommandLine } from '../config/command-line.ts';
import { openOffline } from './open-archive.ts';
import { EXIT, say } from './program.ts';
import { Progress } from './progress.ts';

export async function verify({
  options,
  selection,
}: Extract<CommandLine, { command: 'verify' }>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog } = await openOffline(options, stack);
  const progress = new Progress('files');
  if (selection === undefined) progress.expect((await catalog.counts()).instances);
  const findings = verifyArchive(storage, catalog, {
    ...(selection === undefined ? {} : { selection }),
    onProgress: ({ files }) => progress.at(files),
  });
  const counts = { missing: 0, altered: 0, unknown: 0 };
  let result: IteratorResult<Finding, Verified>;
  for (result = await findings.next(); !result.done; result = await findings.next()) {
    const { kind, path, reason } = result.value;
    counts[kind] += 1;
    progress.end();
    say(`${kind} ${path}: ${reason}`);
  }
  progress.end();
  const { files, bytes } = result.value;
  const { missing, altered, unknown } = counts;
  const isSound = missing + altered + unknown === 0;
  const words = isSound ? 'all as received' : `missing ${missing}, altered ${altered}, unknown ${unknown}`;
  say(`read ${files} files, ${bytes} bytes: ${words}`);
  return isSound ? EXIT.done : EXIT.failed;
}
