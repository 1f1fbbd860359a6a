// What a codec for one compressed frame offers, and the shape of the image that it has to yield.

/** The Image Pixel Module as far as decoding needs it (PS3.3 §C.7.6.3). */
export interface PixelImage {
  readonly rows: number;
  readonly columns: number;
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
  readonly frames: number;
  /** One frame in the native form. */
  readonly frameBytes: number;
}

export interface CodecOptions {
  /** Also decodes what is not exact, for showing it: nothing that is stored or sent. */
  readonly lossy?: boolean;
}

export interface FrameCodec {
  /** How every codestream begins; undefined where that marks nothing. */
  readonly startOfFrame: Buffer | undefined;
  /** Refuses by a frame's headers what `decode` would refuse. `undoesRct`: decoding makes RGB of YBR_RCT. */
  inspect(frame: Buffer, image: PixelImage): { readonly undoesRct: boolean };
  /** The native frame, little endian, samples side by side: exactly `frameBytes`, good until the next call.
   *  Throws a TranscodeError for everything that is not exact. */
  decode(frame: Buffer, image: PixelImage): Uint8Array;
}

/** Bytes behind a codestream: nothing but what fills a fragment up to an even length. */
export function isPadding(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0 || byte === 0xff);
}
