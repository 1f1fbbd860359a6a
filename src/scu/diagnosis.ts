// Why a peer could not be talked to, in words for somebody who is not an IT person, and what to do about it.

import { DimseError } from '../dimse/errors.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import type { PeerAddress } from './associate.ts';

interface Advice {
  readonly problem: string;
  readonly advice: string;
}

/** One sentence on what is wrong, one on what to do. */
export function diagnose(error: unknown, peer: PeerAddress, callingAeTitle: string): string {
  const { problem, advice } = find(error, peer, callingAeTitle) ?? {
    problem: messageOf(error),
    advice: 'Read the log of the other machine at this time.',
  };
  return `${problem} ${advice}`;
}

function find(error: unknown, peer: PeerAddress, callingAeTitle: string): Advice | undefined {
  const { host, port, aeTitle } = peer;
  const byNetwork: Record<string, Advice> = {
    ENOTFOUND: { problem: `No machine is called ${host}.`, advice: 'Enter its IP address instead.' },
    EAI_AGAIN: {
      problem: `The name ${host} could not be looked up.`,
      advice: 'Enter its IP address instead.',
    },
    ECONNREFUSED: {
      problem: `${host} is there, but nothing listens on port ${port}.`,
      advice: 'Check the port, and that its DICOM service is running.',
    },
    EHOSTUNREACH: {
      problem: `${host} cannot be reached.`,
      advice: 'Check the address, the cable, and that it is switched on.',
    },
    ENETUNREACH: {
      problem: `There is no network path to ${host}.`,
      advice: 'Check this machine’s own network address.',
    },
    ETIMEDOUT: {
      problem: `${host} does not answer on port ${port}.`,
      advice: 'Check the address, that it is switched on, and that no firewall blocks the port.',
    },
  };
  const network = byNetwork[codeOf(error instanceof Error ? error.cause : undefined) ?? ''];
  if (network !== undefined) return network;
  if (codeOf(error) === 'ul-rejected') return rejection(error, aeTitle, callingAeTitle);
  if (codeOf(error) === 'ul-connect-timeout') return byNetwork.ETIMEDOUT;
  if (codeOf(error) === 'ul-artim-expired' || codeOf(error) === 'ul-unrecognised-pdu') {
    return {
      problem: `Something took the connection on ${host}:${port} but did not answer in DICOM.`,
      advice: 'Check the port: another program may listen there.',
    };
  }
  if (error instanceof DimseError && error.code === 'no-presentation-context') {
    return {
      problem: `${aeTitle} answers, but does not offer Verification (C-ECHO).`,
      advice: 'It may still take images; try sending one.',
    };
  }
  return undefined;
}

/** PS3.8 Table 9-21: what a rejection by AE title means for whoever types them in. */
function rejection(error: unknown, aeTitle: string, callingAeTitle: string): Advice | undefined {
  if (!(error instanceof Error) || !('source' in error) || !('reason' in error) || error.source !== 1)
    return undefined;
  if (error.reason === 3) {
    return {
      problem: `The other machine does not know ${callingAeTitle}.`,
      advice: `Enter ${callingAeTitle} in its list of DICOM nodes, with this machine’s address.`,
    };
  }
  if (error.reason === 7) {
    return {
      problem: `The other machine does not call itself ${aeTitle}.`,
      advice: 'Check its AE title, letter by letter; capitals count.',
    };
  }
  return undefined;
}
