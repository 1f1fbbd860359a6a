// Little endian numbers as text of one character per byte: headers of a few elements are joined as text and become a
// Buffer at once ('latin1'), because joining as many small Buffers costs several times as much.

export function uint16Text(value: number): string {
  return String.fromCharCode(value & 0xff, (value >>> 8) & 0xff);
}

export function uint32Text(value: number): string {
  return uint16Text(value) + uint16Text(value >>> 16);
}
