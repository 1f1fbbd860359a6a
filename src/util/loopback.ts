// This machine's own addresses, to which no other machine can connect.
import { BlockList, isIP } from 'node:net';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** 127.0.0.0/8, ::1, and the former written as IPv6. Names are none: somebody else may say where they lead. */
export function isLoopbackAddress(text: string): boolean {
  const version = isIP(text);
  return version !== 0 && loopback.check(text, version === 6 ? 'ipv6' : 'ipv4');
}
