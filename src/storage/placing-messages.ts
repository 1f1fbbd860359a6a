// What the area and its placing thread say to each other.

/** Makes a file of the bytes at `contentAt` of an open descriptor. */
export interface PlaceJob {
  readonly fd: number;
  readonly contentAt: number;
  readonly bytes: number;
  /** Takes the place of as many bytes at the beginning. */
  readonly head: Uint8Array;
  /** An absolute path; what is there is never overwritten. */
  readonly to: string;
  /** An absolute path, where the file is made whole before it is linked to its name. */
  readonly via: string | undefined;
}

/** `same`: a file with exactly these bytes was there. `exists`: something else was. */
export type Placement = 'placed' | 'same' | 'exists';

export interface PlacingFailure {
  readonly code: string | undefined;
  readonly message: string;
}

export interface ToPlacing {
  readonly id: number;
  readonly place: readonly PlaceJob[];
  /** Absolute paths of files to be flushed. */
  readonly flush: readonly string[];
}

export interface FromPlacing {
  readonly id: number;
  /** One for each job, in order. */
  readonly placed: readonly (Placement | PlacingFailure)[];
  /** Why not everything that was to be flushed is on the disk. */
  readonly flushFailure: PlacingFailure | undefined;
}
