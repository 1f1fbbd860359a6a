// A child process under observation: what it printed, what memory it took, how it ended.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { codeOf } from '../../src/util/errors.ts';

export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** How a process ended: `code` is null when a signal ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const KEPT_CHARACTERS = 4 << 20;
/** Once it has gone, what it printed last is there at once; longer only others keep its pipes open, whom it started. */
const LAST_WORDS_MS = 2000;
const running = new Set<ChildProcess>();
// A test run that dies must not leave its peers behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A program that runs until it is stopped, killed, or finds its own end. */
export class RunningProcess {
  readonly name: string;
  readonly pid: number;
  readonly ended: Promise<ProcessEnd>;
  #stdout = '';
  #stderr = '';
  #end: ProcessEnd | undefined;
  #watchers = new Set<() => void>();
  readonly #child: ChildProcess;

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    this.name = command.slice(command.lastIndexOf('/') + 1);
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(this.#child);
    this.pid = this.#child.pid ?? -1;
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout = kept(this.#stdout + text);
      this.#wake();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = kept(this.#stderr + text);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      const finish = (end: ProcessEnd): void => {
        running.delete(this.#child);
        this.#end = end;
        this.#wake();
        resolve(end);
      };
      this.#child.once('error', (error) => {
        this.#stderr += error.message;
        finish({ code: 127, signal: null });
      });
      this.#child.once('close', (code, signal) => {
        clearTimeout(lastWords);
        finish({ code, signal });
      });
      let lastWords: NodeJS.Timeout | undefined;
      this.#child.once('exit', () => {
        lastWords = setTimeout(() => {
          this.#child.stdout?.destroy();
          this.#child.stderr?.destroy();
        }, LAST_WORDS_MS);
      });
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** undefined while it runs */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** Resolves with the first match in either output; rejects when the process ends or time runs out before. */
  waitForOutput(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpMatchArray> {
    return this.#waitFor(
      () => this.#stdout.match(pattern) ?? this.#stderr.match(pattern) ?? undefined,
      `print ${pattern}`,
      timeoutMs,
    );
  }

  /** Resolves when the kernel lists the port as listening: a probing connection would disturb simple peers. */
  async waitForPort(port: number, timeoutMs = 30_000): Promise<void> {
    const poll = setInterval(() => this.#wake(), 10);
    try {
      await this.#waitFor(() => (isListening(port) ? true : undefined), `listen on port ${port}`, timeoutMs);
    } finally {
      clearInterval(poll);
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it politely, and by force when that takes too long. */
  async stop(graceMs = 15_000): Promise<ProcessEnd> {
    const force = setTimeout(() => this.signal('SIGKILL'), graceMs);
    this.signal('SIGTERM');
    const end = await this.ended;
    clearTimeout(force);
    return end;
  }

  /** `kill -9` */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.ended;
  }

  /** Peak resident memory so far (VmHWM), resident memory now (VmRSS). */
  memory(): { peakBytes: number; nowBytes: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'latin1');
    const field = (name: string): number =>
      1024 * Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1]);
    return { peakBytes: field('VmHWM'), nowBytes: field('VmRSS') };
  }

  /** Processor time so far, of all threads (proc(5), schedstat). */
  cpuMs(): number {
    let nanoseconds = 0;
    for (const thread of readdirSync(`/proc/${this.pid}/task`))
      nanoseconds += Number.parseInt(
        readFileSync(`/proc/${this.pid}/task/${thread}/schedstat`, 'latin1'),
        10,
      );
    return nanoseconds / 1e6;
  }

  /** Starts a new measurement of the peak at the present size (proc(5), clear_refs). */
  resetPeakMemory(): void {
    writeFileSync(`/proc/${this.pid}/clear_refs`, '5');
  }

  #waitFor<T>(check: () => T | undefined, what: string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#watchers.delete(watch);
      };
      const fail = (why: string): void => {
        done();
        reject(
          new Error(`${this.name} did not ${what}: ${why}\n${`${this.#stdout}${this.#stderr}`.slice(-4000)}`),
        );
      };
      const watch = (): void => {
        const found = check();
        if (found !== undefined) {
          done();
          resolve(found);
        } else if (this.#end !== undefined) fail(`it ended with ${this.#end.code ?? this.#end.signal}`);
      };
      const timer = setTimeout(() => fail(`waited ${timeoutMs} ms`), timeoutMs);
      this.#watchers.add(watch);
      watch();
    });
  }

  #wake(): void {
    for (const watch of [...this.#watchers]) watch();
  }
}

// Below the ports that the kernel gives to whoever asks for any, also for connections of its own choice
// (ip_local_port_range): a port from there may be somebody else's a moment later, or while a peer is away.
const FIRST_PORT = 15_000;
const LAST_PORT = 32_000;

/** A port that was free a moment ago, for peers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => (codeOf(error) === 'EADDRINUSE' ? resolve(false) : reject(error)));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}

function kept(text: string): string {
  return text.length > 2 * KEPT_CHARACTERS ? text.slice(-KEPT_CHARACTERS) : text;
}

function isListening(port: number): boolean {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) =>
    readFileSync(table, 'latin1')
      .split('\n')
      .some((line) => line.includes(local) && line.includes(' 0A ') && line.indexOf(local) < 50),
  );
}
