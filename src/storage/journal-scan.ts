// Start-up: what the slots of the durable record hold, in the order in which it was written, and what is missing.

import type { Directory } from './directory.ts';
import { closeDescriptor } from './file-calls.ts';
import { type JournalRecord, scanSlot } from './journal-format.ts';
import {
  listSlots,
  lookInto,
  openSlot,
  readSlot,
  removeSlot,
  SLOT_BYTES,
  type Slot,
  UNFLUSHED_BOOT_ID,
} from './journal-slot.ts';
import { StorageError } from './storage-error.ts';

const NOT_FLUSHED =
  'the disk refused what had been acknowledged, and only after a restart can be seen what it has; check the disk, then restart the machine: what is missing is made again from the durable record';

/** A slot that is no longer written. */
export interface FullSlot {
  readonly slot: Slot;
  readonly lastSequence: number;
  readonly isDamaged: boolean;
  /** On the clock of performance.now(). */
  readonly fullAt: number;
}

export interface Scan {
  readonly used: readonly FullSlot[];
  readonly free: readonly Slot[];
  readonly faults: readonly string[];
  readonly lastSequence: number;
  readonly applied: number;
  readonly nextNumber: number;
}

interface ScannedSlot {
  readonly slot: Slot;
  readonly isDamaged: boolean;
  readonly records: readonly JournalRecord[];
}

/** Opens and reads every slot. What cannot be read is named in `faults` and stays on the volume. */
export async function scanSlots(directory: Directory): Promise<Scan> {
  const { names, nextNumber } = await listSlots(directory);
  const free: Slot[] = [];
  const scanned: ScannedSlot[] = [];
  const faults: string[] = [];
  for (const name of names) {
    const slot = await openSlot(directory, name);
    const { header, bytes } = await lookInto(slot);
    if (typeof header !== 'string' && header.bootId === UNFLUSHED_BOOT_ID) {
      for (const { fd } of [slot, ...free, ...scanned.map((one) => one.slot)]) await closeDescriptor(fd);
      throw new StorageError('unusable', `${directory.path}/${name}: ${NOT_FLUSHED}`);
    }
    if (header === 'unreadable') {
      faults.push(`${directory.path}/${name}: its first block is damaged; what it held cannot be told`);
      await removeSlot(directory, slot, true);
    } else if (header === 'free') {
      if (bytes === SLOT_BYTES) free.push(slot);
      else await removeSlot(directory, slot, false);
    } else {
      const { records, damaged } = scanSlot(await readSlot(slot), header.salt);
      for (const range of damaged) {
        faults.push(`${directory.path}/${name}: ${range.bytes} bytes at offset ${range.offset} are damaged`);
      }
      scanned.push({ slot, isDamaged: damaged.length > 0, records });
    }
  }
  return { ...ordered(scanned, faults, directory.path), free, nextNumber };
}

/** Puts the slots in the order of their records, and says what is missing between them. */
function ordered(
  scanned: readonly ScannedSlot[],
  faults: readonly string[],
  path: string,
): Pick<Scan, 'used' | 'faults' | 'lastSequence' | 'applied'> {
  const first = ({ records }: ScannedSlot) => records[0]?.sequence ?? 0;
  const inOrder = [...scanned].sort((a, b) => first(a) - first(b));
  const applied = Math.max(0, ...inOrder.flatMap(({ records }) => records.at(-1)?.applied ?? 0));
  const missing: string[] = [];
  let lastSequence = 0;
  let lastName: string | undefined;
  for (const { slot, records } of inOrder) {
    const [oldest] = records;
    if (oldest === undefined) continue;
    // Slots are given back oldest first: what is missing before all others was not needed any more.
    if (lastName !== undefined && oldest.previous > Math.max(lastSequence, applied)) {
      missing.push(`at the end of ${path}/${lastName}: records up to number ${oldest.previous} are missing`);
    }
    lastSequence = records.at(-1)!.sequence;
    lastName = slot.name;
  }
  const now = performance.now();
  const used = inOrder.map(({ slot, records, isDamaged }) => ({
    slot,
    lastSequence: records.at(-1)?.sequence ?? 0,
    isDamaged,
    fullAt: now,
  }));
  return { used, faults: [...faults, ...missing], lastSequence: Math.max(lastSequence, applied), applied };
}
