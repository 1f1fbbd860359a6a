// A process that stores, deletes, restores and empties without end, to be killed: says what it has stored and what it
// is about to destroy for good, one line each.
import { writeSync } from 'node:fs';
import { madeInstance } from './byte-instances.ts';
import { freshUid } from './byte-pdu.ts';
import { openArchive } from './open-archive.ts';

const [folder = ''] = process.argv.slice(2);
const { archive, catalog, acknowledge } = await openArchive(folder);

for (let round = 0; ; round += 1) {
  const studyUid = freshUid();
  const instances = Array.from({ length: 6 }, () => madeInstance({ studyUid }));
  await Promise.all(instances.map(acknowledge));
  const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid).join(' ');
  writeSync(1, `stored ${uids}\n`);
  const { id } = await archive.delete({ study: studyUid }, 'chief', '');
  writeSync(1, 'deleted\n');
  if (round % 3 === 0) {
    for await (const entry of archive.trash()) {
      const items = await catalog.ask('trashItems', { trash: entry.id });
      writeSync(1, `destroying ${items.map(({ sopInstanceUid }) => sopInstanceUid).join(' ')}\n`);
    }
    await archive.emptyTrash(new Date(Date.now() + 1000));
  } else if (round % 3 === 1) {
    await archive.restore(id);
    writeSync(1, 'restored\n');
  }
}
