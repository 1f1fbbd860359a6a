// A picture made smaller: each new pixel is the mean of those that it covers.

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1: grey, 3: red, green, blue. */
  readonly channels: 1 | 3;
  readonly data: Uint8Array;
}

/** No side longer than `size`; what is smaller stays as it is. */
export function shrink(picture: Picture, size: number): Picture {
  const { width, height, channels, data } = picture;
  const scale = size / Math.max(width, height);
  if (scale >= 1) return picture;
  const newWidth = Math.max(1, Math.round(width * scale));
  const newHeight = Math.max(1, Math.round(height * scale));
  const edges = (from: number, to: number) =>
    Array.from({ length: to + 1 }, (_, index) => Math.floor((index * from) / to));
  const lefts = edges(width, newWidth);
  const tops = edges(height, newHeight);
  const shrunk = new Uint8Array(newWidth * newHeight * channels);
  let to = 0;
  for (let row = 0; row < newHeight; row += 1) {
    for (let column = 0; column < newWidth; column += 1) {
      const left = lefts[column]!;
      const right = lefts[column + 1]!;
      const count = (right - left) * (tops[row + 1]! - tops[row]!);
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = 0;
        for (let y = tops[row]!; y < tops[row + 1]!; y += 1) {
          const line = y * width;
          for (let x = left; x < right; x += 1) sum += data[(line + x) * channels + channel]!;
        }
        shrunk[to] = Math.round(sum / count);
        to += 1;
      }
    }
  }
  return { width: newWidth, height: newHeight, channels, data: shrunk };
}
