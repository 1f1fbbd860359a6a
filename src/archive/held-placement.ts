// Small instances that the durable record holds are given their files, a batch at a time. Their senders have had their
// answer, so nothing here may lose one: what fails is tried again.

import type { InstanceRecord } from '../catalog/catalog.ts';
import type { Held, Spooled, StorageArea } from '../storage/storage-area.ts';
import { StorageError } from '../storage/storage-error.ts';
import { codeOf } from '../util/errors.ts';
import { quarantinePath, supersededPath, uidsOf } from './instance-path.ts';
import type { Intent } from './intent.ts';
import { hashDataSet, type StoredHead } from './stored-instance.ts';
import { headAt } from './stored-record.ts';

/** `duplicate`: the same bytes were here already and stay as they are. */
export type Outcome = 'stored' | 'duplicate' | 'replaced';

export interface HeldRecord {
  readonly record: InstanceRecord;
  readonly held: Held;
  readonly sealedHead: Buffer;
}

export interface Placed {
  readonly outcome: Outcome;
  /** As the catalogue is to have it. */
  readonly record: InstanceRecord;
}

/** Gives each its file, no UID twice among them. Throws when any could not be placed, and can be called again with all
 *  of them. */
export async function placeHeld(storage: StorageArea, batch: readonly HeldRecord[]): Promise<Placed[]> {
  const placements = await storage.placeHeld(
    batch.map(({ held, sealedHead, record }) => ({ held, sealedHead, path: record.location.path })),
  );
  const placed: Placed[] = [];
  for (const [index, instance] of batch.entries()) {
    // `same` is this very reception, placed by an attempt that was cut short: its head names the time of receipt.
    placed.push(
      placements[index] === 'exists'
        ? await placeHeldOver(storage, instance)
        : { outcome: 'stored', record: instance.record },
    );
  }
  return placed;
}

async function placeHeldOver(storage: StorageArea, instance: HeldRecord): Promise<Placed> {
  const { record } = instance;
  const { location } = record;
  const beside = location.path.replace(/\.dcm$/, `.${location.sha256.slice(0, 16)}.dcm`);
  try {
    return await placeOver(storage, record, () => storage.spoolHeld(instance));
  } catch (error) {
    if (!isObstacle(error) || location.path === beside) throw error;
    // A directory or a link bears the name: the instance gets one beside it.
    const moved = { ...instance, record: { ...record, location: { ...location, path: beside } } };
    const [placed] = await placeHeld(storage, [moved]);
    return placed!;
  }
}

function isObstacle(error: unknown): boolean {
  return error instanceof StorageError && (error.code === 'bad-path' || error.code === 'unusable');
}

/** For an instance at whose path there is a file: the same bytes stay, when they still are, older ones move to superseded/ and make way for
 *  what `spoolFor` gives, which goes there itself when the present ones are newer. */
export function placeOver(
  storage: StorageArea,
  record: InstanceRecord,
  spoolFor: (intent: Intent) => Promise<Spooled>,
): Promise<Placed> {
  return storage.exclusively(() => placeOverPresent(storage, record, spoolFor));
}

async function placeOverPresent(
  storage: StorageArea,
  record: InstanceRecord,
  spoolFor: (intent: Intent) => Promise<Spooled>,
): Promise<Placed> {
  const { path, sha256, receivedAt } = record.location;
  const found = await headAt(storage, path).catch(unlessUnreadable);
  if (found === undefined) {
    // Another daemon has moved it aside since.
    const placed = await placeOnce(await spoolFor({ path }), path);
    return placed ? { outcome: 'stored', record } : placeOverPresent(storage, record, spoolFor);
  }
  const present = found === 'unreadable' ? undefined : found;
  const integrity = present?.meta.integrity;
  const isSame = integrity?.sha256 === sha256;
  if (present?.isComplete === true && integrity !== undefined) {
    if (isSame && (await isSound(storage, path, present))) {
      const known = { ...record, location: { ...record.location, receivedAt: integrity.receivedAt } };
      return { outcome: 'duplicate', record: known };
    }
    if (!isSame && integrity.receivedAt > receivedAt) {
      const overtaken = supersededPath(uidsOf(record), integrity.receivedAt, sha256);
      // Time and hash are in the name: what is there is this very content, placed by an attempt that was cut short.
      const spooled = await spoolFor({ path: overtaken });
      if (!(await placeOnce(spooled, overtaken))) await spooled.discard();
      return { outcome: 'stored', record: { ...record, location: { ...record.location, path: overtaken } } };
    }
  }
  if (isSame) {
    // It has been damaged since: its sender, told that it is here, may never send it again.
    await replace(await spoolFor({ path }), path, quarantinePath(record.instance.uid));
    return { outcome: 'stored', record };
  }
  const older = supersededPath(uidsOf(record), receivedAt, integrity?.sha256 ?? 'unknown');
  await replace(await spoolFor({ path, supersededPath: older }), path, older);
  return { outcome: 'replaced', record: { ...record, supersededPath: older } };
}

/** A sector that the disk cannot read any more must not keep out what is sent again for that reason. */
function unlessUnreadable(error: unknown): 'unreadable' {
  if (codeOf(error) !== 'EIO' && codeOf(error) !== 'io') throw error;
  return 'unreadable';
}

/** Whether the data set is what the head says. What cannot be read is not. */
async function isSound(
  storage: StorageArea,
  path: string,
  { meta, dataSetOffset }: StoredHead,
): Promise<boolean> {
  try {
    return (await hashDataSet(storage, path, dataSetOffset)) === meta.integrity?.sha256;
  } catch {
    return false;
  }
}

async function replace(spooled: Spooled, path: string, aside: string): Promise<void> {
  try {
    await spooled.replace(path, aside);
  } catch (error) {
    await spooled.discard();
    throw error;
  }
}

/** Whether it got its place; false when there is a file already. */
async function placeOnce(spooled: Spooled, path: string): Promise<boolean> {
  try {
    await spooled.place(path);
    return true;
  } catch (error) {
    if (error instanceof StorageError && error.code === 'exists') return false;
    await spooled.discard();
    throw error;
  }
}
