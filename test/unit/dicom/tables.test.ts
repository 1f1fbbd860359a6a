// UIDs, transfer syntaxes, SOP classes, dictionary, VRs: the tables of PS3.5 and PS3.6.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeTag, isUsOrSs, keywordOf, tagOf, vrOf } from '../../../src/dicom/dictionary.ts';
import {
  isStorageSopClass,
  PATIENT_ROOT_FIND,
  STORAGE_SOP_CLASSES,
  sopClassName,
} from '../../../src/dicom/sop-class.ts';
import { isPrivateTag, tagKey, tagOfKey } from '../../../src/dicom/tag.ts';
import { TRANSFER_SYNTAXES, transferSyntax } from '../../../src/dicom/transfer-syntax.ts';
import {
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  isUid,
  newUid,
} from '../../../src/dicom/uid.ts';
import { isVr, vrInfo, vrOfBytes } from '../../../src/dicom/vr.ts';
import { samples } from '../../support/samples.ts';

describe('UIDs (PS3.5 §9.1)', () => {
  test('digits in components separated by dots, at most 64 characters', () => {
    for (const uid of ['1', '1.2.840.10008.1.2', '0.0', '9'.repeat(64)]) assert.equal(isUid(uid), true, uid);
    const wrong = [
      '',
      '.',
      '1.',
      '.1',
      '1..2',
      '1.2 ',
      '1.2\0',
      '1.a',
      '../1',
      '1/2',
      '1\\2',
      '9'.repeat(65),
      '1.2\n',
    ];
    for (const uid of wrong) assert.equal(isUid(uid), false, JSON.stringify(uid));
  });

  test('Deviation: leading zeros are accepted', () => {
    assert.equal(isUid('1.2.020240101.007'), true);
  });

  test('new ones are valid, different, and below 2.25 (PS3.5 §B.2)', () => {
    const uids = Array.from({ length: 200 }, newUid);
    assert.equal(new Set(uids).size, uids.length);
    for (const uid of uids) {
      assert.ok(isUid(uid), uid);
      assert.match(uid, /^2\.25\.[1-9][0-9]*$/);
    }
  });

  test('our implementation identity fits its fields (PS3.7 §D.3.3.2)', () => {
    assert.ok(isUid(IMPLEMENTATION_CLASS_UID));
    assert.ok(IMPLEMENTATION_VERSION_NAME.length <= 16);
  });
});

describe('transfer syntaxes (PS3.5 Annex A)', () => {
  test('each UID once, each a UID', () => {
    const uids = TRANSFER_SYNTAXES.map(({ uid }) => uid);
    assert.equal(new Set(uids).size, uids.length);
    assert.ok(uids.every(isUid));
  });

  test('the uncompressed ones', () => {
    const encodingOf = (uid: string): unknown => {
      const { explicit, bigEndian, deflated, encapsulated, lossy } = transferSyntax(uid);
      return [explicit, bigEndian, deflated, encapsulated, lossy];
    };
    assert.deepEqual(encodingOf('1.2.840.10008.1.2'), [false, false, false, false, 'never']);
    assert.deepEqual(encodingOf('1.2.840.10008.1.2.1'), [true, false, false, false, 'never']);
    assert.deepEqual(encodingOf('1.2.840.10008.1.2.1.99'), [true, false, true, false, 'never']);
    assert.deepEqual(encodingOf('1.2.840.10008.1.2.2'), [true, true, false, false, 'never']);
    assert.deepEqual(encodingOf('1.2.840.113619.5.2'), [false, false, false, false, 'never']);
  });

  test('what compression may have changed', () => {
    const lossy = (suffix: string): string => transferSyntax(`1.2.840.10008.1.2${suffix}`).lossy;
    for (const suffix of [
      '.4.57',
      '.4.70',
      '.4.80',
      '.4.90',
      '.4.92',
      '.4.110',
      '.4.201',
      '.4.202',
      '.5',
      '.8.1',
    ]) {
      assert.equal(lossy(suffix), 'never', suffix);
    }
    for (const suffix of ['.4.91', '.4.93', '.4.112', '.4.203']) assert.equal(lossy(suffix), 'maybe', suffix);
    for (const suffix of ['.4.50', '.4.51', '.4.81', '.4.102', '.4.107', '.4.111']) {
      assert.equal(lossy(suffix), 'always', suffix);
    }
  });

  test('an unknown one is explicit little endian with fragments, of unknown loss (PS3.5 §A.4)', () => {
    const { uid, explicit, bigEndian, deflated, encapsulated, lossy } =
      transferSyntax('1.3.46.670589.33.1.4.1');
    assert.equal(uid, '1.3.46.670589.33.1.4.1');
    assert.deepEqual(
      [explicit, bigEndian, deflated, encapsulated, lossy],
      [true, false, false, true, 'maybe'],
    );
  });

  test('every registered one among the samples is known by name', () => {
    for (const sample of samples()) {
      const uid = /\[([0-9.]+)\]$/.exec(sample.transferSyntax)?.[1];
      if (uid !== undefined) assert.notEqual(transferSyntax(uid).name, uid, sample.path);
    }
  });
});

describe('SOP classes (PS3.6 Table A-1)', () => {
  test('each UID once, each a UID, each with a name', () => {
    const uids = STORAGE_SOP_CLASSES.map(({ uid }) => uid);
    assert.equal(new Set(uids).size, uids.length);
    assert.ok(uids.every(isUid));
    assert.ok(STORAGE_SOP_CLASSES.every(({ name }) => / Storage($| - )/.test(name)));
  });

  test('those of an angiography suite', () => {
    const names = {
      '1.2.840.10008.5.1.4.1.1.12.1': 'X-Ray Angiographic Image Storage',
      '1.2.840.10008.5.1.4.1.1.12.1.1': 'Enhanced XA Image Storage',
      '1.2.840.10008.5.1.4.1.1.12.2': 'X-Ray Radiofluoroscopic Image Storage',
      '1.2.840.10008.5.1.4.1.1.13.1.1': 'X-Ray 3D Angiographic Image Storage',
      '1.2.840.10008.5.1.4.1.1.7': 'Secondary Capture Image Storage',
      '1.2.840.10008.5.1.4.1.1.88.67': 'X-Ray Radiation Dose SR Storage',
      '1.2.840.10008.5.1.4.1.1.1.1': 'Digital X-Ray Image Storage - For Presentation',
      '1.2.840.10008.5.1.4.1.1.2': 'CT Image Storage',
    };
    for (const [uid, name] of Object.entries(names)) {
      assert.equal(isStorageSopClass(uid), true);
      assert.equal(sopClassName(uid), name);
    }
  });

  test('retired ones are there and marked', () => {
    const biPlane = STORAGE_SOP_CLASSES.find(({ uid }) => uid === '1.2.840.10008.5.1.4.1.1.12.3');
    assert.equal(biPlane?.retired, true);
    assert.equal(STORAGE_SOP_CLASSES.find(({ uid }) => uid.endsWith('.12.1'))?.retired, false);
  });

  test('services and unknown ones are not for storing', () => {
    assert.equal(isStorageSopClass(PATIENT_ROOT_FIND), false);
    assert.match(sopClassName(PATIENT_ROOT_FIND), /FIND/);
    assert.equal(isStorageSopClass('1.3.12.2.1107.5.9.1'), false);
    assert.equal(sopClassName('1.3.12.2.1107.5.9.1'), '1.3.12.2.1107.5.9.1');
  });
});

describe('data dictionary (PS3.6)', () => {
  const cases: [number, string, string | undefined][] = [
    [0x00080005, 'CS', 'SpecificCharacterSet'],
    [0x00100010, 'PN', 'PatientName'],
    [0x0020000d, 'UI', 'StudyInstanceUID'],
    [0x00280010, 'US', 'Rows'],
    [0x00280106, 'US', 'SmallestImagePixelValue'],
    [0x7fe00010, 'OW', 'PixelData'],
    [0x00081140, 'SQ', 'ReferencedImageSequence'],
    [0x00660040, 'OL', 'LongPrimitivePointIndexList'],
    [0xfffcfffc, 'OB', 'DataSetTrailingPadding'],
    [0x60003000, 'OW', 'OverlayData'],
    [0x601e3000, 'OW', 'OverlayData'],
    [0x60010010, 'LO', undefined],
    [0x00090010, 'LO', undefined],
    [0x00091001, 'UN', undefined],
    [0x00080000, 'UL', undefined],
    [0x00080003, 'UN', undefined],
  ];
  for (const [tag, vr, keyword] of cases) {
    test(`${tagKey(tag)} is ${vr} ${keyword ?? 'without a keyword'}`, () => {
      assert.equal(vrOf(tag), vr);
      if (keyword !== undefined) assert.equal(keywordOf(tag), keyword);
    });
  }

  test('keywords lead to tags, retired ones without a prefix', () => {
    assert.equal(tagOf('PatientName'), 0x00100010);
    assert.equal(tagOf('OtherPatientIDs'), 0x00101000);
    assert.equal(tagOf('DestinationAE'), 0x21000140);
    assert.equal(tagOf('OverlayData'), 0x60003000);
    assert.equal(tagOf('NoSuchKeyword'), undefined);
  });

  test('US or SS is known to be a choice', () => {
    assert.equal(isUsOrSs(0x00280106), true);
    assert.equal(isUsOrSs(0x00280010), false);
  });

  test('no VR outside PS3.5 §6.2 comes out', () => {
    for (const tag of [0x00280106, 0x7fe00010, 0x54001010, 0x00283006, 0x00041220, 0xfffee000, 0x00189810]) {
      assert.ok(isVr(vrOf(tag)), `${describeTag(tag)} is ${vrOf(tag)}`);
    }
  });

  test('tags are described for people', () => {
    assert.equal(describeTag(0x0020000d), '(0020,000D) StudyInstanceUID');
    assert.equal(describeTag(0x00091001), '(0009,1001)');
  });
});

describe('tags and VRs (PS3.5 §6.2, §7.1)', () => {
  test('tags are written as eight hexadecimal digits and read back (PS3.18 §F.2.2)', () => {
    assert.equal(tagKey(0x0020000d), '0020000D');
    assert.equal(tagKey(0xfffcfffc), 'FFFCFFFC');
    assert.equal(tagOfKey('fffcfffc'), 0xfffcfffc);
    for (const wrong of ['', '0020000', '0020000D0', '0020-00D', 'PatientN', '__proto__']) {
      assert.equal(tagOfKey(wrong), undefined);
    }
  });

  test('odd groups are private', () => {
    assert.equal(isPrivateTag(0x00091001), true);
    assert.equal(isPrivateTag(0xfffdfffc), true);
    assert.equal(isPrivateTag(0x00100010), false);
  });

  test('which VRs have long headers (PS3.5 Table 7.1-1)', () => {
    const long = 'OB OD OF OL OV OW SQ SV UC UN UR UT UV'.split(' ');
    const short = 'AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US'.split(' ');
    for (const name of long) assert.equal(vrInfo(name).longHeader, true, name);
    for (const name of short) assert.equal(vrInfo(name).longHeader, false, name);
  });

  test('two bytes make a VR or none', () => {
    assert.equal(vrOfBytes(0x50, 0x4e)?.name, 'PN');
    for (const [first, second] of [
      [0, 0],
      [0x5a, 0x5a],
      [0x3f, 0x3f],
      [0x70, 0x6e],
      [0x41, 0xff],
      [0x5b, 0x41],
    ] as const) {
      assert.equal(vrOfBytes(first, second), undefined);
    }
  });
});
