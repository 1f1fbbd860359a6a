// The attributes that the catalogue keeps (PS3.4 §C.6) against the data dictionary (PS3.6).

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  attributeGroups,
  KEPT_ATTRIBUTES,
  KEPT_KEYWORDS,
  KEPT_TAGS,
  levelOf,
  TAG,
} from '../../../src/catalog/attributes.ts';
import { keywordOf, vrOf } from '../../../src/dicom/dictionary.ts';
import { tagKey } from '../../../src/dicom/tag.ts';
import { pn, text } from '../../support/catalog-generator.ts';

describe('kept attributes', () => {
  test('every tag carries its keyword in PS3.6', () => {
    for (const group of Object.values(KEPT_KEYWORDS)) {
      for (const [keyword, tag] of Object.entries(group)) assert.equal(keywordOf(tag), keyword, tagKey(tag));
    }
  });

  test('computed attributes carry their keywords in PS3.6', () => {
    for (const [keyword, key] of Object.entries(TAG))
      assert.equal(keywordOf(Number.parseInt(key, 16)), keyword);
  });

  test('no attribute is on two levels', () => {
    const sizes = Object.values(KEPT_ATTRIBUTES).map((tags) => tags.size);
    assert.equal(
      KEPT_TAGS.size,
      sizes.reduce((sum, size) => sum + size, 0),
    );
  });

  test('no attribute is of a bulk VR', () => {
    for (const tag of KEPT_TAGS) assert.doesNotMatch(vrOf(tag), /^(OB|OW|OF|OD|OL|OV|UN)$/, tagKey(tag));
  });

  test('unique and required keys of every level are kept (PS3.4 Tables C.6-1 to C.6-5)', () => {
    const required = {
      PATIENT: ['PatientName', 'PatientID'],
      STUDY: ['StudyDate', 'StudyTime', 'AccessionNumber', 'StudyID', 'StudyInstanceUID'],
      SERIES: ['Modality', 'SeriesNumber', 'SeriesInstanceUID'],
      IMAGE: ['InstanceNumber', 'SOPInstanceUID'],
    };
    for (const [level, keywords] of Object.entries(required)) {
      for (const keyword of keywords) assert.equal(levelOf(TAG[keyword as keyof typeof TAG]), level, keyword);
    }
  });
});

describe('attributeGroups', () => {
  test('splits by level and leaves out the rest', () => {
    const groups = attributeGroups({
      '00080005': text('CS', 'ISO_IR 192'),
      '00100010': pn('WANG^X'),
      '00100020': text('LO', ' 7 '),
      '0020000D': text('UI', '1.2.3'),
      '0020000E': text('UI', '1.2.4'),
      '00080018': text('UI', '1.2.5'),
      '00080016': text('UI', '1.2.6'),
      '00091001': text('LO', 'private'),
    });
    assert.deepEqual(groups, {
      patient: {
        id: '7',
        issuer: '',
        attributes: { '00100010': pn('WANG^X'), '00100020': text('LO', ' 7 ') },
      },
      study: { uid: '1.2.3', attributes: { '0020000D': text('UI', '1.2.3') } },
      series: { uid: '1.2.4', attributes: { '0020000E': text('UI', '1.2.4') } },
      instance: {
        uid: '1.2.5',
        sopClassUid: '1.2.6',
        attributes: { '00080018': text('UI', '1.2.5'), '00080016': text('UI', '1.2.6') },
      },
    });
  });

  test('a data set without identity has empty identifiers', () => {
    const { patient, study } = attributeGroups({});
    assert.deepEqual([patient.id, patient.issuer, study.uid], ['', '', '']);
  });
});
