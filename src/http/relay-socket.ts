// The unix socket of DSM's desktop app and the secret that its CGI has to know: both are readable by the user under
// whom the daemon and the CGI run, and by nobody else.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { codeOf, PacsError } from '../util/errors.ts';

const LEAST_CHARACTERS = 32;

/** Made at the first start. */
export async function readRelaySecret(file: string): Promise<string> {
  try {
    await using handle = await open(file, 'wx', 0o600);
    await handle.writeFile(`${randomBytes(32).toString('hex')}\n`);
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const secret = (await readFile(file, 'utf8')).trim();
  if (secret.length >= LEAST_CHARACTERS) return secret;
  throw new PacsError(
    'relay-secret-short',
    `${file} holds fewer than ${LEAST_CHARACTERS} characters: remove it, and the next start makes a new one`,
  );
}

/** What a killed daemon left behind; a socket at which somebody answers stays, and listening then fails. */
export async function removeStaleSocket(path: string): Promise<void> {
  const probe = connect(path);
  try {
    await once(probe, 'connect');
  } catch (error) {
    if (codeOf(error) === 'ECONNREFUSED') await rm(path, { force: true });
  } finally {
    probe.destroy();
  }
}
