// What every command says and how it ends: lines to the console, exit codes, and what cannot be used at start.

import { ConfigError } from '../config/errors.ts';
import { messageOf, PacsError } from '../util/errors.ts';
import { printable } from '../util/printable.ts';

/** Design: 2 for a wrong option or setting, 3 for a catalogue, volume or port that cannot be used. */
export const EXIT = { done: 0, failed: 1, wrongOption: 2, unusable: 3 } as const;

/** Something without which nothing can start: says what, and why. */
export class StartError extends PacsError {}

export async function usable<T>(what: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    throw new StartError('unusable', `${what}: ${messageOf(error)}`, { cause: error });
  }
}

export function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT.wrongOption;
  return error instanceof StartError ? EXIT.unusable : EXIT.failed;
}

export function say(line: string): void {
  process.stdout.write(`${printable(line)}\n`);
}

export function complain(line: string): void {
  process.stderr.write(`${printable(line)}\n`);
}
