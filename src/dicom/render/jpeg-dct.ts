// Lossy JPEG of 8 bits, sequential and progressive, through libjpeg-turbo as WebAssembly (PS3.5 §A.4.1; ITU-T T.81).
// The only file that knows its package.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readSegment, SOS, START_OF_JPEG, skipStartOfImage } from '../transcode/jpeg-segments.ts';
import { malformedImage, notShown } from './errors.ts';
import type { ShownImage } from './image-head.ts';
import { cellsOf, type RenderCodec } from './shown-frame.ts';

/** What the package's JavaScript has, as far as it is used here. */
interface LibJpegModule {
  JPEGDecoder: new () => {
    getEncodedBuffer(bytes: number): Uint8Array;
    decode(): void;
    getDecodedBuffer(): Uint8Array;
    delete(): void;
  };
}

const APP0 = 0xe0;
const APP14 = 0xee;
/** Adobe's segment of version 100, up to the byte that says which colour transformation was made. */
const ADOBE = Buffer.from('\xff\xee\0\x0eAdobe\0\x64\0\0\0\0', 'latin1');

export async function jpegDctCodec(): Promise<RenderCodec> {
  const require = createRequire(import.meta.url);
  const open: (
    options: object,
  ) => Promise<LibJpegModule> = require('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  const module = await open({
    wasmBinary: readFileSync(require.resolve('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasm')),
    print: () => {},
    printErr: () => {},
  });
  return {
    startOfFrame: START_OF_JPEG,
    decode(frame, image) {
      const namesColours = inspect(frame, image);
      const stream = image.samples === 1 || namesColours ? frame : nameColours(frame, image);
      const cells = cellsOf(decode(module, stream), image);
      return { cells, photometric: image.samples === 1 ? image.photometric : 'RGB' };
    },
  };
}

function decode(module: LibJpegModule, stream: Buffer): Uint8Array {
  const decoder = new module.JPEGDecoder();
  try {
    decoder.getEncodedBuffer(stream.length).set(stream);
    decoder.decode();
    const samples = decoder.getDecodedBuffer();
    return new Uint8Array(samples.buffer, samples.byteOffset, samples.length);
  } catch (error) {
    throw malformedImage(
      `libjpeg cannot decode the frame${error instanceof Error ? `: ${error.message}` : ''}`,
    );
  } finally {
    decoder.delete();
  }
}

/** Checks sizes before libjpeg allocates for them. Whether the stream itself says what its colours are. */
function inspect(frame: Buffer, image: ShownImage): boolean {
  let named = false;
  let fits = false;
  for (let at = skipStartOfImage(frame); ; ) {
    const { marker, body, next } = readSegment(frame, at);
    if (marker === SOS) break;
    if (marker === APP0 && body.toString('latin1', 0, 4) === 'JFIF') named = true;
    if (marker === APP14 && body.toString('latin1', 0, 5) === 'Adobe') named = true;
    if (marker >= 0xc0 && marker <= 0xc2) {
      checkFrameHeader(body, image);
      fits = true;
    } else if (marker === 0xc3 || (marker >= 0xc5 && marker <= 0xcf && marker !== 0xc8 && marker !== 0xcc)) {
      throw notShown(`JPEG process FF${marker.toString(16).toUpperCase()} is not shown`);
    }
    at = next;
  }
  if (!fits) throw malformedImage('The JPEG stream has no frame header');
  return named;
}

function checkFrameHeader(body: Buffer, image: ShownImage): void {
  if (body.length < 6) throw malformedImage('The JPEG frame header is too short');
  const precision = body[0]!;
  if (precision !== 8) throw notShown(`Lossy JPEG of ${precision} bits is not shown`);
  const [rows, columns, samples] = [body.readUInt16BE(1), body.readUInt16BE(3), body[5]];
  if (
    image.bitsAllocated !== 8 ||
    rows !== image.rows ||
    columns !== image.columns ||
    samples !== image.samples
  ) {
    throw malformedImage(
      `The JPEG stream holds ${columns}×${rows} pixels of ${samples} samples, the data set says ` +
        `${image.columns}×${image.rows} of ${image.samples} with ${image.bitsAllocated} bits`,
    );
  }
}

/** libjpeg goes by what the stream says. Where that is nothing, Photometric Interpretation knows (PS3.5 §8.2.1). */
function nameColours(frame: Buffer, { photometric }: ShownImage): Buffer {
  const transformation = Buffer.of(photometric === 'RGB' ? 0 : 1);
  return Buffer.concat([frame.subarray(0, 2), ADOBE, transformation, frame.subarray(2)]);
}
