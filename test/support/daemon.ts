// The real daemon as a child process, as `npm run angiovault -- serve` starts it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type ProcessEnd, RunningProcess } from './running-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE = `${ROOT}node_modules/.bin/node`;
const AE_TITLE = 'ANGIOVAULT';

export interface DaemonOptions {
  readonly dataDir: string;
  readonly aeTitle?: string;
  /** AET@HOST:PORT */
  readonly peers?: readonly string[];
  readonly unknownCallers?: 'refuse' | 'echo' | 'all';
  /** further options of `serve` */
  readonly args?: readonly string[];
  /** options of node itself, such as --cpu-prof */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly readyMs?: number;
}

/** A daemon that accepts on every listener; `await using` ends it by force. */
export class Daemon implements AsyncDisposable {
  readonly aeTitle: string;
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly httpPort: number;
  readonly httpUrl: string;
  readonly dataDir: string;
  readonly process: RunningProcess;

  constructor(process: RunningProcess, options: DaemonOptions, port: number, httpPort: number) {
    this.process = process;
    this.aeTitle = options.aeTitle ?? AE_TITLE;
    this.port = port;
    this.httpPort = httpPort;
    this.httpUrl = `http://127.0.0.1:${httpPort}`;
    this.dataDir = options.dataDir;
  }

  get stderr(): string {
    return this.process.stderr;
  }

  get stdout(): string {
    return this.process.stdout;
  }

  memory(): { peakBytes: number; nowBytes: number } {
    return this.process.memory();
  }

  /** SIGTERM; exit code 0 is what it owes. */
  stop(): Promise<ProcessEnd> {
    return this.process.stop();
  }

  /** `kill -9` */
  kill(): Promise<void> {
    return this.process.kill();
  }

  async health(): Promise<{ status: string } & Record<string, unknown>> {
    const response = await fetch(`${this.httpUrl}/api/health`);
    return (await response.json()) as { status: string };
  }

  /** The sample of one metric without labels, or undefined. */
  async metric(name: string): Promise<number | undefined> {
    const text = await (await fetch(`${this.httpUrl}/metrics`)).text();
    const sample = text.match(new RegExp(`^${name} (\\S+)$`, 'm'))?.[1];
    return sample === undefined ? undefined : Number(sample);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The environment and the options of node in the npm script `angiovault`: what a user runs is what is tested. */
function launch(): { env: Record<string, string>; nodeArgs: string[] } {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    scripts: { angiovault: string };
  };
  const words = scripts.angiovault.split(' ');
  const node = words.indexOf('node');
  const settings = words
    .slice(words.indexOf('env') + 1, node)
    .map((word) => word.split('=') as [string, string]);
  return { env: Object.fromEntries(settings), nodeArgs: words.slice(node + 1, words.indexOf('src/main.ts')) };
}

/** Runs `angiovault COMMAND …`, for the commands that end by themselves and for starts that must fail. */
export function runAngiovault(
  command: string,
  args: readonly string[],
  options: Pick<DaemonOptions, 'nodeArgs' | 'env'> = {},
): RunningProcess {
  const { env, nodeArgs } = launch();
  return new RunningProcess(
    NODE,
    [...nodeArgs, ...(options.nodeArgs ?? []), 'src/main.ts', command, ...args],
    {
      cwd: ROOT,
      env: { ...env, ...options.env },
    },
  );
}

/** Starts `serve` on free ports and waits for its ready line. */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const args = ['--data', options.dataDir, '--dimse-port', '0', '--http-port', '0'];
  if (options.aeTitle !== undefined) args.push('--ae-title', options.aeTitle);
  for (const peer of options.peers ?? []) args.push('--peer', peer);
  if (options.unknownCallers !== undefined) args.push('--unknown-callers', options.unknownCallers);
  const process = runAngiovault('serve', [...args, ...(options.args ?? [])], options);
  try {
    const ready = /^ready dimse=\S*:(\d+) http=\S*:(\d+)$/m;
    const [, port, httpPort] = await process.waitForOutput(ready, options.readyMs ?? 30_000);
    return new Daemon(process, options, Number(port), Number(httpPort));
  } catch (error) {
    await process.kill();
    throw error;
  }
}
