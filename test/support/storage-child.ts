// A process that stores without end, to be killed: says what it has acknowledged, one line each.
import { writeSync } from 'node:fs';
import { StorageArea } from '../../src/storage/storage-area.ts';
import { StorageError } from '../../src/storage/storage-error.ts';
import { patterned, slicedSource, testHead } from './storage-area.ts';

const [root = '', round = '0'] = process.argv.slice(2);
const ASSOCIATIONS = 4;
// Small ones mostly, some of several chunks, so that every step is under way when the end comes.
const SIZES = [700, 5000, 1_300_000, 60_000, 3000];

/** Line `ack PATH SHA256`, in the order of the acknowledgements. */
function acknowledge(path: string, sha256: string): void {
  writeSync(1, `ack ${path} ${sha256}\n`);
}

async function store(area: StorageArea, path: string, seed: number): Promise<void> {
  const data = patterned(SIZES[seed % SIZES.length]!, seed);
  const spooled = await area.spool(testHead(), slicedSource(data, 50_000));
  const supersededPath = `superseded/${round}/${seed}`;
  if (spooled.isSmall) {
    // Safe with its bytes in the record; the file is made behind the sender's back, as the archive does it.
    const held = await spooled.hold(path);
    const { sha256, sealedHead } = spooled;
    await spooled.discard();
    acknowledge(path, sha256);
    const instance = { held, sealedHead, path };
    const [outcome] = await area.placeHeld([instance]);
    if (outcome === 'exists') await (await area.spoolHeld(instance)).replace(path, supersededPath);
    return;
  }
  // The record goes first, as the archive does it: what is placed is always known to the journal.
  await Promise.all([spooled.flush(), area.journal.append(path)]);
  try {
    await spooled.place(path);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'exists') throw error;
    await area.journal.append(`${path}\n${supersededPath}`);
    await spooled.replace(path, supersededPath);
  }
  acknowledge(path, spooled.sha256);
}

async function associate(area: StorageArea, association: number): Promise<void> {
  for (let index = 0; ; index += 1) {
    const seed = (Number(round) * ASSOCIATIONS + association) * 100_000 + index;
    // Every third time an instance that is there already.
    const name = index % 3 === 2 ? `known-${association}` : `${round}-${association}-${index}`;
    await store(area, `studies/2024/${index % 4}/${association}/${name}.dcm`, seed);
  }
}

const area = await StorageArea.open(root, { reserveBytes: 0 });
await Promise.all(Array.from({ length: ASSOCIATIONS }, (_, association) => associate(area, association)));
