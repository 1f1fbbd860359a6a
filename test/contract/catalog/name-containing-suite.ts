// Contract: names that hold something (PS3.4 §C.2.2.2.4), wherever it stands and however long the name is.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import { instanceRecord, pn } from '../../support/catalog-generator.ts';
import { assertSearchKeysComplete, type EngineUnderTest, findAll, firstValue, listAll } from './harness.ts';

/** Longer than a component group may be, and than what an index keeps of it. */
const LONG = `${'Abc Def '.repeat(20)}Omega`;

const NAMES: Readonly<Record<string, string>> = {
  A: 'WANG^XIAODONG=王^小东',
  B: 'YAMADA^TAROU=山田^太郎=ﾔﾏﾀﾞ^ﾀﾛｳ',
  C: 'Hong^Gildong=洪^吉洞=홍^길동',
  D: 'Müller^Jörg',
  E: 'van der Berg ^ Anna  Maria^^Dr',
  F: 'GARCÍA LÓPEZ^MARÍA JOSÉ',
  G: LONG,
  H: '=欧阳^娜娜',
  I: '=\u{20BB7}野^家\u{20BB7}',
  J: `Prefix^${'x'.repeat(100)}y`,
};

const PATTERNS: readonly (readonly [pattern: string, expected: string])[] = [
  // Latin
  ['*ANG*', 'A'],
  ['*ang^x*', 'A'],
  ['*DONG', 'AC'],
  ['*DONG*', 'AC'],
  ['*g*', 'ACDEFG'],
  ['*an*', 'AE'],
  ['*NG^*', 'AC'],
  ['*^GIL*', 'C'],
  ['*^G*', 'C'],
  ['*^*', 'ABCDEFGHIJ'],
  ['*er berg*', 'E'],
  ['* ber*', 'E'],
  ['*a  m*', 'E'],
  ['*a m*', ''],
  ['*^^Dr', 'E'],
  ['*berg^anna*', 'E'],
  ['*%*', ''],
  ['*_*', ''],
  // Accents
  ['*ÜLL*', 'D'],
  ['*u\u0308ll*', 'D'],
  ['*ULL*', ''],
  ['*örg', 'D'],
  ['*ía*', 'F'],
  ['*ÍA JOSÉ*', 'F'],
  // Chinese, Japanese, Korean
  ['*王*', 'A'],
  ['*东', 'A'],
  ['*小东*', 'A'],
  ['*王小*', ''],
  ['*^小*', 'A'],
  ['*田*', 'B'],
  ['*田^太*', 'B'],
  ['*マ*', 'B'],
  ['*ﾏ*', 'B'],
  ['*==*ダ*', 'B'],
  ['==*ダ*', 'B'],
  ['==*동', 'C'],
  ['*길동*', 'C'],
  ['*阳*', 'H'],
  ['*娜*', 'H'],
  ['*娜娜', 'H'],
  ['*娜娜娜*', ''],
  ['*\u{20BB7}*', 'I'],
  ['*家?', 'I'],
  ['?野*', 'I'],
  // Question marks and several stars
  ['?ANG*', 'A'],
  ['?????', 'BHI'],
  ['?', ''],
  ['*?ANG^?IAO*', 'A'],
  ['*a*a*a*', 'BEFG'],
  ['*o*g', 'AC'],
  ['W*DONG', 'A'],
  ['h*dong*', 'C'],
  ['y*a*', 'B'],
  ['*T?ROU*', 'B'],
  // Names that are longer than their keys
  ['*omega', 'G'],
  ['*def omega*', 'G'],
  ['*DEF ABC DEF ABC DEF ABC*', 'G'],
  ['*DEF ABC DEF ABC DEF XYZ*', ''],
  [`*${'x'.repeat(60)}*`, 'J'],
  ['*xy', 'J'],
  ['*fix^x*', 'J'],
];

export function nameContainingSuite(engine: EngineUnderTest): void {
  describe(`names that hold something, on ${engine.name}`, () => {
    let catalog: Catalog;

    before(async () => {
      catalog = await openCatalog(await engine.fresh({ after }));
      await catalog.ingest(
        Object.entries(NAMES).map(([letter, name]) =>
          instanceRecord(letter, 1, 1, { attributes: { [TAG.PatientName]: pn(name) } }),
        ),
      );
    });
    after(() => catalog.close());

    for (const [pattern, expected] of PATTERNS) {
      const shown = pattern.length > 40 ? `${pattern.slice(0, 20)}…` : pattern;
      test(`${shown} is in the names of ${expected || 'nobody'}`, async () => {
        const identifier = { [TAG.PatientName]: pn(pattern) };
        const lettersOf = (uids: readonly unknown[]) => uids.map((uid) => String(uid).at(-1)).sort();
        const found = await findAll(catalog, { level: 'STUDY', identifier });
        const uids = found.map(({ attributes }) => firstValue(attributes, TAG.StudyInstanceUID));
        assert.deepEqual(lettersOf(uids), [...expected]);
        const listed = (await listAll(catalog, { identifier, limit: 3 })).flat();
        assert.deepEqual(
          lettersOf(listed.map(({ attributes }) => firstValue(attributes, TAG.StudyInstanceUID))),
          [...expected],
        );
      });
    }
  });

  test(`a corrected name is found by what it holds now, on ${engine.name}`, async (t) => {
    const url = await engine.fresh(t);
    const named = (instance: number, name: string) =>
      instanceRecord(1, 1, instance, {
        attributes: { [TAG.PatientName]: pn(name) },
        receivedAt: `2024-01-31T08:00:0${instance}.000Z`,
      });
    const found: number[][] = [];
    const catalog = await openCatalog(url);
    try {
      for (const record of [named(1, 'WONG^SIUTUNG'), named(2, 'WANG^XIAODONG')]) {
        await catalog.ingest([record]);
        const count = async (pattern: string) =>
          (await findAll(catalog, { level: 'STUDY', identifier: { [TAG.PatientName]: pn(pattern) } })).length;
        found.push([await count('*ONG^S*'), await count('*ANG^X*')]);
      }
    } finally {
      await catalog.close();
    }
    assert.deepEqual(found, [
      [1, 0],
      [0, 1],
    ]);
    await assertSearchKeysComplete(url);
  });
}
