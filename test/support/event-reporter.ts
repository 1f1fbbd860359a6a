// What the tests of one file do, as lines of JSON for run-tests.ts: a reporter of node:test.
import { inspect } from 'node:util';

/** A line. `run` comes at once, the others in the order of the file's text; `end`: every test has ended. */
export type Line =
  | { readonly type: 'run'; readonly name: string }
  | { readonly type: 'start'; readonly name: string; readonly nesting: number }
  | { readonly type: 'pass'; readonly name: string; readonly nesting: number }
  | { readonly type: 'fail'; readonly name: string; readonly nesting: number; readonly why: string }
  | { readonly type: 'end' };

interface TestEvent {
  readonly type: string;
  readonly data: {
    readonly name: string;
    readonly nesting: number;
    readonly skip?: string | boolean;
    readonly todo?: string | boolean;
    readonly details: { readonly type?: string; readonly error?: Error };
  };
}

/** Whatever stops servers and browsers after the last test has that long. */
const LEAVING_MS = Number(process.env.ANGIOVAULT_TEST_LEAVING_MS ?? 30_000);

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  let running = 0;
  let leaving: NodeJS.Timeout | undefined;
  for await (const { type, data } of events) {
    if (data.nesting === 0 && type === 'test:enqueue') running += 1;
    if (data.nesting === 0 && type === 'test:complete') running -= 1;
    clearTimeout(leaving);
    if (running === 0) leaving = setTimeout(leave, LEAVING_MS).unref();
    const line = lineOf(type, data);
    if (line !== undefined) yield written(line);
  }
  yield written({ type: 'end' });
}

/** Nobody would ever end it: a test that failed in the middle has left something running, or one has forgotten it. */
function leave(): void {
  const held = process.getActiveResourcesInfo().join(', ');
  process.stderr.write(
    `still running ${LEAVING_MS / 1000} s after the last test, and ended; kept by: ${held}\n`,
  );
  process.exit(1);
}

function written(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

function lineOf(type: string, { name, nesting, skip, todo, details }: TestEvent['data']): Line | undefined {
  if (type === 'test:dequeue') return { type: 'run', name };
  if (type === 'test:start') return { type: 'start', name, nesting };
  if (type === 'test:pass') {
    if (skip !== undefined) return { type: 'fail', name, nesting, why: 'is skipped' };
    if (todo !== undefined) return { type: 'fail', name, nesting, why: 'is marked as still to do' };
    return details.type === 'suite' ? undefined : { type: 'pass', name, nesting };
  }
  if (type !== 'test:fail') return undefined;
  const error = details.error;
  // The failure of a suite only repeats that of its test, which has been told.
  if (error !== undefined && 'failureType' in error && error.failureType === 'subtestsFailed')
    return undefined;
  return { type: 'fail', name, nesting, why: inspect(error?.cause ?? error, { depth: 5 }) };
}
