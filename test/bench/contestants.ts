// Who is measured: our daemon, Orthanc with its defaults, DCMTK's storescp, and the floor: a receiver that only writes
// each data set to the disk before it answers, which nobody who keeps his word can undercut by much.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startDaemon } from '../support/daemon.ts';
import { type PeerAddress, peerOption, startOrthanc, startStorescp } from '../support/foreign-peers.ts';
import { type MariadbServer, mariadbAddress } from '../support/mariadb-server.ts';
import { RunningProcess } from '../support/running-process.ts';
import { startBareScp } from './bare-scp.ts';

export const CONTESTANTS = ['ours', 'orthanc', 'storescp', 'floor'] as const;
export type ContestantName = (typeof CONTESTANTS)[number];

export interface Contestant extends PeerAddress {
  readonly name: ContestantName;
  readonly process: RunningProcess;
  /** the gauge of its metrics, where it has metrics */
  metric(name: string): Promise<number | undefined>;
  stop(): Promise<unknown>;
}

/** What every part of the benchmark is given. */
export interface BenchContext {
  /** a folder on the measured disk, emptied after each part */
  readonly folder: string;
  readonly contestants: readonly ContestantName[];
  /** where CPU profiles of our daemon go */
  readonly profileFolder: string | undefined;
  log(line: string): void;
}

export const REQUESTOR_AE_TITLE = 'BENCHSCU';
/** As our daemon announces. */
const MAX_PDU_BYTES = 262_144;

interface StartOptions {
  readonly parallel?: boolean;
  /** Where C-MOVE may send. */
  readonly destination?: PeerAddress;
  /** On which both keep their index instead of in their own folder. */
  readonly server?: MariadbServer | undefined;
}

/** Starts the contestants, of those asked for, that `names` allows. */
export async function startContestants(
  context: BenchContext,
  names: readonly ContestantName[],
  options: StartOptions = {},
): Promise<Contestant[]> {
  const started: Contestant[] = [];
  try {
    for (const name of context.contestants) {
      if (names.includes(name)) started.push(await start(context, name, options));
    }
  } catch (error) {
    for (const contestant of started) await contestant.stop();
    throw error;
  }
  return started;
}

async function start(
  context: BenchContext,
  name: ContestantName,
  { parallel, destination, server }: StartOptions,
): Promise<Contestant> {
  const folder = join(context.folder, name);
  await mkdir(folder, { recursive: true });
  const noMetric = async (): Promise<undefined> => undefined;
  if (name === 'storescp') {
    const scp = await startStorescp(folder, { args: parallel ? ['--fork'] : [] });
    return { ...scp, name, metric: noMetric };
  }
  if (name === 'floor') {
    const floor = await startBareScp({ maxPduBytes: MAX_PDU_BYTES, keepIn: join(folder, 'kept') });
    return { ...floor, name, metric: noMetric };
  }
  if (name === 'orthanc') {
    const requestor = { aeTitle: REQUESTOR_AE_TITLE, host: '127.0.0.1', port: 1 };
    const modalities = { requestor, ...(destination === undefined ? {} : { destination }) };
    const configuration = server === undefined ? {} : await mysqlIndex(server);
    const orthanc = await startOrthanc({ folder, modalities, configuration });
    return { ...orthanc, name, metric: noMetric };
  }
  const profile = context.profileFolder;
  const daemon = await startDaemon({
    dataDir: folder,
    args: server === undefined ? [] : ['--catalog', server.url(await server.freshDatabase())],
    peers: destination === undefined ? [] : [peerOption(destination)],
    nodeArgs: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`],
  });
  const { aeTitle, host, port, process } = daemon;
  return {
    name,
    aeTitle,
    host,
    port,
    process,
    metric: (key) => daemon.metric(key),
    stop: () => daemon.stop(),
  };
}

/** Orthanc's plugin in its default form: the index on the server, the files in a folder. */
async function mysqlIndex(server: MariadbServer): Promise<Record<string, unknown>> {
  const database = await server.freshDatabase();
  const { host, port, user, password } = mariadbAddress(server.url(database));
  const access = { Host: host, Port: port, Database: database, Username: user, Password: password };
  return {
    Plugins: ['/usr/share/orthanc/plugins/libOrthancMySQLIndex.so'],
    MySQL: { EnableIndex: true, EnableStorage: false, EnableSsl: false, ...access },
  };
}

/** Nobody pays for the writes that somebody else left to the kernel. */
export async function settleDisk(): Promise<void> {
  await new RunningProcess('sync', []).ended;
}
