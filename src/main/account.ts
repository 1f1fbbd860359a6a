// `account`: sets the name and password with which the app is opened from other machines.

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandLine } from '../config/command-line.ts';
import { ConfigError } from '../config/errors.ts';
import { validate } from '../config/validate.ts';
import { Account, accountPassword, accountUser } from '../http/account.ts';
import { loadUsable } from './open-archive.ts';
import { EXIT, say } from './program.ts';

export async function setAccount({
  options,
  user,
}: Extract<CommandLine, { command: 'account' }>): Promise<number> {
  const name = validate(accountUser, user, 'account');
  const { dataDirectory } = await loadUsable(options);
  const password = await readPassword();
  // Not by `validate`, which would show what was typed.
  const result = accountPassword.safeParse(password);
  if (!result.success) throw new ConfigError(`account: the password ${result.error.issues[0]?.message}`);
  const account = await Account.open(dataDirectory);
  await account.set(name, password);
  say(`the account of ${name} is set`);
  return EXIT.done;
}

/** One line of standard input; what is typed is not shown. */
async function readPassword(): Promise<string> {
  const { stdin } = process;
  if (stdin.isTTY) process.stderr.write('Password: ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: unseen, terminal: stdin.isTTY });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (stdin.isTTY) process.stderr.write('\n');
  }
}
