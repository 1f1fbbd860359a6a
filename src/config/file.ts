// config.json on disk: bounded reading, and writing that leaves the old or the new file, never half of one.
import { constants, copyFile, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, messageOf } from '../util/errors.ts';
import { ConfigError } from './errors.ts';

const MAX_BYTES = 1 << 20;

/** The settings of the file, not yet checked; undefined when there is no such file. */
export async function readSettingsFile(file: string): Promise<unknown> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  try {
    // Editors on Windows put a byte order mark first.
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ConfigError(`${file}: is not JSON: ${messageOf(error)}`, { cause: error });
  }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file, 'r');
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(MAX_BYTES + 1), position: 0 });
    if (bytesRead > MAX_BYTES)
      throw new ConfigError(`${file}: is larger than ${MAX_BYTES} bytes, so it is no configuration`);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    // Nor is there one where the data directory is none, which the start says in its own words.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Replaces the file at once, also through a power failure. For the owner's eyes: it may hold a password. */
export async function writeSettingsFile(file: string, settings: unknown): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    {
      await using handle = await open(temporary, 'w', 0o600);
      await handle.writeFile(`${JSON.stringify(settings, undefined, 2)}\n`);
      await handle.sync();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await using directory = await open(dirname(file), 'r');
  await directory.sync();
}

/** Keeps the file as it is beside itself; an earlier backup of that name stays. */
export async function backUpSettingsFile(file: string, version: number): Promise<string> {
  for (let n = 1; ; n += 1) {
    const backup = `${file}.version-${version}${n === 1 ? '' : `-${n}`}.bak`;
    try {
      await copyFile(file, backup, constants.COPYFILE_EXCL);
      return backup;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
  }
}
