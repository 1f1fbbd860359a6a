// OpenJPEG as WebAssembly, for JPEG 2000 and its high-throughput form. The only file that knows its package.
// Why not OpenJPH for HTJ2K: its WebAssembly wrapper decodes streams that are cut short without a word, and mixes up
// the rows of components that are coded without a colour transformation.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { malformed, TranscodeError } from './errors.ts';

/** What the package's JavaScript has, as far as it is used here. */
interface OpenJpegModule {
  J2KDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  };
}

export interface OpenJpeg {
  /** Samples side by side; components of more than 8 bits in two bytes. */
  decode(codestream: Buffer): Uint8Array;
}

export async function openOpenJpeg(): Promise<OpenJpeg> {
  const require = createRequire(import.meta.url);
  const open: (
    options: object,
  ) => Promise<OpenJpegModule> = require('@cornerstonejs/codec-openjpeg/decodewasmjs');
  const complaints: string[] = [];
  // Errors and warnings are only printed: the decoder goes on with what it has, which would not be exact.
  const print = (line: string) => {
    if (line.includes('[ERROR]') || line.includes('[WARNING]')) complaints.push(line);
  };
  const module = await open({
    wasmBinary: readFileSync(require.resolve('@cornerstonejs/codec-openjpeg/decodewasm')),
    print,
    printErr: print,
  });
  return { decode: (codestream) => decode(module, codestream, complaints) };
}

function decode(module: OpenJpegModule, codestream: Buffer, complaints: string[]): Uint8Array {
  complaints.length = 0;
  // A new one each time: after a failure a used one would still hold the frame before.
  const decoder = new module.J2KDecoder();
  let samples: Uint8Array;
  try {
    decoder.getEncodedBuffer(codestream.length).set(codestream);
    decoder.decode();
    samples = decoder.getDecodedBuffer();
  } catch (error) {
    throw new TranscodeError('transcode-failed', 'OpenJPEG crashed', { cause: error });
  } finally {
    decoder.delete();
  }
  if (complaints.length > 0) throw malformed(`OpenJPEG: ${complaints[0]!.trim()}`);
  return samples;
}
