// A tar archive of which every byte is decided here: ustar, owner 0:0, one time for all, in the order given.

const BLOCK_BYTES = 512;
const MAX_NAME_BYTES = 100;
const MAX_PREFIX_BYTES = 155;

export interface TarEntry {
  /** Relative, without ./ in front; folders end with a slash. */
  readonly name: string;
  readonly mode: number;
  readonly content: Uint8Array;
}

/** The archive, with the folders above each file before their first file. */
export function tar(entries: readonly TarEntry[], mtimeS: number): Buffer {
  const folders = new Set<string>();
  const parts: Uint8Array[] = [];
  const add = (entry: TarEntry) => {
    parts.push(header(entry, mtimeS), entry.content, new Uint8Array(padding(entry.content.length)));
  };
  for (const entry of entries) {
    const steps = entry.name.split('/').slice(0, -1);
    for (let depth = 1; depth <= steps.length; depth += 1) {
      const folder = `${steps.slice(0, depth).join('/')}/`;
      if (!folders.has(folder)) add({ name: folder, mode: 0o755, content: new Uint8Array() });
      folders.add(folder);
    }
    if (!entry.name.endsWith('/')) add(entry);
  }
  return Buffer.concat([...parts, new Uint8Array(2 * BLOCK_BYTES)]);
}

function padding(bytes: number): number {
  return (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES;
}

function header({ name, mode, content }: TarEntry, mtimeS: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const [prefix, rest] = split(name);
  const octal = (value: number, offset: number, digits: number) =>
    block.write(value.toString(8).padStart(digits, '0'), offset, 'latin1');
  block.write(rest, 0, 'latin1');
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(content.length, 124, 11);
  octal(mtimeS, 136, 11);
  block.write(name.endsWith('/') ? '5' : '0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('root', 265, 'latin1');
  block.write('root', 297, 'latin1');
  block.write(prefix, 345, 'latin1');
  // Computed with blanks in its own place.
  block.fill(' ', 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

/** Long names are cut at a slash into two fields. */
function split(name: string): [prefix: string, rest: string] {
  if (!/^[\x21-\x7e]+$/.test(name))
    throw new Error(`${name}: a name in the package is plain ASCII without blanks`);
  if (name.length <= MAX_NAME_BYTES) return ['', name];
  const cut = name.indexOf('/', name.length - MAX_NAME_BYTES - 1);
  if (cut === -1 || cut > MAX_PREFIX_BYTES) throw new Error(`${name}: too long for a tar archive`);
  return [name.slice(0, cut), name.slice(cut + 1)];
}
