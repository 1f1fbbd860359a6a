// Samples through the product's transcoding and through DCMTK's tools, for comparison.

import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transcode } from '../../src/dicom/transcode/transcode.ts';
import { elementHeader, encodeElements } from '../support/byte-elements.ts';
import { cutFile } from '../support/sample-data-sets.ts';
import { samplePath } from '../support/samples.ts';

export const IMPLICIT = '1.2.840.10008.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const BIG_ENDIAN = '1.2.840.10008.1.2.2';
export const DEFLATED = '1.2.840.10008.1.2.1.99';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** A DCMTK program's standard output; rejects when it fails. */
export async function dcmtk(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(program, args, { maxBuffer: MAX_OUTPUT_BYTES, encoding: 'latin1' });
  return stdout;
}

/** Unpacks a ZIP with Info-ZIP, which also checks it; gives the folder. */
export async function unpack(file: string, folder: string): Promise<string> {
  await run('unzip', ['-q', file, '-d', folder]);
  return folder;
}

/** A sample's data set in another transfer syntax. */
export async function transcodeSample(sample: string, to: string): Promise<Buffer> {
  const path = samplePath(sample);
  const { transferSyntaxUid, dataSet } = cutFile(path);
  const dataSetOffset = (await readFile(path)).length - dataSet.length;
  const source = transcode({ path, dataSetOffset, transferSyntaxUid }, to, new AbortController().signal);
  const parts: Buffer[] = [];
  for (let read = await source.read(); read !== undefined; read = await source.read()) parts.push(...read);
  return Buffer.concat(parts);
}

/** Writes a data set as a file that DCMTK opens. */
export async function writePart10(path: string, dataSet: Buffer, transferSyntaxUid: string): Promise<void> {
  const preamble = Buffer.alloc(132);
  preamble.write('DICM', 128);
  const syntax = encodeElements([{ tag: 0x00020010, vr: 'UI', value: transferSyntaxUid }], true);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(syntax.length);
  const groupLength = Buffer.concat([elementHeader(0x00020000, 'UL', 4, true), length]);
  await writeFile(path, Buffer.concat([preamble, groupLength, syntax, dataSet]));
}

/** What dcmdump says of a file's data set, without what it says about the file. */
export async function dumpLines(path: string): Promise<string[]> {
  const lines = (await dcmtk('dcmdump', '-q', '+L', path)).split('\n');
  return lines.filter((line) => !/^\(0002,|^#|^\s*#|^\s*$/.test(line));
}

/** The pixels as DCMTK reads them, one buffer a file, samples side by side. */
export async function dumpedPixels(path: string, folder: string): Promise<Buffer> {
  const raw = join(folder, 'raw');
  await rm(raw, { recursive: true, force: true });
  await mkdir(raw);
  await dcmtk('dcmdump', '-q', '+W', raw, path);
  const names = (await readdir(raw)).sort((one, other) => frameNumber(one) - frameNumber(other));
  const pixels = await Promise.all(names.map((name) => readFile(join(raw, name))));
  return Buffer.concat(pixels);
}

/** A US or IS value at the top level of a file, `otherwise` when it is not there. */
export async function numberIn(path: string, tag: string, otherwise: number): Promise<number> {
  const line = (await dcmtk('dcmdump', '-q', '+P', tag, path))
    .split('\n')
    .find((text) => text.startsWith(`(${tag}`));
  return line === undefined ? otherwise : Number(/(?:US|IS) \[?(\d+)/.exec(line)?.[1] ?? otherwise);
}

/** dcmdump numbers its files from 0: "name.0.raw". */
function frameNumber(name: string): number {
  return Number(/\.(\d+)\.raw$/.exec(name)?.[1] ?? 0);
}
