// What the catalogue knows of the care for what is stored: what came in when. No SQL here.

export interface IntakeOfDay {
  /** UTC, yyyy-mm-dd. */
  readonly day: string;
  /** Received that day and still kept, older contents included. */
  readonly files: number;
  readonly bytes: number;
}

export interface UpkeepOperations {
  /** Of the days from this one on, oldest first; those on which nothing came are left out. */
  intake: { request: string; answer: readonly IntakeOfDay[] };
}
