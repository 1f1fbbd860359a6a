// Storage areas on real disks for tests: heads that are sealed visibly, data sets that prove themselves.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Journal } from '../../src/storage/journal.ts';
import type { SpoolHead } from '../../src/storage/spooled.ts';
import { type Held, type HeldInstance, StorageArea } from '../../src/storage/storage-area.ts';
import { type ByteSource, byteSourceOf } from '../../src/util/byte-source.ts';
import { tempFolder } from './temp-folder.ts';

export const HEAD_BYTES = 200;

/** Closed with the scope, before the disk below it goes. */
export interface OpenedArea extends AsyncDisposable {
  readonly area: StorageArea;
  readonly root: string;
}

export async function openedArea(root: string, reserveBytes = 0): Promise<OpenedArea> {
  const area = await StorageArea.open(root, { reserveBytes });
  return { area, root, [Symbol.asyncDispose]: () => area.close() };
}

/** An area in a folder of its own; both go with the scope. */
export async function temporaryArea(): Promise<OpenedArea> {
  const folder = await tempFolder('area');
  const opened = await openedArea(join(folder.path, 'archive'));
  return {
    ...opened,
    [Symbol.asyncDispose]: async () => {
      await opened[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The catalogue holds everything up to this record. */
export function applyUpTo(journal: Journal, sequence: number): void {
  journal.done(Array.from({ length: sequence }, (_, index) => index + 1));
}

/** A head of fixed length: blank until sealed, then `sha256=<hex> bytes=<n>` as text. */
export function testHead(bytes = HEAD_BYTES): SpoolHead {
  const head = Buffer.alloc(bytes, ' ');
  return {
    bytes: head,
    seal: (sha256, dataSetBytes) => {
      head.write(`sha256=${sha256} bytes=${dataSetBytes}`);
    },
  };
}

/** Received small and held by the durable record; its file is still to be made. */
export async function holdFor(area: StorageArea, path: string, dataSet: Buffer): Promise<HeldInstance> {
  const spooled = await area.spool(testHead(), byteSourceOf(dataSet));
  try {
    const held = await spooled.hold(path);
    return { held, sealedHead: spooled.sealedHead, path };
  } finally {
    await spooled.discard();
  }
}

/** What the durable record holds of an instance, as it would be placed at `path`. */
export async function heldAgain(area: StorageArea, held: Held, path: string): Promise<HeldInstance> {
  const dataSet = (await area.readHeld(held)).subarray(HEAD_BYTES);
  const head = testHead();
  head.seal(createHash('sha256').update(dataSet).digest('hex'), dataSet.length);
  return { held, sealedHead: head.bytes, path };
}

/** Bytes that differ from position to position and from seed to seed. */
export function patterned(bytes: number, seed: number): Buffer {
  const data = Buffer.allocUnsafe(bytes);
  let state = (seed * 2654435761) >>> 0 || 1;
  const block = Buffer.allocUnsafe(Math.min(bytes, 65_537));
  for (let index = 0; index < block.length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    block[index] = state >>> 24;
  }
  for (let offset = 0; offset < bytes; offset += block.length) block.copy(data, offset);
  return data;
}

/** `data` in slices of at most `sliceBytes`, one turn of the event loop apart. */
export function slicedSource(data: Buffer, sliceBytes: number): ByteSource {
  let offset = 0;
  return {
    read: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (offset >= data.length) return undefined;
      const slice = data.subarray(offset, offset + sliceBytes);
      offset += slice.length;
      return [slice];
    },
  };
}

/** `bytes` bytes without holding them; `failure` comes instead of the end. */
export function endlessSource(bytes: number, failure?: Error): ByteSource & { readonly taken: number } {
  const slab = patterned(65_536, 1);
  let taken = 0;
  return {
    get taken() {
      return taken;
    },
    read: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      if (taken >= bytes) {
        if (failure !== undefined) throw failure;
        return undefined;
      }
      const slice = slab.subarray(0, Math.min(slab.length, bytes - taken));
      taken += slice.length;
      return [slice];
    },
  };
}

export function sha256Of(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The file is a sealed head and behind it exactly the data set that the head speaks of. */
export async function assertWhole(file: string, dataSet?: Buffer): Promise<void> {
  const content = await readFile(file);
  const sealed = /^sha256=([0-9a-f]{64}) bytes=(\d+)/.exec(content.subarray(0, HEAD_BYTES).toString());
  assert.ok(sealed, `${file} has no sealed head`);
  const stored = content.subarray(HEAD_BYTES);
  assert.equal(stored.length, Number(sealed[2]), `${file}: length`);
  assert.equal(sha256Of(stored), sealed[1], `${file}: hash`);
  if (dataSet !== undefined) assert.ok(stored.equals(dataSet), `${file}: other bytes than were sent`);
}

/** Relative paths of all files below a directory, sorted. */
export async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}

/** Matches a StorageError by its code. */
export function storageFault(code: string): { name: 'StorageError'; code: string } {
  return { name: 'StorageError', code };
}
