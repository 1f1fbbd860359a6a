// What instances of a series have in common is described once; a difference in one byte describes it anew.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { attributesByLevel } from '../../../src/archive/shared-attributes.ts';
import { attributeGroups, KEPT_TAGS } from '../../../src/catalog/attributes.ts';
import { DataSet, type Element } from '../../../src/dicom/data-set.ts';
import { toDicomJson } from '../../../src/dicom/dicom-json.ts';

const SERIES = '1.2.826.7.1';
const STUDY = '1.2.826.7';

type Texts = Readonly<Record<number, readonly [vr: string, text: string]>>;

const BASE: Texts = {
  524293: ['CS', 'ISO_IR 100'],
  524310: ['UI', '1.2.840.10008.5.1.4.1.1.2'],
  524312: ['UI', '1.2.826.7.1.1'],
  524320: ['DA', '20240229'],
  524384: ['CS', 'XA'],
  1048592: ['PN', 'M\xfcller^J\xf6rg'],
  1048608: ['LO', 'P1'],
  2097165: ['UI', STUDY],
  2097166: ['UI', SERIES],
  2097169: ['IS', '4'],
  2097171: ['IS', '1'],
};

function dataSetOf(texts: Texts, extra: readonly Element[] = []): DataSet {
  const elements = Object.entries(texts).map(([tag, [vr, text]]): Element => {
    const value = Buffer.from(text, 'latin1');
    return { tag: Number(tag), vr, value, length: value.length };
  });
  const all = [...elements, ...extra].sort((a, b) => a.tag - b.tag);
  return new DataSet(new Map(all.map((element) => [element.tag, element])), false);
}

function described(dataSet: DataSet, characterSetOverride?: readonly string[]) {
  return attributesByLevel({ studyUid: STUDY, seriesUid: SERIES, dataSet }, characterSetOverride);
}

/** As it is without any memory. */
function anew(dataSet: DataSet, characterSetOverride?: readonly string[]) {
  const override = characterSetOverride === undefined ? {} : { characterSetOverride };
  return attributeGroups(toDicomJson(dataSet, { keep: KEPT_TAGS, ...override }));
}

describe('the next instance of a series', () => {
  test('has what the first said of patient, study and series, and its own attributes', () => {
    const first = described(dataSetOf(BASE));
    const next = dataSetOf({ ...BASE, 524312: ['UI', '1.2.826.7.1.2'], 2097171: ['IS', '2'] });
    const second = described(next);
    assert.equal(second.patient, first.patient, 'not made again');
    assert.deepEqual(second, anew(next));
    assert.notDeepEqual(second.instance, first.instance);
  });

  for (const [what, change] of [
    ['another name', { 1048592: ['PN', 'M\xfcller^J\xf6rn'] }],
    ['another length', { 1048608: ['LO', 'P1 '] }],
    ['one element more', { 528432: ['LO', 'Head'] }],
    ['another character set', { 524293: ['CS', 'ISO_IR 101'] }],
    ['another VR', { 1048608: ['SH', 'P1'] }],
  ] as const) {
    test(`with ${what} is described anew`, () => {
      described(dataSetOf(BASE));
      const changed = dataSetOf({ ...BASE, ...change } as Texts);
      assert.deepEqual(described(changed), anew(changed));
      assert.deepEqual(described(dataSetOf(BASE)), anew(dataSetOf(BASE)));
    });
  }

  test('with one element less is described anew', () => {
    described(dataSetOf(BASE));
    const { 0x00100020: _, ...less } = BASE;
    assert.deepEqual(described(dataSetOf(less)), anew(dataSetOf(less)));
  });

  test('from a caller whose text is read otherwise is described anew', () => {
    described(dataSetOf(BASE));
    const cyrillic = described(dataSetOf(BASE), ['ISO_IR 144']);
    assert.deepEqual(cyrillic, anew(dataSetOf(BASE), ['ISO_IR 144']));
    assert.notDeepEqual(cyrillic.patient, described(dataSetOf(BASE)).patient);
  });

  test('with another sequence is described anew', () => {
    const withItem = (text: string) => {
      const items = [dataSetOf({ 524544: ['SH', text] })];
      const value = Buffer.alloc(0);
      return dataSetOf(BASE, [{ tag: 0x00081032, vr: 'SQ', value, length: 0xffffffff, items }]);
    };
    assert.deepEqual(described(withItem('A')), anew(withItem('A')));
    assert.deepEqual(described(withItem('B')), anew(withItem('B')));
  });

  test('keeps what it remembers when the memory of the first is written over', () => {
    const first = dataSetOf(BASE);
    const { patient } = described(first);
    for (const { value } of first.elements.values()) value.fill(0x41);
    assert.equal(described(dataSetOf(BASE)).patient, patient);
  });
});
