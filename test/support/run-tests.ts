// Everything that `make test` checks, in one run: lint, types, every test file. One line per file while it
// goes well, everything about a failure, and as the last line `N passed, N failed`. A test that is skipped or
// marked as still to do has failed: it proves nothing.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { inspect } from 'node:util';

const CONCURRENT_FILES = 2;
const TEST_TIMEOUT_MS = 15 * 60_000;
const KEPT_OUTPUT_CHARACTERS = 20_000;
// What is quick and tells most comes first.
const ORDER = ['test/architecture', 'test/unit/', 'test/contract/', 'test/protocol/', 'test/'];

let passed = 0;
let failed = 0;

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function row(ok: boolean, name: string, count: string, milliseconds: number): void {
  print(
    `${ok ? 'ok  ' : 'FAIL'} ${name.padEnd(64)} ${count.padStart(9)} ${(milliseconds / 1000).toFixed(1).padStart(7)} s`,
  );
}

/** A program that has to end with exit code 0; what it says is shown when it does not. */
async function check(name: string, command: string, args: readonly string[]): Promise<void> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ok = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      resolve(false);
    });
    child.once('close', (code) => resolve(code === 0));
  });
  row(ok, name, '', performance.now() - started);
  if (ok) {
    passed += 1;
  } else {
    failed += 1;
    print(output);
  }
}

interface FileState {
  readonly names: string[];
  passed: number;
  failures: string[];
  output: string;
}

function testFiles(): string[] {
  const rank = (file: string) => ORDER.findIndex((prefix) => file.startsWith(prefix));
  return globSync('test/**/*.test.ts').sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

async function runFiles(files: string[]): Promise<void> {
  const states = new Map<string, FileState>();
  const stateOf = (named = ''): FileState => {
    // Some events name the file from the root, some from here.
    const file = resolve(named);
    const state = states.get(file) ?? { names: [], passed: 0, failures: [], output: '' };
    states.set(file, state);
    return state;
  };
  const keep = ({ file, message }: { file?: string; message: string }) => {
    const state = stateOf(file);
    state.output = (state.output + message).slice(-KEPT_OUTPUT_CHARACTERS);
  };
  const events = run({
    files,
    concurrency: CONCURRENT_FILES,
    timeout: TEST_TIMEOUT_MS,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  events.on('test:stdout', keep);
  events.on('test:stderr', keep);
  events.on('test:start', ({ file, name, nesting }) => {
    const { names } = stateOf(file);
    names.length = nesting;
    names[nesting] = name;
  });
  events.on('test:pass', ({ file, name, nesting, details, skip, todo }) => {
    const state = stateOf(file);
    const path = [...state.names.slice(0, nesting), name].join(' › ');
    if (skip !== undefined) state.failures.push(`${path}\nis skipped`);
    else if (todo !== undefined) state.failures.push(`${path}\nis marked as still to do`);
    // A file in which nothing is tested is reported as one test with the file's own name.
    else if (nesting === 0 && file !== undefined && file.endsWith(name)) state.failures.push('holds no test');
    else if (details.type !== 'suite') state.passed += 1;
  });
  events.on('test:fail', ({ file, name, nesting, details }) => {
    // The failure of a suite only repeats that of its test, which has been told.
    if (failureType(details.error) === 'subtestsFailed') return;
    const state = stateOf(file);
    const path = [...state.names.slice(0, nesting), name].join(' › ');
    state.failures.push(`${path}\n${inspect(details.error.cause ?? details.error, { depth: 5 })}`);
  });
  events.on('test:summary', ({ file, duration_ms }) => {
    if (file !== undefined) report(resolve(file), stateOf(file), duration_ms);
  });
  for await (const _ of events);
  // A file whose process died leaves no summary of its own.
  for (const [file, state] of states) if (!reported.has(file)) report(file, state, 0);
}

const reported = new Set<string>();

function report(file: string, state: FileState, milliseconds: number): void {
  reported.add(file);
  passed += state.passed;
  failed += state.failures.length;
  const ok = state.failures.length === 0;
  row(ok, relative('.', file), String(state.passed + state.failures.length), milliseconds);
  if (ok) return;
  for (const failure of state.failures) print(`\n  ${failure.replaceAll('\n', '\n  ')}`);
  if (state.output !== '') print(`\n  output of the file:\n  ${state.output.replaceAll('\n', '\n  ')}`);
}

function failureType(error: unknown): unknown {
  return error instanceof Error && 'failureType' in error ? error.failureType : undefined;
}

await check('lint (biome)', 'biome', ['check', '--error-on-warnings', '.']);
await check('types (tsc)', 'tsc', ['--noEmit']);
await runFiles(testFiles());
print(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
