// The platform's text decoders, one per encoding: making one costs more than using it.

import { TextDecoder } from 'node:util';

const decoders = new Map<string, TextDecoder>();

/** The decoder of a WHATWG encoding label; what it cannot decode becomes U+FFFD. */
export function decoderFor(label: string): TextDecoder {
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label, { ignoreBOM: true });
    decoders.set(label, decoder);
  }
  return decoder;
}
