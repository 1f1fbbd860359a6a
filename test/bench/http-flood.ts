// Somebody who means no good to the HTTP port, a process of its own: requests without an account on 10,000 connections
// at a time, each opened again when it ends, so many a second, and bodies that come a byte a second. Prints what became
// of them.
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { RunningProcess } from '../support/running-process.ts';

export interface FloodResult {
  /** Connections that were answered, with any status. */
  readonly answered: number;
  /** Those that were ended without an answer. */
  readonly dropped: number;
}

const CONNECTIONS = 10_000;
const SLOW_CONNECTIONS = 100;
const OPENED_AT_ONCE = 500;
/** What begins again after that is the same for whoever is attacked, however soon he refuses. */
const AGAIN_PER_TICK = 50;
const TICK_MS = 10;

/** The machine has two cores, and a flood comes from another machine: this one gets what nobody else wants. */
export function startFlood(port: number): RunningProcess {
  const script = fileURLToPath(import.meta.url);
  return new RunningProcess('nice', ['-n', '19', process.execPath, script, String(port)]);
}

export async function stopFlood(flood: RunningProcess): Promise<FloodResult> {
  flood.signal('SIGTERM');
  await flood.ended;
  return JSON.parse(flood.stdout.trim().split('\n').at(-1) ?? '') as FloodResult;
}

const REQUESTS = [
  'GET /api/status',
  'GET /api/studies?q=wang',
  'DELETE /api/studies/1.2.3',
  'GET /index.html',
];

function flood(port: number): void {
  let answered = 0;
  let dropped = 0;
  let opened = 0;
  /** Whether they were slow. */
  const ended: boolean[] = [];
  const open = (slow: boolean): void => {
    opened += 1;
    // The addresses of loopback: one alone has not enough ports.
    const localAddress = `127.${1 + (opened % 200)}.${1 + (Math.floor(opened / 200) % 200)}.1`;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    let hasAnswer = false;
    let trickle: NodeJS.Timeout | undefined;
    socket.on('connect', () => {
      if (slow) {
        socket.write(
          'POST /api/session HTTP/1.1\r\nHost: 127.0.0.1\r\nX-AngioVault: 1\r\n' +
            'Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n{',
        );
        trickle = setInterval(() => socket.write(' '), 1000);
      } else {
        const request = REQUESTS[opened % REQUESTS.length];
        socket.write(
          `${request} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-AngioVault: 1\r\nConnection: close\r\n\r\n`,
        );
      }
    });
    socket.on('data', () => {
      hasAnswer = true;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearInterval(trickle);
      if (hasAnswer) answered += 1;
      else dropped += 1;
      ended.push(slow);
    });
  };
  for (let at = 0; at < SLOW_CONNECTIONS; at++) open(true);
  const fill = setInterval(() => {
    for (let at = 0; at < OPENED_AT_ONCE; at++) open(false);
    if (opened < CONNECTIONS) return;
    clearInterval(fill);
    setInterval(() => {
      for (const slow of ended.splice(0, AGAIN_PER_TICK)) open(slow);
    }, TICK_MS);
    console.log('flooding');
  }, TICK_MS);
  process.on('SIGTERM', () => {
    process.stdout.write(`\n${JSON.stringify({ answered, dropped })}\n`, () => process.exit(0));
  });
}

if (import.meta.main) flood(Number(process.argv[2]));
