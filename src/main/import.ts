// `import`: adopts folders of DICOM files.

import type { CommandLine } from '../config/command-line.ts';
import { fileItem, filesUnder } from '../scu/file-items.ts';
import { messageOf } from '../util/errors.ts';
import { rangeSource } from '../util/file-range.ts';
import { openOffline } from './open-archive.ts';
import { complain, EXIT, say } from './program.ts';

export async function importFiles({
  options,
  paths,
}: Extract<CommandLine, { command: 'import' }>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { archive, config } = await openOffline(options, stack);
  const counts = { stored: 0, duplicate: 0, replaced: 0, failed: 0 };
  archive.on('instanceStored', ({ outcome }) => {
    counts[outcome] += 1;
  });
  for await (const path of filesUnder(paths)) {
    const item = await fileItem(path);
    if ('reason' in item) {
      complain(`skipped ${path}: ${item.reason}`);
      continue;
    }
    try {
      const range = await item.open(item.transferSyntaxUid, new AbortController().signal);
      await archive
        .store(
          { ...item, sourceAeTitle: config.aeTitle, receivingAeTitle: config.aeTitle },
          rangeSource(range),
        )
        .finally(() => range.close());
    } catch (error) {
      counts.failed += 1;
      complain(`${path}: ${messageOf(error)}`);
    }
  }
  await archive.counts();
  const { stored, duplicate, replaced, failed } = counts;
  say(
    `imported ${stored}, already there ${duplicate}, replaced older content of ${replaced}, failed ${failed}`,
  );
  return failed === 0 ? EXIT.done : EXIT.failed;
}
