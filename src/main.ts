// The program: reads the command line, runs one command, and turns failures into exit codes.

import packageJson from '../package.json' with { type: 'json' };
import { parseCommandLine } from './config/command-line.ts';
import { setAccount } from './main/account.ts';
import { echoPeer } from './main/echo.ts';
import { importFiles } from './main/import.ts';
import { complain, EXIT, exitCodeOf, say } from './main/program.ts';
import { rebuild } from './main/rebuild.ts';
import { sendFiles } from './main/send.ts';
import { serve } from './main/serve.ts';
import { verify } from './main/verify.ts';
import { messageOf } from './util/errors.ts';

async function run(argv: readonly string[]): Promise<number> {
  const commandLine = parseCommandLine(argv, process.cwd());
  switch (commandLine.command) {
    case 'help':
      process.stdout.write(commandLine.text);
      return EXIT.done;
    case 'version':
      say(packageJson.version);
      return EXIT.done;
    case 'serve':
      return serve(commandLine.options);
    case 'account':
      return setAccount(commandLine);
    case 'echo':
      return echoPeer(commandLine);
    case 'send':
      return sendFiles(commandLine);
    case 'import':
      return importFiles(commandLine);
    case 'verify':
      return verify(commandLine);
    case 'rebuild':
      return rebuild(commandLine.options);
  }
}

// Images, names and logs are nobody else's on this machine.
process.umask(0o027);
try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  complain(messageOf(error));
  process.exitCode = exitCodeOf(error);
}
