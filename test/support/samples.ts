// Where the real DICOM files for tests are: a folder beside the project, not part of it.

import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const DEFAULT_ROOT = resolve(import.meta.dirname, '../../../shared/data');

export interface Sample {
  /** Relative to the folder, as the manifest has it. */
  readonly path: string;
  readonly file: string;
  /** The manifest's words: a UID in brackets, or "(none: …)", or "-". */
  readonly transferSyntax: string;
}

/** The folder of the samples. ANGIOVAULT_TEST_DATA overrides; without the files nothing can be shown, so it throws. */
export function samplesRoot(): string {
  const root = process.env.ANGIOVAULT_TEST_DATA ?? DEFAULT_ROOT;
  if (!existsSync(join(root, 'MANIFEST.tsv'))) {
    throw new Error(
      `No DICOM samples in ${root}: set ANGIOVAULT_TEST_DATA to the folder that has MANIFEST.tsv`,
    );
  }
  return root;
}

/** The path of one sample. */
export function samplePath(path: string): string {
  const file = join(samplesRoot(), path);
  if (!existsSync(file)) throw new Error(`The DICOM sample ${path} is missing in ${samplesRoot()}`);
  return file;
}

export function readSample(path: string): Buffer {
  return readFileSync(samplePath(path));
}

/** All samples whose path starts with `prefix`. */
export function samples(prefix = ''): Sample[] {
  const root = samplesRoot();
  const [header = '', ...rows] = readFileSync(join(root, 'MANIFEST.tsv'), 'utf8').trimEnd().split('\n');
  const column = header.split('\t').indexOf('transfer_syntax');
  return rows
    .map((row) => row.split('\t'))
    .map((cells) => ({
      path: cells[0] ?? '',
      file: join(root, cells[0] ?? ''),
      transferSyntax: cells[column] ?? '-',
    }))
    .filter((sample) => sample.path.startsWith(prefix));
}
