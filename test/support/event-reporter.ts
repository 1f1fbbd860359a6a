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

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    const line = lineOf(type, data);
    if (line !== undefined) yield written(line);
  }
  yield written({ type: 'end' });
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
