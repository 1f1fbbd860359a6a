// The program: reads the command line, builds every part once, in order, and turns signals and failures into exit codes.

import { mkdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import packageJson from '../package.json' with { type: 'json' };
import { Archive } from './archive/archive.ts';
import { rebuildCatalog } from './archive/rebuild.ts';
import type { CharacterSetOverrides } from './archive/stored-record.ts';
import { verifyArchive } from './archive/verify.ts';
import type { Catalog } from './catalog/catalog.ts';
import { openCatalog } from './catalog/open.ts';
import { type CommandLine, parseCommandLine } from './config/command-line.ts';
import { ConfigError } from './config/errors.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from './config/load.ts';
import { formatHostPort } from './config/peer-address.ts';
import { type Config, PATIENT_LOG_FIELDS, reserveBytesOf } from './config/schema.ts';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from './dicom/uid.ts';
import { commandName } from './dimse/commands.ts';
import { type Association, DimseListener } from './dimse/listener.ts';
import { isWarning, Status, statusText } from './dimse/status.ts';
import { createHttpServer } from './http/http-server.ts';
import { createMetrics } from './http/metrics.ts';
import { Callers } from './scp/callers.ts';
import { admission, createServices } from './scp/services.ts';
import { diagnose } from './scu/diagnosis.ts';
import { echo } from './scu/echo.ts';
import { type FileItem, fileItem, filesUnder } from './scu/file-items.ts';
import { sendItems } from './scu/send.ts';
import { StorageArea } from './storage/storage-area.ts';
import { storageErrorOf } from './storage/storage-error.ts';
import { messageOf, PacsError } from './util/errors.ts';
import { rangeSource } from './util/file-range.ts';
import { type Log, silentLog } from './util/log.ts';
import { createLogger } from './util/logger.ts';
import { printable } from './util/printable.ts';

/** Design: 2 for a wrong option or setting, 3 for a catalogue, volume or port that cannot be used. */
const EXIT = { done: 0, failed: 1, wrongOption: 2, unusable: 3 } as const;

/** SIGTERM is answered within 10 s: what is being received gets most of that. */
const GRACE_MS = 8000;

async function run(argv: readonly string[]): Promise<number> {
  const commandLine = parseCommandLine(argv, process.cwd());
  switch (commandLine.command) {
    case 'help':
      process.stdout.write(commandLine.text);
      return EXIT.done;
    case 'version':
      say(packageJson.version);
      return EXIT.done;
    case 'serve':
      return serve(commandLine.options);
    case 'echo':
      return echoPeer(commandLine);
    case 'send':
      return sendFiles(commandLine);
    case 'import':
      return importFiles(commandLine);
    case 'verify':
      return verify(commandLine.options);
    case 'rebuild':
      return rebuild(commandLine.options);
  }
}

/** Runs until a signal ends it. */
async function serve(options: LoadOptions): Promise<number> {
  const stopping = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopping.resolve(signal));

  const loaded = await loadUsable(options);
  const { config } = loaded;
  const logger = createLogger({
    directory: loaded.logDirectory,
    level: config.log.level,
    hiddenFields: config.log.patientNames ? [] : PATIENT_LOG_FIELDS,
  });
  const { log } = logger;
  await using stack = new AsyncDisposableStack();
  stack.defer(() => logger.close());
  try {
    const { archive, storage } = await openArchive(loaded, log, stack);
    const { listener, callers } = createListener(config, archive, log);
    let state: 'starting' | 'ok' | 'stopping' = 'starting';
    const http = createHttpServer({
      ...config.http,
      version: packageJson.version,
      log,
      registry: createMetrics({ archive, associations: () => listener.associations }),
      health: async () => {
        if (state !== 'ok') return { status: state, detail: `the archive is ${state}` };
        await archive.counts();
        await storage.checkSpace();
        return { status: 'ok' };
      },
    });
    const dimseAt = await usable('dimse.port', () => listener.listen());
    stack.defer(() => listener.close(0));
    const httpAt = await usable('http.port', () => http.listen());
    stack.defer(() => http.close());
    state = 'ok';
    log.info('ready', {
      dimse: formatHostPort(dimseAt.host, dimseAt.port),
      http: formatHostPort(httpAt.host, httpAt.port),
      aeTitle: config.aeTitle,
      peers: callers.count,
    });
    say(
      `ready dimse=${formatHostPort(dimseAt.host, dimseAt.port)} http=${formatHostPort(httpAt.host, httpAt.port)}`,
    );

    log.info('stopping', { signal: await stopping.promise });
    state = 'stopping';
    await listener.close(GRACE_MS);
    log.info('stopped');
    return EXIT.done;
  } catch (error) {
    // The log tells it on standard error too.
    log.error(`cannot serve: ${messageOf(error)}`);
    return exitCodeOf(error);
  }
}

/** The configuration, and a data directory that is one. */
async function loadUsable(options: LoadOptions): Promise<LoadedConfig> {
  const loaded = await loadConfig(options);
  const { dataDirectory } = loaded;
  await usable('data directory', () =>
    mkdir(dataDirectory, { recursive: true }).catch((error: unknown) => {
      throw storageErrorOf(error, dataDirectory);
    }),
  );
  return loaded;
}

interface OpenArchive {
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly overrides: CharacterSetOverrides;
}

/** Volume, then catalogue, then what the durable record holds; closed in the opposite order. */
async function openArchive(
  { archiveDirectory, catalog: address, config }: LoadedConfig,
  log: Log,
  stack: AsyncDisposableStack,
): Promise<OpenArchive> {
  const storage = await usable('archive.directory', async () => {
    // The directory above must be there: a volume that is not mounted is not made up for on the system disk.
    const { blocks, bsize } = await statfs(dirname(archiveDirectory));
    return StorageArea.open(archiveDirectory, {
      reserveBytes: reserveBytesOf(config.archive.reserveBytes, blocks * bsize),
    });
  });
  stack.defer(() => storage.close());
  if (storage.sweptFiles > 0) log.info('removed unfinished receptions', { files: storage.sweptFiles });
  for (const fault of storage.journal.faults) log.error(`the durable record is damaged: ${fault}`);
  const catalogUrl = address.engine === 'sqlite' ? `sqlite:${address.file}` : config.catalog;
  const catalog = await usable('catalog', () => openCatalog(catalogUrl, (words) => log.warn(words)));
  stack.defer(() => catalog.close());
  const overrides = characterSetsOf(config);
  const archive = new Archive({ storage, catalog, overrides, now: () => new Date() });
  archive.on('fault', (message) => log.error(message));
  const replayed = await usable('archive', () => archive.open());
  if (replayed > 0) log.info('replayed the durable record', { instances: replayed });
  stack.defer(() => archive.close());
  return { archive, storage, catalog, overrides };
}

/** By AE title: what callers use whose labels are missing or wrong. */
function characterSetsOf({ peers }: Config): CharacterSetOverrides {
  const characterSets = new Map(peers.map((peer) => [peer.aeTitle, peer.characterSet]));
  return (aeTitle) => characterSets.get(aeTitle);
}

function createListener(
  config: Config,
  archive: Archive,
  log: Log,
): { listener: DimseListener; callers: Callers } {
  const callers = new Callers(config.peers, config.unknownCallers);
  const services = createServices({
    archive,
    callers,
    aeTitle: config.aeTitle,
    characterSetsOf: characterSetsOf(config),
    observer: {
      subOperationFailed: (association, destination, { item, status, error }) =>
        log.warn('>> C-STORE sub-operation failed', {
          association: association.name,
          destination,
          instance: item.sopInstanceUid,
          status: statusText(status),
          reason: error,
        }),
      destinationUnreachable: (association, destination, error) =>
        log.warn('C-MOVE destination cannot be reached', {
          association: association.name,
          destination,
          reason: error,
        }),
    },
  });
  const listener = new DimseListener({
    ...config.dimse,
    implementationClassUid: IMPLEMENTATION_CLASS_UID,
    implementationVersionName: IMPLEMENTATION_VERSION_NAME,
    admit: admission(callers),
    services,
  });
  logAssociations(listener, log);
  return { listener, callers };
}

/** One line per association that begins or ends, per refused caller, per failed request. */
function logAssociations(listener: DimseListener, log: Log): void {
  const named = (association: Association) => ({
    association: association.name,
    calling: association.callingAeTitle,
    address: association.remoteAddress,
  });
  listener.on('association', (association) =>
    log.info('<< A-ASSOCIATE-RQ accepted', { ...named(association), contexts: association.contexts.size }),
  );
  listener.on('ended', (association, reason) => {
    const isRelease = reason instanceof PacsError && reason.code === 'ul-released';
    if (isRelease) log.info('<< A-RELEASE-RQ', named(association));
    else log.warn('association ended', { ...named(association), reason });
  });
  listener.on('refused', (request) =>
    log.warn('>> A-ASSOCIATE-RJ unknown caller', {
      calling: request.callingAeTitle,
      address: request.remoteAddress,
    }),
  );
  listener.on('failure', (association, command, error) =>
    log[isWarning(error.status) ? 'warn' : 'error'](`>> ${commandName(command.commandField)} failed`, {
      ...named(association),
      instance: command.affectedSopInstanceUid,
      status: statusText(error.status),
      reason: error,
      cause: error.cause instanceof PacsError ? undefined : error.cause,
    }),
  );
  listener.on('fault', (reason, { address, port }) => log.warn('no association', { address, port, reason }));
}

async function importFiles({ options, paths }: Extract<CommandLine, { command: 'import' }>): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { archive, config } = await openOffline(options, stack);
  const counts = { stored: 0, duplicate: 0, replaced: 0, failed: 0 };
  archive.on('instanceStored', ({ outcome }) => {
    counts[outcome] += 1;
  });
  for await (const path of filesUnder(paths)) {
    const item = await fileItem(path);
    if ('reason' in item) {
      complain(`skipped ${path}: ${item.reason}`);
      continue;
    }
    try {
      const range = await item.open(item.transferSyntaxUid, new AbortController().signal);
      await archive
        .store(
          { ...item, sourceAeTitle: config.aeTitle, receivingAeTitle: config.aeTitle },
          rangeSource(range),
        )
        .finally(() => range.close());
    } catch (error) {
      counts.failed += 1;
      complain(`${path}: ${messageOf(error)}`);
    }
  }
  await archive.counts();
  const { stored, duplicate, replaced, failed } = counts;
  say(
    `imported ${stored}, already there ${duplicate}, replaced older content of ${replaced}, failed ${failed}`,
  );
  return failed === 0 ? EXIT.done : EXIT.failed;
}

async function verify(options: LoadOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog } = await openOffline(options, stack);
  const findings = verifyArchive(storage, catalog);
  let count = 0;
  for (;;) {
    const { done, value } = await findings.next();
    if (done === true) {
      say(
        `read ${value.files} files, ${value.bytes} bytes: ${count === 0 ? 'all as received' : `${count} findings`}`,
      );
      return count === 0 ? EXIT.done : EXIT.failed;
    }
    count += 1;
    say(`${value.kind} ${value.path}: ${value.reason}`);
  }
}

async function rebuild(options: LoadOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { storage, catalog, overrides } = await openOffline(options, stack);
  const { indexed, unreadable } = await rebuildCatalog(storage, catalog, overrides, (path, reason) =>
    complain(`${path}: ${reason}`),
  );
  say(`indexed ${indexed} instances, ${unreadable} files could not be read`);
  return unreadable === 0 ? EXIT.done : EXIT.failed;
}

async function openOffline(options: LoadOptions, stack: AsyncDisposableStack) {
  const loaded = await loadUsable(options);
  const log: Log = { ...silentLog, error: complain, warn: complain };
  return { ...(await openArchive(loaded, log, stack)), config: loaded.config };
}

async function echoPeer({ options, peer }: Extract<CommandLine, { command: 'echo' }>): Promise<number> {
  const { aeTitle } = (await loadConfig(options)).config;
  const start = performance.now();
  try {
    await echo(peer, aeTitle);
  } catch (error) {
    complain(diagnose(error, peer, aeTitle));
    return EXIT.failed;
  }
  say(`${peer.aeTitle} answered in ${Math.round(performance.now() - start)} ms`);
  return EXIT.done;
}

async function sendFiles({
  options,
  peer,
  paths,
}: Extract<CommandLine, { command: 'send' }>): Promise<number> {
  const { aeTitle } = (await loadConfig(options)).config;
  const items: FileItem[] = [];
  for await (const path of filesUnder(paths)) {
    const item = await fileItem(path);
    if ('reason' in item) complain(`skipped ${path}: ${item.reason}`);
    else items.push(item);
  }
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  let sent = 0;
  let failed = 0;
  try {
    const sending = { peer, callingAeTitle: aeTitle, signal: stopping.signal };
    for await (const { item, status, error } of sendItems(sending, items, () => each(items))) {
      if (status === Status.success || isWarning(status)) sent += 1;
      else failed += 1;
      if (error !== undefined || status !== Status.success) {
        complain(`${item.sopInstanceUid}: ${statusText(status)} ${error ?? ''}`);
      }
      if (process.stderr.isTTY) process.stderr.write(`\r${sent + failed} of ${items.length}`);
    }
  } catch (error) {
    complain(diagnose(error, peer, aeTitle));
    return EXIT.failed;
  }
  say(`sent ${sent} of ${items.length} instances to ${peer.aeTitle}`);
  return failed === 0 && sent === items.length && items.length > 0 ? EXIT.done : EXIT.failed;
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values;
}

/** Something without which nothing can start: says what, and why. */
class StartError extends PacsError {}

async function usable<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw new StartError('unusable', `${what}: ${messageOf(error)}`, { cause: error });
  }
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.wrongOption;
  return error instanceof StartError ? EXIT.unusable : EXIT.failed;
}

function say(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}

// Images, names and logs are nobody else's on this machine.
process.umask(0o027);
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  complain(messageOf(error));
  process.exitCode = exitCodeOf(error);
}
