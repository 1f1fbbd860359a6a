// Foreign DICOM programs on loopback: DCMTK's tools and Orthanc, with Nagle's algorithm off as we have it.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, RunningProcess } from './running-process.ts';
import { tempFolder } from './temp-folder.ts';

export interface PeerAddress {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
}

/** AET@HOST:PORT, as our command line takes it. */
export function peerOption(peer: PeerAddress): string {
  return `${peer.aeTitle}@${peer.host}:${peer.port}`;
}

// DCMTK leaves Nagle's algorithm on unless this says otherwise; Orthanc is built on DCMTK.
const NAGLE_OFF = { TCP_NODELAY: '1' };

export type DcmtkTool =
  | 'echoscu'
  | 'storescu'
  | 'dcmsend'
  | 'findscu'
  | 'movescu'
  | 'getscu'
  | 'dcmdump'
  | 'dcmftest'
  | 'dcmodify'
  | 'dcmdrle'
  | 'dcmdjpeg'
  | 'dcmdjpls'
  | 'dcmconv'
  | 'dcm2json';

export interface ToolRun {
  /** null when it was stopped */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one DCMTK tool to its end. */
export async function runDcmtk(
  tool: DcmtkTool,
  args: readonly string[],
  options: { env?: Record<string, string>; timeoutMs?: number; cwd?: string } = {},
): Promise<ToolRun> {
  const run = new RunningProcess(tool, args, {
    env: { ...NAGLE_OFF, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const timer = setTimeout(() => run.signal('SIGKILL'), options.timeoutMs ?? 120_000);
  const { code } = await run.ended;
  clearTimeout(timer);
  return { code, stdout: run.stdout, stderr: run.stderr };
}

export interface ScuOptions {
  readonly callingAeTitle?: string;
  /** further options of the tool */
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
}

/** P patient root, S study root, O patient/study only (PS3.4 §C.6) */
export type InformationModel = 'P' | 'S' | 'O';

export function echoscu(peer: PeerAddress, options: ScuOptions = {}): Promise<ToolRun> {
  return runScu('echoscu', peer, [], options);
}

/** Sends files, or with `args: ['+sd', '+r']` folders; `+xa`-style proposals are the caller's choice. */
export function storescu(
  peer: PeerAddress,
  paths: readonly string[],
  options: ScuOptions = {},
): Promise<ToolRun> {
  return runScu('storescu', peer, paths, options);
}

/** Proposes each file's own transfer syntax; decompresses lossless files when the peer wants that (`-dn`: never). */
export function dcmsend(
  peer: PeerAddress,
  paths: readonly string[],
  options: ScuOptions = {},
): Promise<ToolRun> {
  return runScu('dcmsend', peer, paths, options);
}

/** One response: attribute value by keyword, top level only, as dcmdump prints it. */
export type FoundAttributes = ReadonlyMap<string, string>;

/** Queries with `keys` such as `QueryRetrieveLevel=STUDY`; `status` is the final one. */
export async function findscu(
  peer: PeerAddress,
  model: InformationModel,
  keys: readonly string[],
  options: ScuOptions = {},
): Promise<ToolRun & { matches: FoundAttributes[] }> {
  const queryArgs = [`-${model}`, ...keys.flatMap((key) => ['-k', key])];
  const run = await runScu('findscu', peer, [], {
    ...options,
    args: [...(options.args ?? []), '-v', '--show-responses', ...queryArgs],
  });
  return { ...run, matches: foundAttributes(run.stdout + run.stderr) };
}

/** The responses as Part 10 files in `folder`, for tests that look at the bytes of the answer. */
export async function findscuToFiles(
  peer: PeerAddress,
  model: InformationModel,
  keys: readonly string[],
  folder: string,
  options: ScuOptions = {},
): Promise<ToolRun & { files: string[] }> {
  await mkdir(folder, { recursive: true });
  const queryArgs = ['-X', '-od', folder, `-${model}`, ...keys.flatMap((key) => ['-k', key])];
  const run = await runScu('findscu', peer, [], {
    ...options,
    args: [...(options.args ?? []), '-v', ...queryArgs],
  });
  const files = (await readdir(folder)).filter((name) => name.startsWith('rsp')).sort();
  return { ...run, files: files.map((name) => join(folder, name)) };
}

/** C-MOVE to `destination`, which the peer must know. */
export function movescu(
  peer: PeerAddress,
  model: InformationModel,
  destination: string,
  keys: readonly string[],
  options: ScuOptions = {},
): Promise<ToolRun> {
  const moveArgs = ['-v', `-${model}`, '-aem', destination, ...keys.flatMap((key) => ['-k', key])];
  return runScu('movescu', peer, [], { ...options, args: [...(options.args ?? []), ...moveArgs] });
}

/** C-GET into `folder`, written as received (`+B`). */
export async function getscu(
  peer: PeerAddress,
  model: InformationModel,
  folder: string,
  keys: readonly string[],
  options: ScuOptions = {},
): Promise<ToolRun & { files: string[] }> {
  await mkdir(folder, { recursive: true });
  const getArgs = ['-v', `-${model}`, '+B', '-od', folder, ...keys.flatMap((key) => ['-k', key])];
  const run = await runScu('getscu', peer, [], { ...options, args: [...(options.args ?? []), ...getArgs] });
  return { ...run, files: (await readdir(folder)).sort().map((name) => join(folder, name)) };
}

function runScu(
  tool: DcmtkTool,
  peer: PeerAddress,
  paths: readonly string[],
  options: ScuOptions,
): Promise<ToolRun> {
  const args = ['-aec', peer.aeTitle, ...(options.args ?? [])];
  if (options.callingAeTitle !== undefined) args.push('-aet', options.callingAeTitle);
  return runDcmtk(
    tool,
    [...args, peer.host, String(peer.port), ...paths],
    options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
  );
}

function foundAttributes(log: string): FoundAttributes[] {
  const matches: Map<string, string>[] = [];
  let current: Map<string, string> | undefined;
  for (const line of log.split('\n')) {
    if (/Find Response: \d+ \(Pending\)/.test(line)) {
      current = new Map();
      matches.push(current);
    } else if (/Final Find Response|Received Final/.test(line)) current = undefined;
    // No indentation after the log prefix: an attribute of a sequence item is not one of the response.
    const attribute = line.match(/^I: \([0-9a-f]{4},[0-9a-f]{4}\) \w\w (.*?) +# +(?:\d+|u\/l), *\d+ (\w+)/);
    const text = attribute?.[1];
    const keyword = attribute?.[2];
    if (current !== undefined && text !== undefined && keyword !== undefined) {
      current.set(keyword, text.startsWith('(') ? '' : text.replace(/^\[|\]$/g, '').trimEnd());
    }
  }
  return matches;
}

/** A foreign program that listens. */
export interface ForeignScp extends PeerAddress, AsyncDisposable {
  readonly process: RunningProcess;
  stop(): Promise<void>;
}

/** DCMTK's storage SCP writing into `folder`. With `args: ['+xa']` it takes every transfer syntax,
 *  with `['+B']` it writes the data set as received, with `['--fork']` it serves associations in parallel. */
export async function startStorescp(
  folder: string,
  options: { aeTitle?: string; args?: readonly string[] } = {},
): Promise<ForeignScp> {
  await mkdir(folder, { recursive: true });
  const aeTitle = options.aeTitle ?? 'STORESCP';
  const port = await freePort();
  const args = ['-aet', aeTitle, '-od', folder, ...(options.args ?? []), String(port)];
  const process = new RunningProcess('storescp', args, { env: NAGLE_OFF });
  await process.waitForPort(port);
  const stop = (): Promise<void> => process.kill();
  return { aeTitle, host: '127.0.0.1', port, process, stop, [Symbol.asyncDispose]: stop };
}

export interface OrthancOptions {
  readonly aeTitle?: string;
  /** what it may call and who may query it; the key is the symbolic name in its REST paths */
  readonly modalities?: Readonly<Record<string, PeerAddress>>;
  /** differences from its defaults */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** folder that holds its storage; a temporary one, removed at the stop, when left out */
  readonly folder?: string;
}

/** Orthanc with its defaults: ports, AE title, modalities and storage folder are all that is set. */
export interface Orthanc extends ForeignScp {
  readonly httpUrl: string;
  /** REST call; JSON in and out, an error status throws. A Buffer goes as it is. */
  rest(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
}

export async function startOrthanc(options: OrthancOptions = {}): Promise<Orthanc> {
  const temporary = options.folder === undefined ? await tempFolder('orthanc') : undefined;
  const folder = options.folder ?? temporary?.path ?? '';
  const aeTitle = options.aeTitle ?? 'ORTHANC';
  const [port, httpPort] = [await freePort(), await freePort()];
  const modalities = Object.entries(options.modalities ?? {}).map(
    ([name, peer]) => [name, [peer.aeTitle, peer.host, peer.port]] as const,
  );
  await mkdir(join(folder, 'storage'), { recursive: true });
  const configuration = {
    DicomAet: aeTitle,
    DicomPort: port,
    HttpPort: httpPort,
    StorageDirectory: join(folder, 'storage'),
    IndexDirectory: join(folder, 'storage'),
    DicomModalities: Object.fromEntries(modalities),
    ...options.configuration,
  };
  const file = join(folder, 'orthanc.json');
  await writeFile(file, JSON.stringify(configuration));
  const process = new RunningProcess('Orthanc', [file], { cwd: folder, env: NAGLE_OFF });
  const stop = async (): Promise<void> => {
    await process.stop(5000);
    await temporary?.[Symbol.asyncDispose]();
  };
  try {
    await process.waitForOutput(/Orthanc has started/);
  } catch (error) {
    await stop();
    throw error;
  }
  const httpUrl = `http://127.0.0.1:${httpPort}`;
  const rest = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const raw = body instanceof Buffer ? new Uint8Array(body) : JSON.stringify(body);
    const response = await fetch(httpUrl + path, { method, ...(body === undefined ? {} : { body: raw }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`Orthanc answered ${response.status} to ${method} ${path}: ${text}`);
    return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
  };
  return { aeTitle, host: '127.0.0.1', port, process, httpUrl, rest, stop, [Symbol.asyncDispose]: stop };
}
