// An address of this machine that no program takes for loopback, to call from as a stranger would.

import { execFile } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** TEST-NET-2 (RFC 5737): belongs to nobody. */
const SPARE_ADDRESS = '198.51.100.73';

export interface StrangerAddress extends AsyncDisposable {
  readonly address: string;
}

/** The address of a network interface; where there is none but loopback, a spare one is added to that, as root. */
export async function strangerAddress(): Promise<StrangerAddress> {
  for (const addresses of Object.values(networkInterfaces())) {
    const external = addresses?.find(({ internal, family }) => !internal && family === 'IPv4');
    if (external !== undefined) return { address: external.address, [Symbol.asyncDispose]: async () => {} };
  }
  await run('ip', ['address', 'add', `${SPARE_ADDRESS}/32`, 'dev', 'lo']);
  return {
    address: SPARE_ADDRESS,
    [Symbol.asyncDispose]: async () => {
      await run('ip', ['address', 'del', `${SPARE_ADDRESS}/32`, 'dev', 'lo']);
    },
  };
}
