// A peer written as AET@HOST:PORT, the form in which vendors' manuals and DICOM engineers name one.
import { isIP, isIPv6 } from 'node:net';

export interface PeerAddress {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
}

export const AE_TITLE_WANTS =
  'an AE title: 1 to 16 ASCII characters, no backslash, not only blanks, such as ANGIOVAULT';
export const HOST_WANTS = 'a host name or IP address, such as 192.168.1.20';
export const PEER_WANTS = 'AET@HOST:PORT, such as WORKSTATION@192.168.1.20:104 or WORKSTATION@[::1]:104';

/** PS3.5 §6.2, VR AE: leading and trailing blanks do not count, the Default Character Repertoire without
 *  backslash and controls, at most 16 characters, not blanks alone. */
export function isAeTitle(text: string): boolean {
  return /^[ -[\]-~]{1,16}$/.test(text) && text.trim() !== '';
}

/** An IP address or a host name (RFC 1123 §2.1; underscores as found in many hospital networks). */
export function isHost(text: string): boolean {
  if (isIP(text) !== 0) return true;
  // Four numbers that are no IP address are a typing error, not a name.
  if (/^[\d.]+$/.test(text) || text.length > 253) return false;
  return /^(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*\.?$/i.test(text);
}

/** The parts of `AET@HOST:PORT`, IPv6 addresses in brackets; undefined when the text has another form. */
export function parsePeerAddress(text: string): PeerAddress | undefined {
  // The title may itself hold an @ (it is in the repertoire), a host may not: the last one divides.
  const at = text.lastIndexOf('@');
  const place = /^(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]]+)):(?<port>\d{1,5})$/.exec(
    text.slice(at + 1),
  )?.groups;
  if (at < 1 || place === undefined) return undefined;
  const aeTitle = text.slice(0, at).trim();
  const host = place.six ?? place.host ?? '';
  const port = Number(place.port);
  const hostFits = place.six === undefined ? isHost(host) : isIPv6(host);
  if (!isAeTitle(aeTitle) || !hostFits || port < 1 || port > 65535) return undefined;
  return { aeTitle, host, port };
}

/** `HOST:PORT`, with brackets around an IPv6 address. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
