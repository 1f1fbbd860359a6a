// DICOM over TLS: reads certificate and key that the settings name, and tells whom to call with it.

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../config/errors.ts';
import type { LoadedConfig } from '../config/load.ts';
import { type SecureTransport, secureTransport } from '../ul/tls.ts';
import { messageOf } from '../util/errors.ts';

/** What secure associations are made with, asked for and accepted; without settings this program has no certificate
 *  and can only call. Throws ConfigError, which names the setting. */
export async function loadSecureTransport({
  config,
  dataDirectory,
  configFile,
}: LoadedConfig): Promise<SecureTransport> {
  const { tls } = config.dimse;
  if (tls === undefined) return secureTransport();
  const read = async (key: 'certificate' | 'privateKey' | 'trusted', path: string) => {
    try {
      return await readFile(resolve(dataDirectory, path), 'utf8');
    } catch (error) {
      const words = `wants a PEM file that can be read: ${messageOf(error)}`;
      throw new ConfigError(`${configFile}: dimse.tls.${key}: ${words}`, { cause: error });
    }
  };
  const [certificate, privateKey, trusted] = await Promise.all([
    read('certificate', tls.certificate),
    read('privateKey', tls.privateKey),
    tls.trusted === undefined ? undefined : read('trusted', tls.trusted),
  ]);
  try {
    return secureTransport({ certificate, privateKey, ...(trusted === undefined ? {} : { trusted }) });
  } catch (error) {
    const words = `wants a certificate and the key that belongs to it, as PEM texts: ${messageOf(error)}`;
    throw new ConfigError(`${configFile}: dimse.tls: ${words}`, { cause: error });
  }
}

/** A peer as it stands in the settings, with what it is called with. */
export type Reached<P> = Omit<P, 'tls'> & { readonly tls?: SecureTransport };

export function reached<P extends { readonly tls?: boolean | undefined }>(
  peer: P,
  secure: SecureTransport,
): Reached<P> {
  const { tls, ...rest } = peer;
  return tls === true ? { ...rest, tls: secure } : rest;
}
