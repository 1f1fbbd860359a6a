// Instances whose bytes the durable record holds become files; the record gives them up when those are on the disk.

import { messageOf } from '../util/errors.ts';
import { splitAreaPath } from './area-path.ts';
import type { Directories } from './directories.ts';
import type { Directory } from './directory.ts';
import { newIncomingName } from './incoming-file.ts';
import type { Held } from './journal.ts';
import type { Placement } from './placing-messages.ts';
import type { PlacingThread } from './placing-thread.ts';
import { StorageError } from './storage-error.ts';

export interface HeldInstance {
  readonly held: Held;
  /** The file's head with hash and length: in the durable record it is not filled in yet. */
  readonly sealedHead: Buffer;
  /** Relative to the root of the area. */
  readonly path: string;
}

/** File names by directory. */
type Names = Map<string, string[]>;

export class HeldFiles {
  readonly #directories: Directories;
  readonly #thread: PlacingThread;
  readonly #via: Directory | undefined;
  readonly #unflushed = new Map<string, Names>();
  #fault: StorageError | undefined;

  /** `via`: where files are made whole before they get their names, when others look at these at any moment. */
  constructor(directories: Directories, thread: PlacingThread, via?: Directory) {
    this.#directories = directories;
    this.#thread = thread;
    this.#via = via;
  }

  /** Throws once placed instances could not be flushed: no later flush would prove anything (see Directories). Their
   *  contents stay in the durable record, and the next start of the machine goes through it. */
  checkFault(): void {
    if (this.#fault !== undefined) throw this.#fault;
  }

  /** Makes a file of each; never overwrites. Throws when any could not be made; asked again, the others are `same`. */
  async place(instances: readonly HeldInstance[]): Promise<Placement[]> {
    const outcomes: Placement[] = [];
    const byDirectory = Map.groupBy(
      instances.keys(),
      (index) => splitAreaPath(instances[index]!.path).directory,
    );
    await Promise.all(
      [...byDirectory].map(([path, indexes]) => this.#placeIn(path, instances, indexes, outcomes)),
    );
    return outcomes;
  }

  /** What an earlier run of the program placed is to be flushed as well. */
  placedBefore(held: Held, path: string): void {
    const { directory, name } = splitAreaPath(path);
    this.#remember(held.slot, directory, name);
  }

  /** Puts on the disk what was placed from this slot of the durable record. What is gone has been moved, and whoever
   *  moves flushes before. */
  async flush(slot: string): Promise<void> {
    this.checkFault();
    try {
      for (const [path, files] of this.#unflushed.get(slot) ?? []) {
        if (!(await this.#directories.isThere(path))) continue;
        await this.#directories.use(path, async (directory) => {
          await this.#thread.flush(files.map((name) => directory.at(name)));
          await directory.flush();
        });
      }
    } catch (cause) {
      const words = `placed instances cannot be flushed (${messageOf(cause)}): nothing is accepted any more; check the disk, then restart the machine`;
      this.#fault = new StorageError('io', words, { cause });
      throw this.#fault;
    }
    this.#unflushed.delete(slot);
  }

  async #placeIn(
    path: string,
    instances: readonly HeldInstance[],
    indexes: readonly number[],
    outcomes: Placement[],
  ): Promise<void> {
    const items = indexes.map((index) => {
      const { held, sealedHead, path: file } = instances[index]!;
      return { index, held, sealedHead, name: splitAreaPath(file).name };
    });
    const placed = await this.#directories.use(path, (directory) =>
      this.#thread.place(
        items.map(({ held: { fd, contentAt, bytes }, sealedHead, name }) => ({
          fd,
          contentAt,
          bytes,
          head: sealedHead,
          to: directory.at(name),
          via: this.#via?.at(newIncomingName()),
        })),
      ),
    );
    for (const [at, { index, held, name }] of items.entries()) {
      outcomes[index] = placed[at]!;
      if (placed[at] !== 'exists') this.#remember(held.slot, path, name);
    }
  }

  #remember(slot: string, directory: string, name: string): void {
    let names = this.#unflushed.get(slot);
    if (names === undefined) {
      names = new Map();
      this.#unflushed.set(slot, names);
    }
    const files = names.get(directory);
    if (files === undefined) names.set(directory, [name]);
    else files.push(name);
  }
}
