// Data folders as a killed daemon leaves them: receptions in the durable record, and of what they became on the volume
// and in the catalogue as much as a test wants.
import { cp, mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { instancePath } from '../../src/archive/instance-path.ts';
import { encodeIntent } from '../../src/archive/intent.ts';
import { encodeFileHead } from '../../src/dicom/file-meta.ts';
import { BLOCK_BYTES, encodeSlotHeader, readSlotHeader } from '../../src/storage/journal-format.ts';
import { StorageArea } from '../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../src/util/byte-source.ts';
import type { MadeInstance } from './byte-instances.ts';
import { sha256 } from './byte-services.ts';
import { applyUpTo } from './storage-area.ts';

const STUDY_DATE = '20240315';

export interface Reception {
  readonly instance: MadeInstance;
  readonly receivedAt: string;
}

export function pathOf(instance: MadeInstance): string {
  const { studyUid, seriesUid, sopInstanceUid } = instance;
  return instancePath({ studyUid, seriesUid, sopInstanceUid }, STUDY_DATE);
}

/** Makes `folder` one in which the durable record holds these small instances and nothing else has happened yet; the
 *  first `applied` of them count as being in the catalogue. */
export async function recordReceptions(
  folder: string,
  receptions: readonly Reception[],
  applied = 0,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const area = await StorageArea.open(join(folder, 'archive'), { reserveBytes: 0 });
  for (const [index, { instance, receivedAt }] of receptions.entries()) {
    const head = encodeFileHead(
      { ...instance, sourceAeTitle: 'DSA', sendingAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' },
      receivedAt,
    );
    const spooled = await area.spool(head, byteSourceOf(instance.dataSet));
    const { sequence } = await spooled.hold(encodeIntent({ path: pathOf(instance), receivedAt }));
    if (index < applied) applyUpTo(area.journal, sequence);
  }
  // A later record says what was applied, and keeps the slot: it is of something that was never placed.
  if (applied > 0) await area.journal.append(encodeIntent({ path: 'studies/undated/1/2/3.dcm' }));
  await area.close();
}

/** `folder` becomes what is left of several others: the durable record of one, files of another, a catalogue. */
export async function assemble(
  folder: string,
  parts: { readonly record: string; readonly volume?: string; readonly catalog?: string },
): Promise<void> {
  await cp(join(parts.record, 'archive', 'journal'), join(folder, 'archive', 'journal'), { recursive: true });
  if (parts.volume !== undefined) {
    for (const part of ['studies', 'superseded']) {
      await cp(join(parts.volume, 'archive', part), join(folder, 'archive', part), { recursive: true });
    }
  }
  if (parts.catalog !== undefined) {
    for (const name of await readdir(parts.catalog)) {
      if (name.startsWith('catalog.sqlite')) await cp(join(parts.catalog, name), join(folder, name));
    }
  }
}

/** As if the machine had been started anew since: what was placed need not be on the disk. */
export async function afterNewBoot(folder: string): Promise<void> {
  const journal = join(folder, 'archive', 'journal', '1');
  for (const name of await readdir(journal)) {
    const header = readSlotHeader((await readFile(join(journal, name))).subarray(0, BLOCK_BYTES));
    if (typeof header === 'string') continue;
    const slot = await open(join(journal, name), 'r+');
    await slot.write(encodeSlotHeader({ ...header, bootId: 'another-boot-of-the-machine'.padEnd(36) }), 0);
    await slot.close();
  }
}

export function hashOf({ dataSet }: MadeInstance): string {
  return sha256(dataSet);
}
