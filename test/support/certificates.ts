// Keys and self-signed certificates for secure connections, made by OpenSSL while the test runs.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TempFolder } from './temp-folder.ts';

const execute = promisify(execFile);

export interface Certificate {
  readonly certificateFile: string;
  readonly privateKeyFile: string;
  /** PEM texts. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** One for `name`, in `<name>.crt` and `<name>.key` of the folder. */
export async function makeCertificate(folder: TempFolder, name: string): Promise<Certificate> {
  const certificateFile = join(folder.path, `${name}.crt`);
  const privateKeyFile = join(folder.path, `${name}.key`);
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    privateKeyFile,
  ];
  await execute('openssl', [
    'req',
    '-x509',
    ...key,
    '-out',
    certificateFile,
    '-days',
    '2',
    '-subj',
    `/CN=${name}`,
  ]);
  return {
    certificateFile,
    privateKeyFile,
    certificate: await readFile(certificateFile, 'utf8'),
    privateKey: await readFile(privateKeyFile, 'utf8'),
  };
}
