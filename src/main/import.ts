// `import`: adopts folders of DICOM files.

import { unlink } from 'node:fs/promises';
import type { Archive } from '../archive/archive.ts';
import type { CommandLine } from '../config/command-line.ts';
import { type FileItem, fileItem, filesUnder } from '../scu/file-items.ts';
import { messageOf } from '../util/errors.ts';
import { rangeSource } from '../util/file-range.ts';
import { openOffline } from './open-archive.ts';
import { complain, EXIT, say } from './program.ts';
import { Progress } from './progress.ts';
import { stopSignal } from './stop-signal.ts';

/** Files read at the same time: one waits for its flush while others are read. */
const AT_ONCE = 4;
/** Media Storage Directory Storage: a DICOMDIR says what is on a disc and is no instance. */
const DICOMDIR = '1.2.840.10008.1.3.10';

const LATE =
  'stopped: ended before everything was in the catalogue; the next start of the archive, or of this command, brings it in';

/** Interrupted, it ends after the files under way; each file is taken as a whole or not at all. */
export async function importFiles({
  options,
  paths,
  isMove,
}: Extract<CommandLine, { command: 'import' }>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { archive, config } = await openOffline(options, stack);
  const stopping = new AbortController();
  void stopSignal(() => complain(LATE), EXIT.failed).then(() => stopping.abort());
  const counts = { stored: 0, duplicate: 0, replaced: 0, skipped: 0, failed: 0 };
  archive.on('instanceStored', ({ outcome }) => {
    counts[outcome] += 1;
  });
  const progress = new Progress('files');
  let looked = 0;
  const files = filesUnder(paths);
  const takeSome = async () => {
    for await (const path of { [Symbol.asyncIterator]: () => ({ next: () => files.next() }) }) {
      if (stopping.signal.aborted) return;
      const problem = await takeFile(path, { archive, aeTitle: config.aeTitle, isMove });
      if (problem !== undefined) {
        progress.end();
        complain(problem.words);
        counts[problem.kind] += 1;
      }
      looked += 1;
      progress.at(looked);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, takeSome));
  await archive.counts();
  progress.end();
  const { stored, duplicate, replaced, skipped, failed } = counts;
  const isWhole = !stopping.signal.aborted;
  say(
    `${isWhole ? '' : 'stopped: '}imported ${stored}, already there ${duplicate}, replaced older content of ${replaced}, skipped ${skipped}, failed ${failed}`,
  );
  return failed === 0 && isWhole ? EXIT.done : EXIT.failed;
}

interface Target {
  readonly archive: Archive;
  readonly aeTitle: string;
  readonly isMove: boolean;
}

interface Problem {
  readonly kind: 'skipped' | 'failed';
  readonly words: string;
}

async function takeFile(path: string, target: Target): Promise<Problem | undefined> {
  const item = await fileItem(path);
  if ('reason' in item) return { kind: 'skipped', words: `skipped ${path}: ${item.reason}` };
  if (item.sopClassUid === DICOMDIR) {
    return {
      kind: 'skipped',
      words: `skipped ${path}: a DICOMDIR is no instance; its files are taken by themselves`,
    };
  }
  try {
    await store(item, target);
    // It is safe under its own name by now. A rename could not give the file the head that proves it later.
    if (target.isMove) await unlink(path);
    return undefined;
  } catch (error) {
    return { kind: 'failed', words: `${path}: ${messageOf(error)}` };
  }
}

async function store(item: FileItem, { archive, aeTitle }: Target): Promise<void> {
  const range = await item.open(item.transferSyntaxUid, new AbortController().signal);
  try {
    await archive.store({ ...item, sourceAeTitle: aeTitle, receivingAeTitle: aeTitle }, rangeSource(range));
  } finally {
    range.close();
  }
}
