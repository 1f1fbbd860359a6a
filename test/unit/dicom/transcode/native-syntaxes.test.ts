// Uncompressed syntaxes into each other: headers, byte order, sequences, and what has to stay (PS3.5 §7, Annex A).

import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { type ElementSpec, elementHeader, encodeElements } from '../../../support/byte-elements.ts';
import {
  BIG_ENDIAN,
  DEFLATED,
  EXPLICIT,
  IMPLICIT,
  ITEM_DELIMITER,
  item,
  refusal,
  removeStored,
  rewrite,
  SEQUENCE_DELIMITER,
  UNDEFINED,
} from './support.ts';

after(removeStored);

const PRIVATE = 0x00091001;

function hex(text: string): Buffer {
  return Buffer.from(text.replace(/[^0-9a-f]/g, ''), 'hex');
}

/** A sequence of undefined length with items of undefined length: how everything is written. */
function sequence(tag: number, explicit: boolean, ...items: Buffer[]): Buffer {
  const parts = items.flatMap((content) => [item(content, UNDEFINED), ITEM_DELIMITER]);
  return Buffer.concat([elementHeader(tag, 'SQ', UNDEFINED, explicit), ...parts, SEQUENCE_DELIMITER]);
}

const elements: ElementSpec[] = [
  { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 100' },
  { tag: 0x00080018, vr: 'UI', value: '1.2.3' },
  { tag: 0x00100010, vr: 'PN', value: 'Müller^Anna' },
  { tag: 0x00280010, vr: 'US', value: 512 },
  { tag: 0x00281201, vr: 'OW', value: hex('01 00 02 00') },
  { tag: 0x00420011, vr: 'OB', value: hex('25 50 44 46') },
];

describe('Explicit and Implicit VR Little Endian', () => {
  test('every element goes over, and back', async () => {
    const explicit = encodeElements(elements, true);
    const implicit = encodeElements(elements, false);
    assert.deepEqual(await rewrite(explicit, EXPLICIT, IMPLICIT), implicit);
    assert.deepEqual(await rewrite(implicit, IMPLICIT, EXPLICIT), explicit);
  });

  test('a private element of unknown VR becomes UN, its bytes unchanged (PS3.5 §6.2.2)', async () => {
    const value = hex('de ad be ef 01');
    const implicit = encodeElements([{ tag: PRIVATE, vr: 'UN', value }], false);
    const explicit = await rewrite(implicit, IMPLICIT, EXPLICIT);
    assert.deepEqual(explicit, encodeElements([{ tag: PRIVATE, vr: 'UN', value }], true));
    assert.deepEqual(await rewrite(explicit, EXPLICIT, IMPLICIT), implicit);
  });

  test('a private element whose VR is written keeps its value', async () => {
    const explicit = encodeElements([{ tag: PRIVATE, vr: 'LO', value: 'secret' }], true);
    const implicit = encodeElements([{ tag: PRIVATE, vr: 'LO', value: 'secret' }], false);
    assert.deepEqual(await rewrite(explicit, EXPLICIT, IMPLICIT), implicit);
  });

  test('group lengths are dropped, at every depth (PS3.5 §7.2)', async () => {
    const inner = encodeElements(elements.slice(0, 2), true);
    const length = encodeElements([{ tag: 0x00080000, vr: 'UL', value: 99 }], true);
    const withLengths = Buffer.concat([length, sequence(0x00081140, true, Buffer.concat([length, inner]))]);
    assert.deepEqual(
      await rewrite(withLengths, EXPLICIT, IMPLICIT),
      sequence(0x00081140, false, encodeElements(elements.slice(0, 2), false)),
    );
  });

  test('sequences of defined and undefined length, nested, empty (PS3.5 §7.5)', async () => {
    const one = (explicit: boolean) =>
      encodeElements([{ tag: 0x00081155, vr: 'UI', value: '1.2' }], explicit);
    const defined = encodeElements(
      [
        {
          tag: 0x00081115,
          vr: 'SQ',
          value: [
            [{ tag: 0x00081140, vr: 'SQ', value: [[], [{ tag: 0x00081155, vr: 'UI', value: '1.2' }]] }],
          ],
        },
        { tag: 0x00081140, vr: 'SQ', value: [] },
      ],
      true,
    );
    const nested = (explicit: boolean) => {
      const inner = Buffer.concat([
        elementHeader(0x00081140, 'SQ', UNDEFINED, explicit),
        item(Buffer.alloc(0), UNDEFINED),
        ITEM_DELIMITER,
        item(one(explicit), UNDEFINED),
        ITEM_DELIMITER,
        SEQUENCE_DELIMITER,
      ]);
      return Buffer.concat([
        elementHeader(0x00081115, 'SQ', UNDEFINED, explicit),
        item(inner, UNDEFINED),
        ITEM_DELIMITER,
        SEQUENCE_DELIMITER,
        elementHeader(0x00081140, 'SQ', UNDEFINED, explicit),
        SEQUENCE_DELIMITER,
      ]);
    };
    assert.deepEqual(await rewrite(defined, EXPLICIT, IMPLICIT), nested(false));
    assert.deepEqual(await rewrite(nested(false), IMPLICIT, EXPLICIT), nested(true));
  });

  test('UN of undefined length is Implicit VR inside, and stays byte for byte (PS3.5 §6.2.2 note 2)', async () => {
    const content = Buffer.concat([
      item(
        encodeElements(
          [
            { tag: 0x00080000, vr: 'UL', value: 4 },
            { tag: PRIVATE, vr: 'UN', value: 'x' },
          ],
          false,
        ),
      ),
      item(
        Buffer.concat([
          encodeElements(
            [{ tag: 0x00081140, vr: 'SQ', value: [[{ tag: 0x00081155, vr: 'UI', value: '1' }]] }],
            false,
          ),
          elementHeader(0x00091002, 'UN', UNDEFINED, false),
          SEQUENCE_DELIMITER,
        ]),
        UNDEFINED,
      ),
      ITEM_DELIMITER,
      SEQUENCE_DELIMITER,
    ]);
    const explicit = Buffer.concat([elementHeader(PRIVATE, 'UN', UNDEFINED, true), content]);
    const implicit = Buffer.concat([elementHeader(PRIVATE, 'UN', UNDEFINED, false), content]);
    assert.deepEqual(await rewrite(explicit, EXPLICIT, IMPLICIT), implicit);
    assert.deepEqual(await rewrite(implicit, IMPLICIT, EXPLICIT), explicit);
    const big = await rewrite(explicit, EXPLICIT, BIG_ENDIAN);
    assert.deepEqual(big, Buffer.concat([hex('0009 1001 554e 0000 ffffffff'), content]));
    assert.deepEqual(await rewrite(big, BIG_ENDIAN, EXPLICIT), explicit);
  });

  test('US or SS: Pixel Representation decides, also for items below (PS3.3 §C.7.6.3.1.1)', async () => {
    for (const [signed, vr] of [
      [0, 'US'],
      [1, 'SS'],
    ] as const) {
      const specs: ElementSpec[] = [
        { tag: 0x00280103, vr: 'US', value: signed },
        { tag: 0x00280106, vr, value: 7 },
      ];
      const implicit = Buffer.concat([
        encodeElements(specs, false),
        sequence(0x00409096, false, encodeElements([{ tag: 0x00409216, vr, value: 3 }], false)),
      ]);
      const explicit = Buffer.concat([
        encodeElements(specs, true),
        sequence(0x00409096, true, encodeElements([{ tag: 0x00409216, vr, value: 3 }], true)),
      ]);
      assert.deepEqual(await rewrite(implicit, IMPLICIT, EXPLICIT), explicit);
    }
  });

  test('a value too long for its VR becomes UN (PS3.5 §6.2.2 note 4)', async () => {
    const value = Buffer.alloc(70_000, 'x');
    const implicit = encodeElements([{ tag: 0x00081030, vr: 'LO', value }], false);
    const explicit = await rewrite(implicit, IMPLICIT, EXPLICIT);
    assert.deepEqual(explicit, encodeElements([{ tag: 0x00081030, vr: 'UN', value }], true));
    await assert.rejects(
      rewrite(implicit, IMPLICIT, BIG_ENDIAN),
      refusal('malformed', /too long for Explicit VR Big/),
    );
  });

  test('a VR that a later edition may add has the long form (PS3.5 §7.1.2)', async () => {
    const explicit = Buffer.concat([hex('08 00 01 50 5a 5a 00 00 02 00 00 00'), Buffer.from('ab')]);
    assert.deepEqual(await rewrite(explicit, EXPLICIT, IMPLICIT), hex('08 00 01 50 02 00 00 00 61 62'));
  });

  test('Deviation: Implicit VR elements in an item of an explicit sequence', async () => {
    const inner: ElementSpec[] = [{ tag: 0x00081155, vr: 'UI', value: '1.2.3' }];
    const mixed = sequence(0x00081140, true, encodeElements(inner, false));
    assert.deepEqual(
      await rewrite(mixed, EXPLICIT, IMPLICIT),
      sequence(0x00081140, false, encodeElements(inner, false)),
    );
  });

  test('Deviation: fewer than 8 zero bytes behind the last element', async () => {
    const implicit = encodeElements(elements, false);
    for (const count of [1, 7]) {
      const padded = Buffer.concat([implicit, Buffer.alloc(count)]);
      assert.deepEqual(await rewrite(padded, IMPLICIT, EXPLICIT), encodeElements(elements, true));
    }
  });

  test('values of several chunks, at every position of a chunk', async () => {
    const value = Buffer.from(
      Array.from({ length: 700_001 }, (_, index) => (index * 31 + (index >> 8)) & 0xff),
    );
    for (const ahead of [0, 1, 5, 262_100, 262_133, 262_144]) {
      const specs: ElementSpec[] = [
        { tag: PRIVATE, vr: 'UN', value: value.subarray(0, ahead) },
        { tag: 0x7fe00010, vr: 'OW', value },
        { tag: 0xfffcfffc, vr: 'OB', value: hex('00 00') },
      ];
      assert.deepEqual(
        await rewrite(encodeElements(specs, true), EXPLICIT, IMPLICIT),
        encodeElements(specs, false),
      );
    }
  });
});

describe('Explicit VR Big Endian', () => {
  // One value of every width, written by hand (PS3.5 §7.3).
  const little = hex(`
    08 00 05 00 43 53 02 00 41 42
    28 00 10 00 55 53 04 00 01 02 03 04
    28 00 09 00 41 54 04 00 18 00 63 10
    18 00 24 60 53 4c 04 00 01 02 03 04
    18 00 2c 60 46 44 08 00 01 02 03 04 05 06 07 08
    66 00 16 00 4f 46 00 00 04 00 00 00 01 02 03 04
    66 00 22 00 4f 44 00 00 08 00 00 00 01 02 03 04 05 06 07 08
    e0 7f 01 00 4f 56 00 00 08 00 00 00 01 02 03 04 05 06 07 08
    e0 7f 10 00 4f 57 00 00 04 00 00 00 01 02 03 04
    e0 7f 11 00 4f 42 00 00 04 00 00 00 01 02 03 04
    09 00 01 10 55 4e 00 00 04 00 00 00 01 02 03 04`);
  const big = hex(`
    00 08 00 05 43 53 00 02 41 42
    00 28 00 10 55 53 00 04 02 01 04 03
    00 28 00 09 41 54 00 04 00 18 10 63
    00 18 60 24 53 4c 00 04 04 03 02 01
    00 18 60 2c 46 44 00 08 08 07 06 05 04 03 02 01
    00 66 00 16 4f 46 00 00 00 00 00 04 04 03 02 01
    00 66 00 22 4f 44 00 00 00 00 00 08 08 07 06 05 04 03 02 01
    7f e0 00 01 4f 56 00 00 00 00 00 08 08 07 06 05 04 03 02 01
    7f e0 00 10 4f 57 00 00 00 00 00 04 02 01 04 03
    7f e0 00 11 4f 42 00 00 00 00 00 04 01 02 03 04
    00 09 10 01 55 4e 00 00 00 00 00 04 01 02 03 04`);

  test('numbers turn round, text and bytes do not', async () => {
    assert.deepEqual(await rewrite(little, EXPLICIT, BIG_ENDIAN), big);
    assert.deepEqual(await rewrite(big, BIG_ENDIAN, EXPLICIT), little);
  });

  test('large values turn round whole, wherever chunks end', async () => {
    for (const [vr, unitBytes] of [
      ['OW', 2],
      ['OF', 4],
      ['OD', 8],
    ] as const) {
      const value = Buffer.from(
        Array.from({ length: 800_000 }, (_, index) => (index * 7 + (index >> 9)) & 0xff),
      );
      const turned = Buffer.from(value);
      if (unitBytes === 2) turned.swap16();
      else if (unitBytes === 4) turned.swap32();
      else turned.swap64();
      // A value of odd length before it moves everything behind it off its place.
      const specs: ElementSpec[] = [
        { tag: PRIVATE, vr: 'UN', value: Buffer.alloc(3) },
        { tag: 0x00091002, vr, value },
      ];
      const out = await rewrite(encodeElements(specs, true), EXPLICIT, BIG_ENDIAN);
      assert.deepEqual(out.subarray(-value.length), turned, vr);
    }
  });

  test('a value that is no whole number of numbers cannot be turned', async () => {
    const odd = encodeElements([{ tag: 0x00280010, vr: 'US', value: Buffer.alloc(3) }], true);
    await assert.rejects(
      rewrite(odd, EXPLICIT, BIG_ENDIAN),
      refusal('malformed', /Rows of 3 bytes does not hold whole values of US/),
    );
  });

  test('items and delimiters are big endian, too', async () => {
    const explicit = sequence(
      0x00081140,
      true,
      encodeElements([{ tag: 0x00280010, vr: 'US', value: 1 }], true),
    );
    const turned = hex(`
      0008 1140 5351 0000 ffffffff
        fffe e000 ffffffff
          0028 0010 5553 0002 0001
        fffe e00d 00000000
      fffe e0dd 00000000`);
    assert.deepEqual(await rewrite(explicit, EXPLICIT, BIG_ENDIAN), turned);
    assert.deepEqual(await rewrite(turned, BIG_ENDIAN, EXPLICIT), explicit);
  });
});

describe('Deflated Explicit VR Little Endian', () => {
  const large: ElementSpec[] = [
    ...elements,
    { tag: 0x7fe00010, vr: 'OW', value: Buffer.alloc(3_000_000, 'pixels') },
  ];

  test('is inflated as it is read, padding at its end or not (PS3.5 §A.5)', async () => {
    const deflated = deflateRawSync(encodeElements(large, true));
    assert.deepEqual(await rewrite(deflated, DEFLATED, EXPLICIT), encodeElements(large, true));
    const padded = Buffer.concat([deflated, Buffer.alloc(1)]);
    assert.deepEqual(await rewrite(padded, DEFLATED, IMPLICIT), encodeElements(large, false));
  });

  test('a group length is passed over', async () => {
    const length = encodeElements([{ tag: 0x00080000, vr: 'UL', value: 1 }], true);
    const deflated = deflateRawSync(Buffer.concat([length, encodeElements(elements, true)]));
    assert.deepEqual(await rewrite(deflated, DEFLATED, EXPLICIT), encodeElements(elements, true));
  });

  test('a stream that is cut short, or none at all', async () => {
    const deflated = deflateRawSync(encodeElements(large, true));
    for (const length of [0, 1, 10, deflated.length - 1]) {
      await assert.rejects(
        rewrite(deflated.subarray(0, length), DEFLATED, EXPLICIT),
        refusal('malformed', /./),
        `${length}`,
      );
    }
    await assert.rejects(
      rewrite(Buffer.alloc(100, 0xff), DEFLATED, EXPLICIT),
      refusal('malformed', /cannot be inflated/),
    );
  });
});
