// Defined terms of Specific Character Set (PS3.3 §C.12.1.1.2), as they may stand in a peer's override.

/** Without extension, with code extensions, and the multi-byte sets that allow none. */
export const CHARACTER_SETS: ReadonlySet<string> = new Set([
  ...[
    'ISO_IR 6',
    'ISO_IR 100',
    'ISO_IR 101',
    'ISO_IR 109',
    'ISO_IR 110',
    'ISO_IR 144',
    'ISO_IR 127',
    'ISO_IR 126',
  ],
  ...['ISO_IR 138', 'ISO_IR 148', 'ISO_IR 203', 'ISO_IR 13', 'ISO_IR 166'],
  ...['ISO 2022 IR 6', 'ISO 2022 IR 100', 'ISO 2022 IR 101', 'ISO 2022 IR 109', 'ISO 2022 IR 110'],
  ...['ISO 2022 IR 144', 'ISO 2022 IR 127', 'ISO 2022 IR 126', 'ISO 2022 IR 138', 'ISO 2022 IR 148'],
  ...['ISO 2022 IR 203', 'ISO 2022 IR 13', 'ISO 2022 IR 166'],
  ...['ISO 2022 IR 87', 'ISO 2022 IR 159', 'ISO 2022 IR 149', 'ISO 2022 IR 58'],
  ...['ISO_IR 192', 'GB18030', 'GBK'],
]);
