// Lossless JPEG made for tests: every predictor, precision, interleaving and restart interval (ITU-T T.81 Annex H).

export interface LosslessJpeg {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly precision: number;
  readonly predictor: number;
  /** Samples side by side. */
  readonly samples: readonly number[];
  /** One scan for all components, or one each. */
  readonly interleaved?: boolean;
  /** Lines between restart markers, 0: none. */
  readonly restartLines?: number;
  readonly pointTransform?: number;
  /** Codes of 16 bits for every category, instead of 5 bits. */
  readonly longCodes?: boolean;
}

class BitWriter {
  readonly #bytes: number[] = [];
  #bits = '';

  put(value: number, count: number): void {
    if (count > 0)
      this.#bits += (value >>> 0)
        .toString(2)
        .padStart(32, '0')
        .slice(32 - count);
    while (this.#bits.length >= 8) {
      const byte = Number.parseInt(this.#bits.slice(0, 8), 2);
      this.#bits = this.#bits.slice(8);
      this.#bytes.push(byte);
      if (byte === 0xff) this.#bytes.push(0); // T.81 §B.1.1.5
    }
  }

  /** Fills the last byte with ones. */
  take(): Buffer {
    if (this.#bits.length > 0) this.put(0xff, 8 - this.#bits.length);
    return Buffer.from(this.#bytes.splice(0));
  }
}

export function segment(marker: number, body: readonly number[]): Buffer {
  const length = body.length + 2;
  return Buffer.of(0xff, marker, length >> 8, length & 0xff, ...body);
}

/** 17 categories: codes 0…16 of five bits, or of sixteen. */
function huffmanTable(longCodes: boolean, destination: number): Buffer {
  const counts = new Array(16).fill(0);
  counts[longCodes ? 15 : 4] = 17;
  return segment(0xc4, [destination, ...counts, ...Array.from({ length: 17 }, (_, category) => category)]);
}

export function encodeLosslessJpeg(image: LosslessJpeg): Buffer {
  const {
    columns,
    rows,
    components,
    precision,
    interleaved = true,
    restartLines = 0,
    longCodes = false,
  } = image;
  const all = Array.from({ length: components }, (_, component) => component);
  const parts = [
    Buffer.of(0xff, 0xd8),
    segment(0xe0, [1, 2, 3]),
    segment(0xfe, [0xff, 0xd9]), // a comment that looks like an end
    segment(0xc3, [
      precision,
      ...[rows >> 8, rows & 0xff, columns >> 8, columns & 0xff, components],
      ...all.flatMap((component) => [component + 1, 0x11, 0]),
    ]),
  ];
  if (restartLines > 0) {
    const interval = restartLines * columns;
    parts.push(segment(0xdd, [interval >> 8, interval & 0xff]));
  }
  parts.push(huffmanTable(longCodes, 0), huffmanTable(longCodes, 1));
  for (const scan of interleaved ? [all] : all.map((component) => [component])) {
    const selectors = scan.flatMap((component) => [component + 1, (component % 2) << 4]);
    parts.push(segment(0xda, [scan.length, ...selectors, image.predictor, 0, image.pointTransform ?? 0]));
    parts.push(encodeScan(image, scan, longCodes ? 16 : 5));
  }
  parts.push(Buffer.of(0xff, 0xd9));
  return Buffer.concat(parts);
}

function encodeScan(image: LosslessJpeg, scan: readonly number[], codeBits: number): Buffer {
  const { columns, rows, restartLines = 0 } = image;
  const parts: Buffer[] = [];
  const writer = new BitWriter();
  for (let row = 0; row < rows; row += 1) {
    const first = restartLines === 0 ? row === 0 : row % restartLines === 0;
    if (first && row > 0) parts.push(writer.take(), Buffer.of(0xff, 0xd0 + ((row / restartLines - 1) % 8)));
    for (let column = 0; column < columns; column += 1) {
      for (const component of scan) {
        const delta =
          (sampleAt(image, row, column, component) - predict(image, row, column, component, first)) & 0xffff;
        putDifference(writer, delta > 32768 ? delta - 65536 : delta, codeBits);
      }
    }
  }
  parts.push(writer.take());
  return Buffer.concat(parts);
}

function putDifference(writer: BitWriter, delta: number, codeBits: number): void {
  const category = delta === 32768 ? 16 : 32 - Math.clz32(Math.abs(delta));
  writer.put(category, codeBits);
  if (category < 16) writer.put(delta < 0 ? delta + 2 ** category - 1 : delta, category);
}

function sampleAt(
  { samples, columns, components }: LosslessJpeg,
  row: number,
  column: number,
  component: number,
) {
  return samples[(row * columns + column) * components + component]!;
}

/** T.81 §H.1.2.1 and Table H.1, as the words there have it. */
function predict(
  image: LosslessJpeg,
  row: number,
  column: number,
  component: number,
  first: boolean,
): number {
  if (first && column === 0) return 2 ** (image.precision - 1);
  const a = column > 0 ? sampleAt(image, row, column - 1, component) : 0;
  if (first) return a;
  const b = sampleAt(image, row - 1, column, component);
  if (column === 0) return b;
  const c = sampleAt(image, row - 1, column - 1, component);
  const table = [0, a, b, c, a + b - c, a + Math.floor((b - c) / 2), b + Math.floor((a - c) / 2)];
  return table[image.predictor] ?? Math.floor((a + b) / 2);
}
