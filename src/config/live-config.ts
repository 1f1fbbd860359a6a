// The configuration of a running program: changed in one place, one change after the other; what can be taken over is,
// the rest waits for the next start. config.json is replaced at once, and what it was is kept beside it.
import { copyFile, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { codeOf, PacsError } from '../util/errors.ts';
import { readSettingsFile, writeSettingsFile } from './file.ts';
import { checkPorts, type LoadedConfig } from './load.ts';
import { changedKeys } from './merge-patch.ts';
import { MIGRATIONS, migrate, type Settings } from './migrate.ts';
import { type Applies, CONFIG_VERSION, type Config, configSchema } from './schema.ts';
import { appliesOf } from './settings-words.ts';
import { validate } from './validate.ts';

const KEPT_BACKUPS = 20;

/** Takes over what a running program can; rejects, with everything as before, when it cannot. */
export type Apply = (next: Config, previous: Config) => Promise<void>;

export interface Change {
  readonly before: Config;
  readonly after: Config;
  /** Of the settings that differ. */
  readonly keys: readonly string[];
  readonly applied: Applies;
}

/** Of settings as they are written, without defaults; returns a new object. */
export type Edit = (settings: Settings) => Settings;

export class LiveConfig {
  readonly #file: string;
  /** What holds now. The command line counts until the same setting is changed here. */
  #current: Config;
  #apply: Apply = async () => {};
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ config, configFile }: Pick<LoadedConfig, 'config' | 'configFile'>) {
    this.#current = config;
    this.#file = configFile;
  }

  get current(): Config {
    return this.#current;
  }

  /** Before the first change. */
  set apply(apply: Apply) {
    this.#apply = apply;
  }

  /** Throws ConfigError when the outcome is no configuration, and whatever `apply` rejects with. */
  change(edit: Edit): Promise<Change> {
    return this.#inTurn(async () => this.#replace(edit(await this.#written()), edit(this.#current)));
  }

  /** Takes a whole file, also one that an older program wrote. */
  restore(settings: Settings): Promise<Change> {
    return this.#inTurn(async () => {
      const brought = migrate(settings, 'the file', MIGRATIONS);
      return this.#replace(brought, brought);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #written(): Promise<Settings> {
    return ((await readSettingsFile(this.#file)) as Settings | undefined) ?? {};
  }

  async #replace(written: Settings, effective: Settings): Promise<Change> {
    validate(configSchema, written, basename(this.#file));
    const before = this.#current;
    const after = validate(configSchema, effective, basename(this.#file));
    checkPorts(after);
    const keys = changedKeys(before, after);
    await this.#apply(after, before);
    try {
      await this.#backUp();
      await writeSettingsFile(this.#file, { ...written, version: CONFIG_VERSION });
    } catch (error) {
      await this.#apply(before, after);
      const words = `${this.#file} cannot be written (${codeOf(error) ?? 'unknown'}); nothing was changed`;
      throw new PacsError('config-not-written', words, { cause: error });
    }
    this.#current = after;
    return { before, after, keys, applied: appliesOf(keys) };
  }

  async #backUp(): Promise<void> {
    const stamp = new Date().toISOString().replaceAll(/[-:]/g, '');
    try {
      await copyFile(this.#file, `${this.#file}.${stamp}.bak`);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    const name = basename(this.#file);
    const backups = (await readdir(dirname(this.#file)))
      .filter((one) => one.startsWith(`${name}.`) && /\.\d{8}T\d{6}\.\d{3}Z\.bak$/.test(one))
      .toSorted();
    for (const old of backups.slice(0, -KEPT_BACKUPS)) await rm(join(dirname(this.#file), old));
  }
}
