// Everything that `make test` checks, in one run: lint, types, every test file. One line per file while it
// goes well, everything about a failure, and as the last line `N passed, N failed`. A test that is skipped or
// marked as still to do has failed: it proves nothing.
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { runTestFile } from './run-test-file.ts';

// Two cores, and many a file that waits for a server, a disk or a clock of another program.
const CONCURRENT_FILES = 3;
// What is quick and tells most comes first.
const ORDER = [
  'test/architecture',
  'test/documentation',
  'test/unit/',
  'test/contract/',
  'test/protocol/',
  'test/',
];

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

function testFiles(): string[] {
  const rank = (file: string) => ORDER.findIndex((prefix) => file.startsWith(prefix));
  return globSync('test/**/*.test.ts').sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** Takes files off the list until it is empty. */
async function work(files: string[]): Promise<void> {
  for (let file = files.shift(); file !== undefined; file = files.shift()) await runFile(file);
}

async function runFile(file: string): Promise<void> {
  const started = performance.now();
  const result = await runTestFile(file);
  const { failures, output } = result;
  passed += result.passed;
  failed += failures.length;
  row(failures.length === 0, file, String(result.passed + failures.length), performance.now() - started);
  if (failures.length === 0) return;
  for (const failure of failures) print(`\n  ${failure.replaceAll('\n', '\n  ')}`);
  if (output !== '') print(`\n  output of the file:\n  ${output.replaceAll('\n', '\n  ')}`);
}

await check('lint (biome)', 'biome', ['check', '--error-on-warnings', '.']);
await check('types (tsc)', 'tsc', ['--noEmit']);
await check('types of the app (tsc)', 'tsc', ['-p', 'ui']);
const files = testFiles();
await Promise.all(Array.from({ length: CONCURRENT_FILES }, () => work(files)));
print(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
