// TLS below an association (PS3.15 §B.12, the BCP 195 profile): versions 1.2 and 1.3, ciphers with forward secrecy and
// authenticated encryption, nothing older to fall back to.
import { createSecureContext, type SecureContextOptions } from 'node:tls';

/** PEM texts. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly privateKey: string;
  /** Certificates of peers, or of who signed them. With it every peer has to prove itself; without it the connection is
   *  encrypted only. */
  readonly trusted?: string;
}

/** What both ends of a secure transport connection are made with. */
export interface SecureTransport extends SecureContextOptions {
  readonly rejectUnauthorized: boolean;
}

const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_AES_128_GCM_SHA256', 'TLS_CHACHA20_POLY1305_SHA256'],
  ...['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'DHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-AES128-GCM-SHA256'],
].join(':');

/** Throws the error of the TLS library for texts that are no certificate or key, or do not belong together. A requestor
 *  needs no identity of its own. */
export function secureTransport(identity?: TlsIdentity): SecureTransport {
  const { certificate, privateKey, trusted } = identity ?? {};
  const options: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(privateKey === undefined ? {} : { key: privateKey }),
    ...(trusted === undefined ? {} : { ca: trusted }),
  };
  createSecureContext(options);
  return { ...options, rejectUnauthorized: trusted !== undefined };
}
