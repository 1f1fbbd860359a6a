// The parts of a storage area that an instance needs on its way from the source to its place.
import type { KeyedLock } from '../util/keyed-lock.ts';
import type { ChunkPool } from './chunk-pool.ts';
import type { Directories } from './directories.ts';
import type { Directory } from './directory.ts';
import type { Journal } from './journal.ts';
import type { SpaceGauge } from './space-gauge.ts';

export interface SpoolSite {
  readonly incoming: Directory;
  readonly directories: Directories;
  readonly journal: Journal;
  /** One change at a time to one name: a replacement is several steps, and two of them must not interleave. */
  readonly paths: KeyedLock;
  readonly space: SpaceGauge;
  readonly chunks: ChunkPool;
  /** Whether the volume takes direct writes. */
  readonly isDirect: boolean;
}
