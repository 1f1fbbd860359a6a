// Contract: attribute matching (PS3.4 §C.2.2.2), rule by rule, on one small archive with difficult values.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { TAG } from '../../../src/catalog/attributes.ts';
import type { Catalog, Query, QueryLevel } from '../../../src/catalog/catalog.ts';
import { openCatalog } from '../../../src/catalog/open.ts';
import type { DicomJson, JsonElement } from '../../../src/dicom/dicom-json.ts';
import { instanceRecord, pn, text } from '../../support/catalog-generator.ts';
import { type EngineUnderTest, findAll, firstValue } from './harness.ts';

const EMPTY_DA: JsonElement = { vr: 'DA' };

/** Studies by letter; the Study ID is the letter. Everything else comes from the generator's defaults. */
const STUDIES: Readonly<Record<string, DicomJson>> = {
  A: {
    ...study('WANG^XIAODONG=王^小东', 'A_1', '20240115', '083000', 'Coronary [left] 50%'),
    [TAG.AccessionNumber]: text('SH', 'ACC%1'),
    [TAG.OtherPatientIDs]: text('LO', 'OLD1', 'OLD2'),
    [TAG.ProcedureCodeSequence]: sequence(code('P1', 'LOCAL'), code('P2', 'SRT')),
    [TAG.RequestAttributesSequence]: sequence({
      '00400007': text('LO', 'Angio'),
      '00401001': text('SH', 'RP1'),
    }),
  },
  B: {
    ...study('YAMADA^TAROU=山田^太郎=ﾔﾏﾀﾞ^ﾀﾛｳ', 'AB1', '20240131', '120000.5', 'Coronary left'),
    [TAG.AccessionNumber]: text('SH', 'ACC_1'),
    [TAG.ProcedureCodeSequence]: sequence(code('P1', 'SRT')),
  },
  C: {
    ...study('Hong^Gildong=洪^吉洞=홍^길동', 'b-3', '20240201', '0830', 'cerebral'),
    [TAG.AccessionNumber]: text('SH', 'acc-3'),
    [TAG.Modality]: text('CS', 'CT'),
    [TAG.SOPClassUID]: text('UI', '1.2.840.10008.5.1.4.1.1.2'),
  },
  D: {
    ...study('Müller^Jörg', 'D 4', '20231231', '235959.999999', 'Gefäß'),
    [TAG.PatientWeight]: text('DS', 70.5),
  },
  E: {
    ...study('王^小明', 'E*5', '1999.10.16', '23:59:59', 'Ａngio'),
    [TAG.OtherPatientNames]: pn('LI^NA', 'LI^LEI'),
  },
  F: {
    ...study('', '', '', '', ''),
    [TAG.PatientName]: { vr: 'PN' },
    [TAG.PatientID]: { vr: 'LO' },
    [TAG.StudyDate]: EMPTY_DA,
  },
  G: study('VAN DER BERG ^ Anna ^^Dr', 'A?1', '20240115', '090000', 'x'.repeat(300)),
};

type Row = readonly [name: string, identifier: DicomJson, expected: string, query?: Partial<Query>];

const name = (value: string): DicomJson => ({ [TAG.PatientName]: pn(value) });
const id = (...values: string[]): DicomJson => ({ [TAG.PatientID]: text('LO', ...values) });
const date = (value: string): DicomJson => ({ [TAG.StudyDate]: text('DA', value) });
const time = (value: string): DicomJson => ({ [TAG.StudyTime]: text('TM', value) });
const description = (value: string): DicomJson => ({ [TAG.StudyDescription]: text('LO', value) });
const codes = (...items: DicomJson[]): DicomJson => ({ [TAG.ProcedureCodeSequence]: sequence(...items) });
const fuzzy = { fuzzyNames: true };

const RULES: Readonly<Record<string, readonly Row[]>> = {
  'universal matching (PS3.4 §C.2.2.2.3)': [
    ['no key at all', {}, 'ABCDEFG'],
    [
      'an empty key matches also what has no value',
      { [TAG.PatientName]: { vr: 'PN' }, [TAG.StudyDate]: EMPTY_DA },
      'ABCDEFG',
    ],
    ['a key of blanks', id('  '), 'ABCDEFG'],
    ['"*" alone', { ...name('*'), ...id('*'), ...date('*') }, 'ABCDEFG'],
    ['an attribute that is not kept', { '00189999': text('LO', 'X') }, 'ABCDEFG'],
    ['a private attribute', { '00091001': text('LO', 'X') }, 'ABCDEFG'],
  ],
  'single value matching (PS3.4 §C.2.2.2.1)': [
    ['equal', id('AB1'), 'B'],
    ['padding is no part of the value', id(' AB1 '), 'B'],
    ['case counts, except in names', id('ab1'), ''],
    ['a blank inside counts', id('D 4'), 'D'],
    ['a part is not the whole', id('A'), ''],
    ['no value does not match a value', { [TAG.AccessionNumber]: text('SH', 'ACC%1') }, 'A'],
    ['a percent sign is a character', { [TAG.AccessionNumber]: text('SH', 'ACC%') }, ''],
    ['full-width letters are letters', description('Angio'), 'E'],
    ['numbers by value', { [TAG.PatientWeight]: text('DS', '70.50') }, 'D'],
    ['numbers that differ', { [TAG.PatientWeight]: text('DS', 70) }, ''],
    ['any value of a multi-valued attribute', { [TAG.OtherPatientIDs]: text('LO', 'OLD2') }, 'A'],
    ['any of several key values', id('AB1', 'b-3', 'none'), 'BC'],
    ['two keys, both must match', { ...id('AB1', 'b-3'), ...date('20240131') }, 'B'],
    ['a very long value', description('x'.repeat(300)), 'G'],
    ['a date', date('20240115'), 'AG'],
    ['a date in the form of ACR-NEMA', date('19991016'), 'E'],
    ['a time of the minute is all of that minute', time('0830'), 'AC'],
    ['a time of the second', time('235959'), 'DE'],
  ],
  'list of UID matching (PS3.4 §C.2.2.2.2)': [
    ['one', { [TAG.StudyInstanceUID]: text('UI', uid('C')) }, 'C'],
    [
      'several, unknown and repeated ones among them',
      { [TAG.StudyInstanceUID]: text('UI', uid('C'), '1.2', uid('A'), uid('C')) },
      'AC',
    ],
    ['with another key', { [TAG.StudyInstanceUID]: text('UI', uid('C'), uid('A')), ...id('A_1') }, 'A'],
    ['a wild card has no meaning in a UID', { [TAG.StudyInstanceUID]: text('UI', '1.2.826.*') }, ''],
  ],
  'wild card matching (PS3.4 §C.2.2.2.4)': [
    ['prefix', id('A*'), 'ABG'],
    ['suffix', id('*1'), 'ABG'],
    ['inside', id('*_*'), 'A'],
    ['one character', id('A?1'), 'ABG'],
    ['one character in the middle of others', id('?*?1'), 'ABG'],
    ['a character that must be there', id('b?3'), 'C'],
    ['as many characters as question marks', id('???'), 'ABCDEG'],
    ['an underscore is itself', id('A_*'), 'A'],
    ['a percent sign is itself', { [TAG.AccessionNumber]: text('SH', '*%*') }, 'A'],
    ['a bracket is itself', description('*[left]*'), 'A'],
    ['a bracket is no class', description('*[lx]*'), ''],
    ['case counts, except in names', id('a*'), ''],
    ['several stars', description('*o*a*l*f*'), 'AB'],
    ['a hostile number of stars', description(`${'*x'.repeat(200)}*y`), ''],
    ['in a very long value', description('*xxx*'), 'G'],
    ['a wild card in a date', date('202401*'), 'ABG'],
    ['a question mark is one character, also beyond 16 bits', name('王^小?'), 'AE'],
  ],
  'range matching (PS3.4 §C.2.2.2.5)': [
    ['from – to', date('20240115-20240131'), 'ABG'],
    ['from', date('20240131-'), 'BC'],
    ['to', date('-20231231'), 'DE'],
    ['one day', date('20240201-20240201'), 'C'],
    ['nothing in between', date('20240202-20240301'), ''],
    ['undated studies are in no range', date('-99991231'), 'ABCDEG'],
    ['times', time('0830-0900'), 'ACG'],
    ['times to the end of the minute', time('120000-1200'), 'B'],
    ['times from', time('235959.9-'), 'D'],
    ['date and time apart', { ...date('20240101-20240131'), ...time('0800-0900') }, 'AG'],
    [
      'date and time as one range (PS3.4 §C.2.2.2.5.3)',
      { ...date('20240115-20240131'), ...time('0845-1201') },
      'BG',
      { combinedDateTime: true },
    ],
    [
      'not both ends in one',
      { ...date('20240115-20240131'), ...time('0845-1100') },
      'G',
      { combinedDateTime: true },
    ],
  ],
  'sequence matching (PS3.4 §C.2.2.2.6)': [
    ['an item that matches', codes(code('P1', '')), 'AB'],
    ['every key of one item', codes(code('P1', 'SRT')), 'B'],
    ['keys are not spread over items', codes(code('P2', 'LOCAL')), ''],
    ['wild cards inside', codes(code('P*', 'S*')), 'AB'],
    ['an empty item is universal', codes({}), 'ABCDEFG'],
    ['no item is universal', codes(), 'ABCDEFG'],
    ['an item of empty keys is universal', codes({ '00080100': { vr: 'SH' } }), 'ABCDEFG'],
  ],
  'empty value matching (PS3.4 §C.2.2.2.7)': [
    ['text', id('""'), 'F'],
    ['names', name('""'), 'F'],
    ['dates', date('""'), 'F'],
  ],
  'person names (PS3.5 §6.2.1)': [
    ['case does not count', name('wang^xiaodong'), 'A'],
    ['accents count, case of accented letters does not', name('MÜLLER^JÖRG'), 'D'],
    ['an accent is not nothing', name('MULLER*'), ''],
    ['the composition of an accent does not count', name('mu\u0308ller*'), 'D'],
    ['empty components at the end say nothing', name('WANG^XIAODONG^^^'), 'A'],
    ['blanks around components say nothing', name('Van der Berg^Anna^^DR'), 'G'],
    ['a part is not the whole', name('WANG'), ''],
    ['an ideographic name in the first place is tried everywhere', name('王^小东'), 'A'],
    ['also with a wild card', name('王*'), 'AE'],
    ['a group with its "=" is that group', name('=王*'), 'A'],
    ['phonetic, half-width kana or hiragana as written', name('==ヤマダ*'), 'B'],
    ['Korean', name('==홍^길동'), 'C'],
    ['every group that is given', name('YAMADA*=山田*'), 'B'],
    ['every group that is given, one not matching', name('YAMADA*=王*'), ''],
    ['given name', name('*^小*'), 'AE'],
    ['a component that is not there', name('Müller^Jörg^*'), 'D'],
    ['containing', name('*der*'), 'G'],
    ['containing, ideographic', name('*田*'), 'B'],
    ['any of several names', { [TAG.OtherPatientNames]: pn('li^lei') }, 'E'],
  ],
  'fuzzy person names': [
    ['parts in any order', name('xiaodong wang'), 'A', fuzzy],
    ['beginnings', name('gil hon'), 'C', fuzzy],
    ['without accents', name('jorg muller'), 'D', fuzzy],
    ['a given name in Chinese', name('小'), 'AE', fuzzy],
    ['a part of a name of several words', name('berg'), 'G', fuzzy],
    ['every part', name('wang jorg'), '', fuzzy],
    ['wild cards keep their meaning', name('*DONG'), 'AC', fuzzy],
  ],
  'keys of other levels (PS3.4 §C.4.1.2.2)': [
    ['Modalities in Study', { [TAG.ModalitiesInStudy]: text('CS', 'CT') }, 'C'],
    ['any of several Modalities in Study', { [TAG.ModalitiesInStudy]: text('CS', 'CT', 'XA') }, 'ABCDEFG'],
    ['Modalities in Study with a wild card', { [TAG.ModalitiesInStudy]: text('CS', 'X*') }, 'ABDEFG'],
    ['Modality of the study, as many ask', { [TAG.Modality]: text('CS', 'CT') }, 'C'],
    ['modality and date', { [TAG.ModalitiesInStudy]: text('CS', 'XA'), ...date('20240115-20240201') }, 'ABG'],
    ['SOP Classes in Study', { [TAG.SOPClassesInStudy]: text('UI', '1.2.840.10008.5.1.4.1.1.2') }, 'C'],
    [
      'keys below are left out unless wanted',
      { [TAG.SeriesInstanceUID]: text('UI', `${uid('B')}.1`) },
      'ABCDEFG',
    ],
    [
      'a series UID below',
      { [TAG.SeriesInstanceUID]: text('UI', `${uid('B')}.1`) },
      'B',
      { lowerLevelKeys: true },
    ],
    [
      'an instance UID below',
      { [TAG.SOPInstanceUID]: text('UI', `${uid('D')}.1.1`) },
      'D',
      { lowerLevelKeys: true },
    ],
    [
      'a sequence of a series below',
      { [TAG.RequestAttributesSequence]: sequence({ '00401001': text('SH', 'RP*') }) },
      'A',
      { lowerLevelKeys: true },
    ],
    [
      'keys of two levels below, met by one series',
      { [TAG.Modality]: text('CS', 'CT'), [TAG.InstanceNumber]: text('IS', 1) },
      'C',
      { lowerLevelKeys: true },
    ],
    ['a counter', { [TAG.NumberOfStudyRelatedInstances]: text('IS', '1') }, 'ABCDEFG'],
  ],
};

export function matchingSuite(engine: EngineUnderTest): void {
  describe(`matching on ${engine.name}`, () => {
    let catalog: Catalog;

    before(async () => {
      catalog = await openCatalog(await engine.fresh({ after }));
      const records = Object.entries(STUDIES).map(([letter, attributes]) =>
        instanceRecord(number(letter), 1, 1, {
          attributes: { ...attributes, [TAG.StudyID]: text('SH', letter) },
        }),
      );
      await catalog.ingest(records);
    });
    after(() => catalog.close());

    const lettersOf = async (query: Query): Promise<string> =>
      (await findAll(catalog, query))
        .map((match) => firstValue(match.attributes, TAG.StudyID))
        .sort()
        .join('');

    for (const [rule, rows] of Object.entries(RULES)) {
      describe(rule, () => {
        for (const [what, identifier, expected, query] of rows) {
          test(what, async () => {
            assert.equal(await lettersOf({ level: 'STUDY', identifier, ...query }), expected);
          });
        }
      });
    }

    describe('the same keys on every level (PS3.4 §C.6.1)', () => {
      for (const level of ['SERIES', 'IMAGE'] satisfies QueryLevel[]) {
        for (const [rule, rows] of Object.entries(RULES)) {
          test(`${level}: ${rule}`, async () => {
            for (const [what, identifier, expected, query] of rows) {
              if (query?.lowerLevelKeys || rule.startsWith('keys of other levels')) continue;
              assert.equal(await lettersOf({ level, identifier, ...query }), expected, what);
            }
          });
        }
      }

      test('PATIENT: keys of the patient', async () => {
        const ids = async (identifier: DicomJson, query: Partial<Query> = {}): Promise<string[]> =>
          (await findAll(catalog, { level: 'PATIENT', identifier, ...query }))
            .map((match) => String(firstValue(match.attributes, TAG.PatientID) ?? ''))
            .sort();
        assert.deepEqual(await ids(name('王*')), ['A_1', 'E*5']);
        assert.deepEqual(await ids(name('*王*')), ['A_1', 'E*5']);
        assert.equal((await ids({})).length, 7);
        assert.deepEqual(await ids(date('20240115')), await ids({}), 'a key below is left out');
        assert.deepEqual(await ids(date('20240115'), { lowerLevelKeys: true }), ['A?1', 'A_1']);
        const below = { [TAG.StudyInstanceUID]: text('UI', uid('B')) };
        assert.deepEqual(await ids(below, { lowerLevelKeys: true }), ['AB1']);
      });
    });

    test('a patient found by two of its keys is reported once', async () => {
      const both = await findAll(catalog, {
        level: 'PATIENT',
        identifier: { [TAG.PatientName]: pn('*O*', '*A*', 'W*') },
      });
      const ids = both.map((match) => firstValue(match.attributes, TAG.PatientID));
      assert.equal(new Set(ids).size, ids.length);
      assert.deepEqual(ids.sort(), ['A?1', 'A_1', 'AB1', 'b-3'].sort());
    });

    test('a match has everything kept of its level and the levels above, with counters', async () => {
      const [match] = await findAll(catalog, {
        level: 'IMAGE',
        identifier: { [TAG.StudyID]: text('SH', 'A') },
      });
      const attributes = match?.attributes ?? {};
      assert.deepEqual(attributes[TAG.PatientName], pn('WANG^XIAODONG=王^小东'));
      assert.deepEqual(attributes[TAG.ProcedureCodeSequence], STUDIES.A?.[TAG.ProcedureCodeSequence]);
      assert.equal(firstValue(attributes, TAG.Modality), 'XA');
      assert.equal(firstValue(attributes, TAG.InstanceNumber), 1);
      assert.equal(firstValue(attributes, TAG.NumberOfSeriesRelatedInstances), 1);
      assert.equal(firstValue(attributes, TAG.NumberOfPatientRelatedStudies), 1);
    });
  });
}

function study(
  patientName: string,
  patientId: string,
  studyDate: string,
  studyTime: string,
  studyDescription: string,
): DicomJson {
  return {
    [TAG.PatientName]: pn(patientName),
    [TAG.PatientID]: text('LO', patientId),
    [TAG.StudyDate]: text('DA', studyDate),
    [TAG.StudyTime]: text('TM', studyTime),
    [TAG.StudyDescription]: text('LO', studyDescription),
  };
}

function code(value: string, scheme: string): DicomJson {
  return { '00080100': text('SH', value), '00080102': text('SH', scheme) };
}

function sequence(...items: DicomJson[]): JsonElement {
  return { vr: 'SQ', Value: items };
}

function number(letter: string): number {
  return letter.charCodeAt(0) - 64;
}

function uid(letter: string): string {
  return `1.2.826.1.${number(letter)}`;
}
