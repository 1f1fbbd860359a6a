// `echo`: does a peer answer, and if not, why.

import type { CommandLine } from '../config/command-line.ts';
import { loadConfig } from '../config/load.ts';
import { diagnose } from '../scu/diagnosis.ts';
import { echo } from '../scu/echo.ts';
import { complain, EXIT, say } from './program.ts';

export async function echoPeer({
  options,
  peer,
}: Extract<CommandLine, { command: 'echo' }>): Promise<number> {
  const { aeTitle } = (await loadConfig(options)).config;
  const start = performance.now();
  try {
    await echo(peer, aeTitle);
  } catch (error) {
    complain(diagnose(error, peer, aeTitle));
    return EXIT.failed;
  }
  say(`${peer.aeTitle} answered in ${Math.round(performance.now() - start)} ms`);
  return EXIT.done;
}
