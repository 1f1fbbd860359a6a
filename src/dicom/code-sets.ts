// The coded character sets that Specific Character Set can name (PS3.3 §C.12.1.1.2, PS3.5 §6.1.2).

/** A set that is designated to G0 or G1 by an escape sequence (ISO/IEC 2022). */
export interface CodeSet {
  /** Where its bytes are: G0 is 21–7E, G1 is A1–FE. */
  readonly slot: 0 | 1;
  readonly escape: string;
  /** Two bytes a character. */
  readonly double: boolean;
  /** For the platform's TextDecoder; of a double set an encoding that contains it with the high bits on. */
  readonly decoder: string;
  /** For iconv-lite. */
  readonly encoder: string;
  /** What `decoder` and `encoder` put before the bytes of this set: a single shift of EUC. */
  readonly shift?: number;
}

const ESC = '\x1b';

export const ASCII: CodeSet = {
  slot: 0,
  escape: `${ESC}(B`,
  double: false,
  decoder: 'windows-1252',
  encoder: 'ascii',
};
/** JIS X 0201 Romaji, G0 of ISO_IR 13: ASCII with a yen sign at 5C and an overline at 7E. */
export const ROMAJI: CodeSet = { ...ASCII, escape: `${ESC}(J` };
export const KATAKANA: CodeSet = {
  slot: 1,
  escape: `${ESC})I`,
  double: false,
  decoder: 'euc-jp',
  encoder: 'euc-jp',
  shift: 0x8e,
};
const KANJI: CodeSet = { slot: 0, escape: `${ESC}$B`, double: true, decoder: 'euc-jp', encoder: 'euc-jp' };
const SUPPLEMENTARY_KANJI: CodeSet = { ...KANJI, escape: `${ESC}$(D`, shift: 0x8f };
const HANGUL: CodeSet = { slot: 1, escape: `${ESC}$)C`, double: true, decoder: 'euc-kr', encoder: 'euc-kr' };
const HANZI: CodeSet = { slot: 1, escape: `${ESC}$)A`, double: true, decoder: 'gbk', encoder: 'gbk' };

/** By ISO-IR registration number, as the Defined Terms have it (PS3.3 Tables C.12-2 to C.12-4). */
export const CODE_SETS: ReadonlyMap<number, CodeSet> = new Map([
  [6, ASCII],
  // Deviation (PS3.5 §6.1.2.1): accepts 80–9F as windows-1252 has them, because Windows programs write them.
  [100, latin('A', 'windows-1252', 'iso-8859-1')],
  [101, latin('B', 'iso-8859-2')],
  [109, latin('C', 'iso-8859-3')],
  [110, latin('D', 'iso-8859-4')],
  [144, latin('L', 'iso-8859-5')],
  [127, latin('G', 'iso-8859-6')],
  [126, latin('F', 'iso-8859-7')],
  [138, latin('H', 'iso-8859-8')],
  [148, latin('M', 'windows-1254', 'iso-8859-9')],
  [203, latin('b', 'iso-8859-15')],
  [166, latin('T', 'windows-874', 'iso-8859-11')],
  [13, KATAKANA],
  [87, KANJI],
  [159, SUPPLEMENTARY_KANJI],
  [149, HANGUL],
  [58, HANZI],
]);

/** The sets by their escape sequences, and some that are met but not in the standard.
 *  Deviation (PS3.5 §6.1.2.5.4): accepts Katakana in G0 (I) and the JIS C 6226 kanji of 1978 ($@), which old
 *  Japanese modalities send. */
export const ESCAPES: ReadonlyMap<string, CodeSet> = new Map([
  ...[...CODE_SETS.values(), ROMAJI].map((set) => [set.escape, set] as const),
  [`${ESC}(I`, { ...KATAKANA, slot: 0 }],
  [`${ESC}$@`, KANJI],
]);

function latin(final: string, decoder: string, encoder = decoder): CodeSet {
  return { slot: 1, escape: `${ESC}-${final}`, double: false, decoder, encoder };
}
