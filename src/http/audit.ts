// Who changed what: one line of JSON for each change, flushed before the change is answered, in files that are only
// ever appended to. No passwords, no patient names.
import { mkdir, open, rename, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../util/errors.ts';
import { linesBackwards } from '../util/lines-backwards.ts';
import type { Log } from '../util/log.ts';

const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_READ_BYTES = 8 * 1024 * 1024;

export const auditEntry = z.object({
  id: z.int(),
  at: z.string(),
  user: z.string(),
  /** What was done, as `peer-added`: the app has words for it. */
  action: z.string(),
  target: z.string(),
  before: z.unknown().optional(),
  after: z.unknown().optional(),
});
export type AuditEntry = z.output<typeof auditEntry>;
export type AuditRecord = Omit<AuditEntry, 'id' | 'at'>;

export class Audit {
  readonly #file: string;
  readonly #log: Log;
  #lastId: number;
  #turn: Promise<void> = Promise.resolve();

  private constructor(file: string, log: Log, lastId: number) {
    this.#file = file;
    this.#log = log;
    this.#lastId = lastId;
  }

  /** The file is made with the first entry. */
  static async open(file: string, log: Log): Promise<Audit> {
    let lastId = 0;
    for await (const entry of entriesOf(file)) {
      lastId = entry.id;
      break;
    }
    return new Audit(file, log, lastId);
  }

  /** Resolves when the entry is on the disk. A disk that does not take it is told in the log, with the entry: what was
   *  changed is changed. */
  record(record: AuditRecord): Promise<void> {
    this.#lastId += 1;
    const entry: AuditEntry = { id: this.#lastId, at: new Date().toISOString(), ...record };
    this.#turn = this.#turn
      .then(() => append(this.#file, `${JSON.stringify(entry)}\n`))
      .catch((error: unknown) => this.#log.error('the audit cannot be written', { error, ...entry }));
    return this.#turn;
  }

  /** Newest first, those with a smaller id than `before`. */
  async list(limit: number, before = Number.POSITIVE_INFINITY): Promise<AuditEntry[]> {
    const entries: AuditEntry[] = [];
    for await (const entry of entriesOf(this.#file)) {
      if (entry.id >= before) continue;
      entries.push(entry);
      if (entries.length === limit) break;
    }
    return entries;
  }
}

/** A line that a power failure cut short is left out. */
async function* entriesOf(file: string): AsyncGenerator<AuditEntry> {
  for await (const line of linesBackwards([file, olderName(file)], MAX_READ_BYTES)) {
    const entry = parsed(line);
    if (entry !== undefined) yield entry;
  }
}

function parsed(line: string): AuditEntry | undefined {
  try {
    return auditEntry.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

async function append(file: string, line: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await putAsideWhenFull(file);
  await using handle = await open(file, 'a', 0o600);
  const { size } = await handle.stat();
  // A line that was cut short is not continued.
  await handle.appendFile(size > 0 ? `\n${line}` : line);
  await handle.datasync();
}

/** Nothing is thrown away: each full file keeps the number of the day on which it was full. */
async function putAsideWhenFull(file: string): Promise<void> {
  const size = await stat(file).then(
    (found) => found.size,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') return 0;
      throw error;
    },
  );
  if (size < MAX_FILE_BYTES) return;
  const older = olderName(file);
  const stamp = new Date().toISOString().replaceAll(/[-:]/g, '');
  await rename(older, `${older}.${stamp}`).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  await rename(file, older);
}

function olderName(file: string): string {
  return `${file}.1`;
}
