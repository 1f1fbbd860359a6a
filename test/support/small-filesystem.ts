// Real file systems of a few megabytes: one that fills up, one whose disk fails, one whose power can be cut.
// All need root and loop devices or tmpfs; without them the test fails and says so, because it would prove nothing.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from '../../src/util/errors.ts';
import { type TempFolder, tempFolder } from './temp-folder.ts';

const execute = promisify(execFile);

/** A mounted file system; unmounted and removed with the scope. */
export interface MountedFilesystem extends AsyncDisposable {
  readonly path: string;
}

/** Holds `mebibytes` and not one more: writing beyond ends with ENOSPC. */
export async function smallFilesystem(mebibytes: number): Promise<MountedFilesystem> {
  const folder = await tempFolder('small');
  return await mounted(folder, 'disk', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'angiovault-test']);
}

/** Refuses direct writing (O_DIRECT). */
export async function indirectFilesystem(): Promise<MountedFilesystem> {
  return await mounted(await tempFolder('indirect'), 'disk', ['-t', 'ramfs', 'angiovault-test']);
}

export interface FailingFilesystem extends MountedFilesystem {
  /** From now on the disk takes no block that it has not taken before. */
  breakDisk(): Promise<void>;
}

/** An ext4 whose disk can be broken: writes succeed in memory, flushes fail, and once the file system notices that
 *  it cannot write its own journal (EIO) it makes itself read-only. */
export async function failingFilesystem(): Promise<FailingFilesystem> {
  const folder = await tempFolder('failing');
  const disk = await mounted(folder, 'disk', ['-t', 'tmpfs', '-o', 'size=24m', 'angiovault-test']);
  const image = join(disk.path, 'image');
  await makeImage(image, 200);
  const upper = await mounted(folder, 'upper', ['-t', 'ext4', '-o', 'loop,errors=continue', image]);
  return {
    path: upper.path,
    breakDisk: () => fillUp(join(disk.path, 'filler')),
    [Symbol.asyncDispose]: async () => {
      await unmount(upper.path);
      await disk[Symbol.asyncDispose]();
    },
  };
}

export interface PowerCutFilesystem extends MountedFilesystem {
  /** What is left when the power goes at this very moment: the disk as it is, without anything that waits in
   *  memory, mounted beside the original after the file system's own recovery. */
  cutPower(): Promise<MountedFilesystem>;
}

/** An ext4 on a disk of its own whose state can be taken at any moment as if the power had gone. */
export async function powerCutFilesystem(mebibytes: number): Promise<PowerCutFilesystem> {
  const folder = await tempFolder('power');
  const image = join(folder.path, 'image');
  await makeImage(image, mebibytes);
  // The file system must not flush by itself while a test looks at what was flushed on purpose.
  const original = await mounted(folder, 'disk', ['-t', 'ext4', '-o', 'loop,commit=3600', image]);
  let cuts = 0;
  return {
    ...original,
    cutPower: async () => {
      cuts += 1;
      const left = await tempFolder(`power-cut-${cuts}`);
      const copy = join(left.path, 'image');
      await copyFile(image, copy);
      return await mounted(left, 'disk', ['-t', 'ext4', '-o', 'loop', copy]);
    },
  };
}

/** Writes until nothing more goes in, whatever else is being written there. */
export async function fillUp(file: string): Promise<void> {
  const handle = await open(file, 'w');
  const block = Buffer.alloc(4096);
  try {
    for (;;) await handle.write(block);
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error;
  } finally {
    await handle.close();
  }
}

async function makeImage(image: string, mebibytes: number): Promise<void> {
  await writeFile(image, '');
  await truncate(image, mebibytes << 20);
  await execute('mkfs.ext4', ['-q', '-F', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', image]);
}

async function mounted(
  folder: TempFolder,
  name: string,
  mountArguments: string[],
): Promise<MountedFilesystem> {
  const path = join(folder.path, name);
  await mkdir(path);
  try {
    await execute('mount', [...mountArguments, path]);
  } catch (cause) {
    await folder[Symbol.asyncDispose]();
    const words = 'this test mounts a small file system of its own and needs root and loop devices for it';
    throw new Error(`${words}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await unmount(path);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Lazily: a test that failed with files open must report its own failure, not a busy disk. */
async function unmount(path: string): Promise<void> {
  await execute('umount', ['--lazy', path]);
}
