// The CGI behind the desktop app in DSM: an entry point of its own, one run for one request. Lets administrators of
// the NAS through to the daemon's unix socket, and nobody else.

import { readFile } from 'node:fs/promises';
import { packageContext } from '../dsm/context.ts';
import { relaySecretFileOf, relaySocketOf } from '../dsm/places.ts';
import { authenticate } from '../dsm/relay/authentication.ts';
import { exchange, problemAnswer } from '../dsm/relay/exchange.ts';
import { RelayProblem, relayRequest } from '../dsm/relay/request.ts';
import { messageOf } from '../util/errors.ts';

async function run(): Promise<void> {
  // The web server's environment names no folder of the package, and a header must not.
  const context = packageContext({});
  const request = relayRequest(process.env);
  const user = await authenticate(process.env, request);
  const secret = await readFile(relaySecretFileOf(context), 'utf8').catch((error: unknown) => {
    const detail = 'AngioVault has not been started yet. Start it in Package Center.';
    throw new RelayProblem(503, 'not-running', detail, { cause: error });
  });
  const relay = { socketPath: relaySocketOf(context), secret: secret.trim(), user };
  await exchange(request, relay, process.stdin, process.stdout);
}

try {
  await run();
} catch (error) {
  // In the middle of an answer there is nothing left to say: it ends short, which the browser sees.
  if (error instanceof RelayProblem) process.stdout.write(problemAnswer(error));
  else process.stderr.write(`relay: ${messageOf(error)}\n`);
} finally {
  // What the browser still sends, nobody reads.
  process.stdin.destroy();
}
