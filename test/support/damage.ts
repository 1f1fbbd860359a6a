// What disks and people do to files.
import { open } from 'node:fs/promises';

/** Changes one byte, counted from the end when negative. The returned function puts it back. */
export async function flipByte(path: string, offset: number): Promise<() => Promise<void>> {
  const flip = async (): Promise<void> => {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    const position = offset < 0 ? size + offset : offset;
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ 0x01;
    await file.write(byte, 0, 1, position);
  };
  await flip();
  return flip;
}
