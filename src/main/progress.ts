// Progress on standard error: count, rate and time left; on a terminal in one line, else a line now and then.

import { complain } from './program.ts';

const TERMINAL_EVERY_MS = 500;
const LINE_EVERY_MS = 10_000;

export class Progress {
  readonly #what: string;
  readonly #start = performance.now();
  readonly #before: number;
  #saidAt = performance.now();
  #total: number | undefined;

  /** `before`: how many an earlier attempt had done. */
  constructor(what: string, before = 0) {
    this.#what = what;
    this.#before = before;
  }

  /** How many there are, as soon as somebody knows. */
  expect(total: number): void {
    this.#total = total;
  }

  at(count: number): void {
    const now = performance.now();
    const { isTTY } = process.stderr;
    if (now - this.#saidAt < (isTTY ? TERMINAL_EVERY_MS : LINE_EVERY_MS)) return;
    this.#saidAt = now;
    const rate = (count - this.#before) / ((now - this.#start) / 1000);
    const of = this.#total === undefined ? '' : ` of ${this.#total}`;
    const left = this.#total === undefined ? '' : `, ${timeOf(Math.max(0, this.#total - count) / rate)} left`;
    const line = `${count}${of} ${this.#what}, ${Math.round(rate)}/s${left}`;
    if (isTTY) process.stderr.write(`\r${line}\u001b[K`);
    else complain(line);
  }

  /** Takes the line away. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}

function timeOf(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'some time';
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
