// One test file in a process group of its own, with an end in every case: what hangs is killed with all that it
// started, mounted and wrote, and named with the tests it hung in. What does not leave after its last test ends by its
// reporter.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Line } from './event-reporter.ts';

export interface FileResult {
  readonly passed: number;
  /** What went wrong, each with the names of the suites and the test it happened in. */
  readonly failures: readonly string[];
  /** The last of what the file printed. */
  readonly output: string;
}

const TEST_TIMEOUT_MS = 10 * 60_000;
const DEADLINE_MS = 20 * 60_000;
const KEPT_OUTPUT_CHARACTERS = 20_000;
const REPORTER = join(import.meta.dirname, 'event-reporter.ts');
/** What one file has compiled the next need not. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.cache/node');
/** Mounts and a network of its own, loopback alone, which go with the last of its processes. Without that, what one file
 *  does to the network is felt by others: a browser drops what it is loading when an address comes or goes. Who may not
 *  have them can neither mount anything nor change the network. */
const ALONE = ['unshare', '--mount', '--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
const canBeAlone = spawnSync(ALONE[0]!, [...ALONE.slice(1), 'true']).status === 0;

/** What Node, Chromium and Playwright leave behind is none of the tests'. */
const OF_OTHERS = /^(node-compile-cache$|org\.chromium\.|playwright)/;

const running = new Set<number>();
// A run that is cut short leaves nobody behind either.
process.on('exit', () => {
  for (const group of running) killGroup(group);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

export async function runTestFile(file: string, deadlineMs = DEADLINE_MS): Promise<FileResult> {
  const folder = mkdtempSync(join(tmpdir(), 'angiovault-tests-'));
  const events = join(folder, 'events');
  const temporary = join(folder, 'tmp');
  // A database server of a test is not the one who made the folder.
  chmodSync(folder, 0o711);
  mkdirSync(temporary, { mode: 0o711 });
  try {
    const { output, trouble } = await runToTheEnd(file, events, temporary, deadlineMs);
    const { passed, failures } = resultOf(readLines(events), trouble);
    const left = readdirSync(temporary).filter((name) => !OF_OTHERS.test(name));
    // What fails may leave its things.
    if (failures.length === 0 && left.length > 0) return { passed, failures: [leftBehind(left)], output };
    return { passed, failures, output };
  } finally {
    // Whoever was killed may take a moment to go.
    rmSync(folder, { recursive: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** The process, and what it started in its group: all of it is gone at the end. `trouble` says how it ended, if not well. */
async function runToTheEnd(
  file: string,
  events: string,
  temporary: string,
  deadlineMs: number,
): Promise<{ output: string; trouble: string | undefined }> {
  const options = [
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    `--test-reporter=${REPORTER}`,
    `--test-reporter-destination=${events}`,
  ];
  const [command = '', ...args] = [
    ...(canBeAlone ? ALONE : []),
    ...[process.execPath, '--disable-warning=ExperimentalWarning', ...options, file],
  ];
  const child = spawn(command, args, {
    detached: true,
    // The last one is set for whatever a test starts; with it the reporter would be passed over.
    env: {
      ...process.env,
      TMPDIR: temporary,
      NODE_COMPILE_CACHE: COMPILED,
      NODE_TEST_CONTEXT: undefined,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-KEPT_OUTPUT_CHARACTERS);
    });
  }
  const group = child.pid;
  if (group === undefined) throw new Error(`${command} cannot be started`);
  running.add(group);
  let trouble: string | undefined;
  const deadline = setTimeout(() => {
    trouble = `is not done after ${deadlineMs / 1000} s and was killed; running were:\n${processesOf(group)}`;
    killGroup(group);
  }, deadlineMs);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (...how) => resolve(how));
  });
  clearTimeout(deadline);
  if (trouble === undefined && code !== 0) trouble = `ended with ${signal ?? `exit code ${code}`}`;
  killGroup(group);
  running.delete(group);
  // Whoever left the group may still hold the pipes: nothing waits for that.
  child.stdout.destroy();
  child.stderr.destroy();
  return { output, trouble };
}

function leftBehind(names: readonly string[]): string {
  return `after the last test\nleft behind in ${tmpdir()}: ${names.join(', ')}`;
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (error) {
    // Nobody is left in it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function processesOf(group: number): string {
  const { error, stdout } = spawnSync('ps', ['-eo', 'pid,pgid,stat,etime,wchan:24,args'], {
    encoding: 'utf8',
  });
  if (error !== undefined) return error.message;
  return stdout
    .split('\n')
    .filter((line, index) => index === 0 || line.trim().split(/\s+/)[1] === String(group))
    .join('\n');
}

function readLines(events: string): Line[] {
  return readFileSync(events, { encoding: 'utf8', flag: 'a+' })
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line));
}

function resultOf(lines: readonly Line[], trouble: string | undefined): Omit<FileResult, 'output'> {
  const path: string[] = [];
  let running = 'before the first test';
  const failures: string[] = [];
  let passed = 0;
  let ended = false;
  for (const line of lines) {
    if (line.type === 'end') {
      ended = true;
      continue;
    }
    if (line.type === 'run') {
      running = `after ‘${line.name}’ was started`;
      continue;
    }
    path.length = line.nesting + 1;
    path[line.nesting] = line.name;
    if (line.type === 'fail') failures.push(`${path.join(' › ')}\n${line.why}`);
    if (line.type === 'pass') passed += 1;
  }
  // A failed test makes the exit code: that has been told.
  if (trouble !== undefined && (failures.length === 0 || !ended)) {
    failures.push(`${ended ? 'after the last test' : running}\n${trouble}`);
  }
  if (trouble === undefined && passed + failures.length === 0) failures.push('holds no test');
  else if (trouble === undefined && !ended) failures.push('ended before its tests');
  return { passed, failures };
}
