// A network behind this machine in which nobody answers: a network namespace of its own, joined by a virtual cable.
// Needs root; without it the test fails and says so.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface BlackHole extends AsyncDisposable {
  /** On the cable, and no machine has it: nobody answers the question for its hardware address. */
  readonly absentAddress: string;
  /** Behind a router that takes the packets and passes none on. */
  readonly swallowedAddress: string;
}

export async function blackHole(): Promise<BlackHole> {
  const name = `av${process.pid}`;
  const [near, far] = [`${name}a`, `${name}b`];
  const ip = (...words: string[]) => run('ip', words);
  const inside = (...words: string[]) => run('ip', ['netns', 'exec', name, 'ip', ...words]);
  // Networks for measurements (RFC 2544): they are nobody's.
  const subnet = `198.18.${process.pid % 256}`;
  await ip('netns', 'add', name);
  const close = async () => {
    await ip('netns', 'del', name);
  };
  try {
    await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far);
    await ip('link', 'set', far, 'netns', name);
    // No address of IPv6, which would come by itself seconds later.
    await ip('link', 'set', near, 'addrgenmode', 'none');
    await ip('address', 'add', `${subnet}.1/24`, 'dev', near);
    await ip('link', 'set', near, 'up');
    await inside('address', 'add', `${subnet}.2/24`, 'dev', far);
    await inside('link', 'set', far, 'up');
    await ip('route', 'add', `198.19.${process.pid % 256}.0/24`, 'via', `${subnet}.2`);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    absentAddress: `${subnet}.9`,
    swallowedAddress: `198.19.${process.pid % 256}.5`,
    [Symbol.asyncDispose]: close,
  };
}
