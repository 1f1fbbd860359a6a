// CharLS as WebAssembly. The only file that knows its package.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { malformed, TranscodeError } from './errors.ts';

/** What the package's JavaScript has, as far as it is used here. */
interface CharLsModule {
  JpegLSDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  };
  getExceptionMessage(pointer: number): string;
}

export interface CharLs {
  /** Samples as the stream has them: planes when its components are not interleaved. */
  decode(frame: Buffer): Uint8Array;
}

export async function openCharLs(): Promise<CharLs> {
  const require = createRequire(import.meta.url);
  const open: (
    options: object,
  ) => Promise<CharLsModule> = require('@cornerstonejs/codec-charls/decodewasmjs');
  const module = await open({
    wasmBinary: readFileSync(require.resolve('@cornerstonejs/codec-charls/decodewasm')),
    print: () => {},
    printErr: () => {},
  });
  return { decode: (frame) => decode(module, frame) };
}

function decode(module: CharLsModule, frame: Buffer): Uint8Array {
  const decoder = new module.JpegLSDecoder();
  try {
    decoder.getEncodedBuffer(frame.length).set(frame);
    decoder.decode();
    return decoder.getDecodedBuffer();
  } catch (error) {
    // A C++ exception arrives as its address; anything else is a trap of the virtual machine.
    if (typeof error === 'number') throw malformed(`CharLS: ${module.getExceptionMessage(error)}`);
    throw new TranscodeError('transcode-failed', 'CharLS crashed', { cause: error });
  } finally {
    decoder.delete();
  }
}
