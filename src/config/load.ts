// The configuration of one run: command line over config.json over defaults.
import { join, resolve } from 'node:path';
import { type CatalogAddress, parseCatalogAddress } from '../util/catalog-address.ts';
import { ConfigError } from './errors.ts';
import { backUpSettingsFile, readSettingsFile, writeSettingsFile } from './file.ts';
import { MIGRATIONS, type Migration, migrate, type Settings } from './migrate.ts';
import { type Config, configSchema, type Peer } from './schema.ts';
import { validate } from './validate.ts';

/** What the command line says about settings; it counts for this run and is never written down. */
export interface Overrides {
  readonly aeTitle?: string;
  readonly dimsePort?: number;
  readonly httpPort?: number;
  readonly catalog?: string;
  readonly peers: readonly Peer[];
  readonly unknownCallers?: Config['unknownCallers'];
}

export interface LoadOptions {
  readonly dataDirectory: string;
  /** Default: config.json in the data directory. Named explicitly, it has to exist. */
  readonly configFile?: string;
  readonly overrides: Overrides;
  readonly migrations?: readonly Migration[];
}

export interface LoadedConfig {
  readonly config: Config;
  readonly configFile: string;
  /** All paths absolute. */
  readonly dataDirectory: string;
  readonly archiveDirectory: string;
  readonly logDirectory: string;
  readonly catalog: CatalogAddress;
  /** Where the older config.json was kept, when this start brought one forward. */
  readonly backup?: string;
}

/** Reads, brings forward, checks and merges; throws ConfigError. A file that is not there is not written:
 *  the defaults hold until somebody changes a setting. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const dataDirectory = resolve(options.dataDirectory);
  const configFile = resolve(options.configFile ?? join(dataDirectory, 'config.json'));
  const written = await readSettingsFile(configFile);
  if (written === undefined && options.configFile !== undefined) {
    throw new ConfigError(`--config: wants an existing file, and there is no ${configFile}`);
  }
  const current = isSettings(written)
    ? migrate(written, configFile, options.migrations ?? MIGRATIONS)
    : written;
  const fromFile = validate(configSchema, current === undefined ? {} : current, configFile);
  const backup = current === written ? undefined : await keepMigrated(configFile, written, fromFile);
  const config = merge(fromFile, options.overrides);
  checkPorts(config);
  const catalog = parseCatalogAddress(config.catalog, dataDirectory);
  if (catalog === undefined) throw new ConfigError(`${configFile}: catalog: cannot be read`);
  return {
    config,
    configFile,
    dataDirectory,
    archiveDirectory: resolve(dataDirectory, config.archive.directory),
    logDirectory: join(dataDirectory, 'logs'),
    catalog,
    ...(backup === undefined ? {} : { backup }),
  };
}

async function keepMigrated(file: string, written: unknown, migrated: Config): Promise<string> {
  const version = isSettings(written) ? Number(written.version) : 0;
  const backup = await backUpSettingsFile(file, version);
  await writeSettingsFile(file, migrated);
  return backup;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(config: Config, overrides: Overrides): Config {
  const named = new Set(overrides.peers.map((peer) => peer.aeTitle));
  return {
    ...config,
    aeTitle: overrides.aeTitle ?? config.aeTitle,
    dimse: { ...config.dimse, port: overrides.dimsePort ?? config.dimse.port },
    http: { ...config.http, port: overrides.httpPort ?? config.http.port },
    catalog: overrides.catalog ?? config.catalog,
    peers: [...config.peers.filter((peer) => !named.has(peer.aeTitle)), ...overrides.peers],
    unknownCallers: overrides.unknownCallers ?? config.unknownCallers,
  };
}

/** Either may come from the file or from the command line. */
export function checkPorts({ dimse, http }: Config): void {
  if (dimse.port !== 0 && dimse.port === http.port) {
    throw new ConfigError(`http.port: wants another port than dimse.port, both are ${http.port}`);
  }
}
