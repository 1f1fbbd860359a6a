// Under which names this machine may be asked over TCP: what a Host header can truthfully say.
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { isLoopbackAddress } from '../util/loopback.ts';

/** The name or address in a Host header, lower case, without port and brackets; empty when it is none. */
export function hostNameOf(header: string): string {
  const host = /^(?:\[(?<six>[^\]]+)\]|(?<name>[^:[\]]+))(?::\d{1,5})?$/.exec(header)?.groups;
  return (host?.six ?? host?.name ?? '').toLowerCase();
}

/** A page anywhere on the web can have its own name resolve to this machine and then read our answers as its own
 *  (DNS rebinding). Its requests carry that name in Host; ours carry one of these. */
export function ownNames(listensOn: string, moreNames: readonly string[]): (hostHeader: string) => boolean {
  const named = new Set(moreNames.map((name) => name.toLowerCase()));
  const isLoopbackOnly = isLoopbackName(listensOn);
  return (header) => {
    const name = hostNameOf(header);
    if (isLoopbackName(name) || named.has(name)) return true;
    return !isLoopbackOnly && (isIP(name) === 0 ? isThisHostname(name) : isOwnAddress(name));
  };
}

export function isLoopbackName(name: string): boolean {
  return name === 'localhost' || isLoopbackAddress(name);
}

function isThisHostname(name: string): boolean {
  const own = hostname().toLowerCase();
  const short = own.split('.')[0] ?? own;
  return name !== '' && [own, short, `${short}.local`].includes(name);
}

/** Asked anew each time: a NAS gets its address when the network does. */
function isOwnAddress(address: string): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === address));
}

/** The addresses that other machines can enter, IPv4 first. */
export function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .toSorted((a, b) => a.family.localeCompare(b.family))
    .map(({ address }) => address);
}
