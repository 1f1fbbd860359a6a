// Why a peer could not be talked to: a stable code for the app, and words for somebody who is not an IT person, with
// what to do about it.

import { DimseError } from '../dimse/errors.ts';
import { AssociationRejectedError } from '../ul/errors.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import type { PeerAddress } from './associate.ts';
import { answersTls } from './tls-probe.ts';

export type DiagnosisCode =
  | 'name-not-resolved'
  | 'host-unreachable'
  | 'port-closed'
  | 'not-dicom'
  | 'tls-mismatch'
  | 'called-ae-unknown'
  | 'calling-ae-refused'
  | 'rejected-other'
  | 'no-presentation-context'
  | 'timed-out'
  | 'aborted';

export interface Diagnosis {
  readonly code: DiagnosisCode;
  /** For the app's own words. */
  readonly params: Readonly<Record<string, string | number>>;
  /** One sentence on what is wrong, one on what to do. */
  readonly detail: string;
}

type Finding = readonly [code: DiagnosisCode, problem: string, advice: string];

/** As `diagnosisOf`, without asking the peer anything more: in words alone. */
export function diagnose(error: unknown, peer: PeerAddress, callingAeTitle: string): string {
  const [, problem, advice] = find(error, peer, callingAeTitle);
  return `${problem} ${advice}`;
}

/** What `echo` rejected with. Where something answered that was no DICOM, it is asked whether it speaks TLS. */
export async function diagnosisOf(
  error: unknown,
  peer: PeerAddress,
  callingAeTitle: string,
): Promise<Diagnosis> {
  const found = find(error, peer, callingAeTitle);
  const isOdd = found[0] === 'not-dicom' || (found[0] === 'timed-out' && isConnected(error));
  const [code, problem, advice] =
    isOdd && (await answersTls(peer.host, peer.port)) ? tlsMismatch(peer) : found;
  const { aeTitle, host, port } = peer;
  return { code, params: { aeTitle, host, port, callingAeTitle }, detail: `${problem} ${advice}` };
}

/** The cause alone. */
export function diagnosisCode(error: unknown): DiagnosisCode {
  return find(error, { aeTitle: '', host: '', port: 0 }, '')[0];
}

function tlsMismatch({ host, port }: PeerAddress): Finding {
  return [
    'tls-mismatch',
    `${host} expects an encrypted connection (TLS) on port ${port}.`,
    'Switch TLS on for it here, or enter its port for unencrypted DICOM.',
  ];
}

function find(error: unknown, peer: PeerAddress, callingAeTitle: string): Finding {
  const { aeTitle, host, port } = peer;
  const code = codeOf(error);
  const network = byNetwork(codeOf(error instanceof Error ? error.cause : undefined) ?? '', peer);
  if (network !== undefined) return network;
  if (peer.tls !== undefined && (code === 'ul-connect-failed' || code === 'ul-connection-lost')) {
    return [
      'tls-mismatch',
      `No secure connection (TLS) with ${host} on port ${port} came about: ${messageOf(error)}.`,
      'Switch TLS off for it here if that port is for unencrypted DICOM; else check that each side trusts the certificate of the other.',
    ];
  }
  if (error instanceof AssociationRejectedError) return rejection(error, aeTitle, callingAeTitle);
  if (error instanceof DimseError && error.code === 'no-presentation-context') {
    return [
      'no-presentation-context',
      `${aeTitle} answers, but does not offer Verification (C-ECHO).`,
      'It may still take images; try sending one.',
    ];
  }
  if (error instanceof DimseError) {
    return ['rejected-other', `${aeTitle}: ${error.message}`, 'Read its log at this time.'];
  }
  switch (code) {
    case 'ul-connect-timeout':
      return byNetwork('ETIMEDOUT', peer) ?? unknown(error);
    case 'ul-artim-expired':
    case 'ul-cancelled':
    case 'ul-idle':
      return [
        'timed-out',
        `${host} took the connection on port ${port} but did not answer in time.`,
        'It may be busy; try again. If it stays so, check the port: another program may listen there.',
      ];
    case 'ul-unrecognised-pdu':
    case 'ul-invalid-pdu':
    case 'ul-pdu-too-long':
      return [
        'not-dicom',
        `Something took the connection on ${host}:${port} but did not answer in DICOM.`,
        'Check the port: another program may listen there.',
      ];
    case 'ul-connection-lost':
      return [
        'not-dicom',
        `Something took the connection on ${host}:${port} and closed it without an answer in DICOM.`,
        'Check the port: another program may listen there. Some machines do so to callers whose address they do not know.',
      ];
    case 'ul-aborted-by-peer':
      return [
        'aborted',
        `${aeTitle} took the call and broke it off.`,
        `Check that ${callingAeTitle} is in its list of DICOM nodes, and read its log at this time.`,
      ];
    default:
      return unknown(error);
  }
}

function unknown(error: unknown): Finding {
  return ['rejected-other', messageOf(error), 'Read the log of the other machine at this time.'];
}

/** Whether there was a connection, so that something is there to be asked. */
function isConnected(error: unknown): boolean {
  return codeOf(error) === 'ul-artim-expired' || codeOf(error) === 'ul-cancelled';
}

function byNetwork(code: string, { host, port }: PeerAddress): Finding | undefined {
  switch (code) {
    case 'ENOTFOUND':
      return ['name-not-resolved', `No machine is called ${host}.`, 'Enter its IP address instead.'];
    case 'EAI_AGAIN':
      return [
        'name-not-resolved',
        `The name ${host} could not be looked up.`,
        'Enter its IP address instead.',
      ];
    case 'ECONNREFUSED':
      return [
        'port-closed',
        `${host} is there, but nothing listens on port ${port}.`,
        'Check the port, and that its DICOM service is running.',
      ];
    case 'EHOSTUNREACH':
    case 'EHOSTDOWN':
      return [
        'host-unreachable',
        `${host} cannot be reached.`,
        'Check the address, the cable, and that it is switched on.',
      ];
    case 'ENETUNREACH':
      return [
        'host-unreachable',
        `There is no network path to ${host}.`,
        'Check this machine’s own network address.',
      ];
    case 'ETIMEDOUT':
      return [
        'timed-out',
        `${host} does not answer on port ${port}.`,
        'Check the address, that it is switched on, and that no firewall blocks the port.',
      ];
    default:
      return undefined;
  }
}

/** PS3.8 Table 9-21: what a rejection means for whoever types AE titles in. */
function rejection(error: AssociationRejectedError, aeTitle: string, callingAeTitle: string): Finding {
  if (error.source === 1 && error.reason === 3) {
    return [
      'calling-ae-refused',
      `The other machine does not know ${callingAeTitle}.`,
      `Enter ${callingAeTitle} in its list of DICOM nodes, with this machine’s address.`,
    ];
  }
  if (error.source === 1 && error.reason === 7) {
    return [
      'called-ae-unknown',
      `The other machine does not call itself ${aeTitle}.`,
      'Check its AE title, letter by letter; capitals count.',
    ];
  }
  return [
    'rejected-other',
    `${error.message}.`,
    error.result === 2 ? 'Try again in a moment.' : 'Read the log of the other machine at this time.',
  ];
}
