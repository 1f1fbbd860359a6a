// Value Representations: how each is laid out and what its value means (PS3.5 §6.2, §7.1.2).

/** text: decoded with the character set; string: default repertoire; bulk: bytes that we do not look into. */
export type VrKind = 'text' | 'string' | 'number' | 'tag' | 'sequence' | 'bulk';

export interface Vr {
  readonly name: string;
  readonly kind: VrKind;
  /** Explicit VR has two reserved bytes and a length of 32 bits (PS3.5 Table 7.1-1). */
  readonly longHeader: boolean;
  /** Bytes of one number (of one word in bulk values): what endianness swaps. */
  readonly unitBytes: number;
  /** Backslash separates values (PS3.5 §6.4). */
  readonly multiValued: boolean;
}

const ROWS: readonly (readonly [
  names: string,
  kind: VrKind,
  longHeader: boolean,
  unitBytes: number,
  multi: boolean,
])[] = [
  ['AE AS CS DA DS DT IS TM UI', 'string', false, 1, true],
  ['LO PN SH', 'text', false, 1, true],
  ['LT ST', 'text', false, 1, false],
  ['UC', 'text', true, 1, true],
  ['UT', 'text', true, 1, false],
  ['UR', 'string', true, 1, false],
  ['SS US', 'number', false, 2, true],
  ['FL SL UL', 'number', false, 4, true],
  ['FD', 'number', false, 8, true],
  ['SV UV', 'number', true, 8, true],
  ['AT', 'tag', false, 2, true],
  ['OB UN', 'bulk', true, 1, false],
  ['OW', 'bulk', true, 2, false],
  ['OF OL', 'bulk', true, 4, false],
  ['OD OV', 'bulk', true, 8, false],
  ['SQ', 'sequence', true, 1, false],
];

const BY_NAME = new Map<string, Vr>();
// Two upper-case letters index this table: the reader asks it once per element.
const BY_LETTERS: (Vr | undefined)[] = new Array(26 * 26).fill(undefined);

for (const [names, kind, longHeader, unitBytes, multiValued] of ROWS) {
  for (const name of names.split(' ')) {
    const vr: Vr = { name, kind, longHeader, unitBytes, multiValued };
    BY_NAME.set(name, vr);
    BY_LETTERS[letterIndex(name.charCodeAt(0), name.charCodeAt(1))] = vr;
  }
}

const UNKNOWN: Vr = BY_NAME.get('UN')!;

/** The description of a VR; that of UN for a name nobody defined. */
export function vrInfo(name: string): Vr {
  return BY_NAME.get(name) ?? UNKNOWN;
}

export function isVr(name: string): boolean {
  return BY_NAME.has(name);
}

/** The VR whose two letters are these bytes, undefined when there is none. */
export function vrOfBytes(first: number, second: number): Vr | undefined {
  return first < 0x41 || first > 0x5a || second < 0x41 || second > 0x5a
    ? undefined
    : BY_LETTERS[letterIndex(first, second)];
}

function letterIndex(first: number, second: number): number {
  return (first - 0x41) * 26 + second - 0x41;
}
