// How reading everything again leaves the disk to the users, over a month of simulated time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, Pace } from '../../../src/archive/pace.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const TERABYTE = 1e12;
/** As examine.ts reads, but in larger pieces: a million of them would only test the test. */
const PIECE_BYTES = 64 << 20;
const DISK_BYTES_PER_MS = 120_000;
/** As the configuration has it when nobody has changed anything: at 20 o'clock, for 10 hours, 20 MB/s. */
const WINDOW_MS = 10 * HOUR_MS;
const BYTES_PER_SECOND = 20_000_000;

class SimulatedClock implements Clock {
  ms = 0;
  /** Until then the window is open. */
  endMs = 0;
  readonly #window: AbortController;

  constructor(window: AbortController, startMs: number) {
    this.#window = window;
    this.ms = startMs;
    this.endMs = startMs + WINDOW_MS;
  }

  now(): number {
    return this.ms;
  }

  async pause(ms: number, signal: AbortSignal): Promise<void> {
    this.pass(ms);
    signal.throwIfAborted();
  }

  pass(ms: number): void {
    this.ms += ms;
    if (this.ms >= this.endMs) this.#window.abort();
  }
}

/** Night after night; machines send in the first `sendingMs` of each. */
async function readTerabyte(sendingMs: number) {
  let left = TERABYTE;
  let diskMs = 0;
  let whileSending = 0;
  let nights = 0;
  let endMs = 0;
  for (; left > 0; nights += 1) {
    const window = new AbortController();
    const startMs = nights * DAY_MS;
    const clock = new SimulatedClock(window, startMs);
    const isBusy = () => clock.ms < startMs + sendingMs;
    const pace = new Pace({ bytesPerSecond: BYTES_PER_SECOND, isBusy, signal: window.signal, clock });
    try {
      while (left > 0) {
        await pace.beforeReading(PIECE_BYTES);
        if (isBusy()) whileSending += 1;
        const ms = PIECE_BYTES / DISK_BYTES_PER_MS;
        clock.pass(ms);
        diskMs += ms;
        left -= PIECE_BYTES;
        endMs = clock.ms;
      }
    } catch (error) {
      assert.equal(window.signal.aborted, true, String(error));
    }
  }
  return { nights, diskMs, whileSending, endMs };
}

for (const sendingHours of [0, 4]) {
  test(`1 TB at 120 MB/s, machines send ${sendingHours} h a night: within 30 days, under 1 % of the disk's time`, async () => {
    const { nights, diskMs, whileSending, endMs } = await readTerabyte(sendingHours * HOUR_MS);
    assert.ok(nights <= 30, `${nights} nights`);
    assert.equal(whileSending, 0, 'nothing is read while machines send');
    assert.ok(diskMs < (30 * DAY_MS) / 100, `${diskMs} ms of disk in 30 days`);
    // Beside a disk that gives 120 MB/s it takes a sixth of the window's time, and no more.
    assert.ok(diskMs / (nights * WINDOW_MS) < 20 / 120 + 0.01);
    assert.ok(endMs <= (nights - 1) * DAY_MS + WINDOW_MS + 1000, 'it ends with its window');
  });
}
