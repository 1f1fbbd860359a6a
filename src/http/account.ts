// The administrator's account: one name and one password, kept as scrypt in a file of its own beside config.json, so
// that no backup of the configuration carries it.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { readSettingsFile, writeSettingsFile } from '../config/file.ts';
import { PacsError } from '../util/errors.ts';

/** 64 MiB and about a quarter of a second of a NAS: enough to make guessing hopeless (OWASP: N ≥ 2^16, r = 8). */
const COST = { N: 2 ** 16, r: 8, p: 1 } as const;
const KEY_BYTES = 32;
const MIN_PASSWORD_CHARACTERS = 10;

const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(
  scrypt,
);

export const accountUser = z
  .string()
  .trim()
  .regex(/^[^\p{Cc}]{1,64}$/u, 'wants a name of 1 to 64 characters');
export const accountPassword = z
  .string()
  .min(MIN_PASSWORD_CHARACTERS, `wants at least ${MIN_PASSWORD_CHARACTERS} characters`)
  .max(200, 'wants at most 200 characters');

const stored = z.strictObject({
  user: z.string(),
  scrypt: z.strictObject({
    N: z
      .int()
      .min(1024)
      .max(2 ** 18),
    r: z.int().min(1).max(16),
    p: z.int().min(1).max(4),
    salt: z.base64(),
    hash: z.base64(),
  }),
});

export class Account {
  readonly #file: string;
  #stored: z.output<typeof stored> | undefined;

  private constructor(file: string, content: z.output<typeof stored> | undefined) {
    this.#file = file;
    this.#stored = content;
  }

  /** A file that cannot be read as one is an error, not an account that nobody has set. */
  static async open(dataDirectory: string): Promise<Account> {
    const file = join(dataDirectory, 'account.json');
    const content = await readSettingsFile(file);
    if (content === undefined) return new Account(file, undefined);
    const result = stored.safeParse(content);
    if (result.success) return new Account(file, result.data);
    throw new PacsError(
      'account-unreadable',
      `${file} is no account file: remove it and set the account again with angiovault account`,
    );
  }

  get isSet(): boolean {
    return this.#stored !== undefined;
  }

  /** Takes the same time for a wrong name as for a wrong password. */
  async matches(user: string, password: string): Promise<boolean> {
    const { user: name = '', scrypt: kept } = this.#stored ?? {};
    const { N, r, p } = kept ?? COST;
    const salt = Buffer.from(kept?.salt ?? '', 'base64');
    const wanted = Buffer.from(kept?.hash ?? '', 'base64');
    const found = await derive(password.normalize('NFKC'), salt, KEY_BYTES, { N, r, p, maxmem: 512 << 20 });
    return wanted.length === found.length && timingSafeEqual(wanted, found) && user.trim() === name;
  }

  async set(user: string, password: string): Promise<void> {
    const salt = randomBytes(16);
    const hash = await derive(password.normalize('NFKC'), salt, KEY_BYTES, { ...COST, maxmem: 512 << 20 });
    const content = {
      user,
      scrypt: { ...COST, salt: salt.toString('base64'), hash: hash.toString('base64') },
    };
    await writeSettingsFile(this.#file, content);
    this.#stored = content;
  }
}
