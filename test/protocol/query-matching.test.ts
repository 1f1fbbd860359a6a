// Attribute matching through the wire (PS3.4 §C.2.2.2): which of a few known studies a C-FIND finds.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from '../support/byte-association.ts';
import { type ElementSpec, textOf } from '../support/byte-elements.ts';
import { freshUid } from '../support/byte-pdu.ts';
import {
  find,
  identifier,
  MODELS,
  type Model,
  queryContexts,
  relational,
  TAG,
} from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { MUELLER_SERIES, STUDIES, type StudyName, storeFixture } from '../support/query-fixture.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const ALL: readonly StudyName[] = ['mueller', 'wang', 'smith', 'smithers', 'undated'];
const key = (tag: number, vr: string, value?: string | Buffer): ElementSpec =>
  value === undefined ? { tag, vr } : { tag, vr, value };
const even = (bytes: Buffer): Buffer =>
  bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(' ')]);
const inUtf8 = (text: string): ElementSpec[] => [
  key(TAG.SpecificCharacterSet, 'CS', 'ISO_IR 192'),
  key(TAG.PatientName, 'PN', even(Buffer.from(text, 'utf8'))),
];

/** Name of the matching, keys at STUDY level, and the studies that match. */
const STUDY_MATCHING: readonly (readonly [string, readonly ElementSpec[], readonly StudyName[]])[] = [
  ['C.2.2.2.1 single value: Patient ID', [key(TAG.PatientID, 'LO', 'M-001')], ['mueller']],
  ['C.2.2.2.1 single value: nobody', [key(TAG.PatientID, 'LO', 'M-0')], []],
  ['C.2.2.2.1 single value: Accession Number', [key(TAG.AccessionNumber, 'SH', 'B100')], ['smith']],
  ['C.2.2.2.1 single value: date', [key(TAG.StudyDate, 'DA', '20240215')], ['wang']],
  ['C.2.2.2.1 single value: time', [key(TAG.StudyTime, 'TM', '235959')], ['smith']],
  ['C.2.2.2.1 single value: name, whatever its case', [key(TAG.PatientName, 'PN', 'SMITH^JOHN')], ['smith']],
  ['C.2.2.2.1 single value: a name is not its beginning', [key(TAG.PatientName, 'PN', 'Smith')], []],
  ['C.2.2.2.1 single value: Modalities in Study', [key(TAG.ModalitiesInStudy, 'CS', 'CT')], ['mueller']],
  [
    'C.2.2.2.1 two keys are both to match',
    [key(TAG.ModalitiesInStudy, 'CS', 'XA'), key(TAG.PatientID, 'LO', 'W-002')],
    ['wang'],
  ],
  ['C.2.2.2.1 padding does not count', [key(TAG.PatientID, 'LO', 'M-001   ')], ['mueller']],
  [
    'C.2.2.2.2 list of UID',
    [key(TAG.StudyInstanceUID, 'UI', `${STUDIES.smith}\\${STUDIES.wang}`)],
    ['smith', 'wang'],
  ],
  [
    'C.2.2.2.2 list of UID with a stranger in it',
    [key(TAG.StudyInstanceUID, 'UI', `${freshUid()}\\${STUDIES.wang}`)],
    ['wang'],
  ],
  ['C.2.2.2.2 list of one', [key(TAG.StudyInstanceUID, 'UI', STUDIES.undated)], ['undated']],
  [
    'C.2.2.2.3 universal',
    [key(TAG.PatientID, 'LO'), key(TAG.StudyDate, 'DA'), key(TAG.StudyInstanceUID, 'UI')],
    ALL,
  ],
  ['C.2.2.2.4 wild card * alone is universal', [key(TAG.PatientName, 'PN', '*')], ALL],
  ['C.2.2.2.4 wild card: what begins with', [key(TAG.PatientName, 'PN', 'SMITH*')], ['smith', 'smithers']],
  ['C.2.2.2.4 wild card: what contains', [key(TAG.PatientName, 'PN', '*HERS*')], ['smithers']],
  ['C.2.2.2.4 wild card: what ends with', [key(TAG.PatientName, 'PN', '*^Anna')], ['smithers']],
  ['C.2.2.2.4 wild card: one character', [key(TAG.PatientName, 'PN', 'Sm?th^J?hn')], ['smith']],
  ['C.2.2.2.4 wild card: ? is not nothing', [key(TAG.PatientName, 'PN', 'Smith?^John')], []],
  ['C.2.2.2.4 wild card: in an identifier', [key(TAG.AccessionNumber, 'SH', 'A?00')], ['mueller', 'wang']],
  ['C.2.2.2.4 wild card: in a description', [key(TAG.StudyDescription, 'LO', '*angio*')], ['mueller']],
  [
    'C.2.2.2.4 wild card: per cent and underscore are letters',
    [key(TAG.StudyDescription, 'LO', '100%*')],
    ['smithers'],
  ],
  ['C.2.2.2.4 wild card: per cent alone matches nothing else', [key(TAG.StudyDescription, 'LO', 'C%')], []],
  ['C.2.2.2.4 wild card: no character class', [key(TAG.PatientID, 'LO', '[MS]-00*')], []],
  [
    'C.2.2.2.5 range: both ends belong to it',
    [key(TAG.StudyDate, 'DA', '20231231-20240101')],
    ['smith', 'mueller'],
  ],
  ['C.2.2.2.5 range: until', [key(TAG.StudyDate, 'DA', '-20231231')], ['smith']],
  ['C.2.2.2.5 range: since', [key(TAG.StudyDate, 'DA', '20240216-')], ['smithers']],
  ['C.2.2.2.5 range of times', [key(TAG.StudyTime, 'TM', '080000-121459')], ['mueller', 'smithers']],
  ['C.2.2.2.5 range of times in short forms', [key(TAG.StudyTime, 'TM', '08-0930')], ['mueller', 'smithers']],
  [
    'a letter outside ASCII, in its own character set',
    [
      key(TAG.SpecificCharacterSet, 'CS', 'ISO_IR 100'),
      key(TAG.PatientName, 'PN', even(Buffer.from('MÜLLER*', 'latin1'))),
    ],
    ['mueller'],
  ],
  ['a letter outside ASCII, in another character set', inUtf8('müller^jörg'), ['mueller']],
  ['the ideographic component group', inUtf8('*=王^小东'), ['wang']],
  ['an ideographic name without saying which group', inUtf8('王*'), ['wang']],
  ['the alphabetic group of a name with two', [key(TAG.PatientName, 'PN', 'wang^xiaodong')], ['wang']],
];

describe('attribute matching', () => {
  let folder: TempFolder;
  let daemon: Daemon;
  let querying: ByteAssociation;

  before(async () => {
    folder = await tempFolder('matching');
    daemon = await startDaemon({ dataDir: folder.path });
    await storeFixture(daemon);
    querying = await associate({ relationalIn: [] });
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  function associate(options: {
    relationalIn: readonly Model[];
    syntax?: string;
    extra?: Buffer[];
  }): Promise<ByteAssociation> {
    return ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts(
        'find',
        ['patient', 'study', 'patientStudyOnly'],
        [options.syntax ?? EXPLICIT_LE],
      ),
      extraUserItems: [...relational(options.relationalIn), ...(options.extra ?? [])],
    });
  }

  async function valuesOf(
    association: ByteAssociation,
    model: Model,
    level: string,
    tag: number,
    vr: string,
    keys: readonly ElementSpec[],
  ): Promise<string[]> {
    const asked = keys.some((one) => one.tag === tag) ? keys : [...keys, key(tag, vr)];
    const result = await find(association, model, identifier(level, asked));
    assert.equal(result.status, 0, JSON.stringify(result.final));
    for (const match of result.matches) assert.equal(textOf(match, TAG.QueryRetrieveLevel), level);
    return result.matches.map((match) => textOf(match, tag)).sort();
  }

  const uidsOf = (names: readonly StudyName[]): string[] => names.map((name) => STUDIES[name]).sort();

  for (const [name, keys, expected] of STUDY_MATCHING) {
    test(name, async () => {
      assert.deepEqual(
        await valuesOf(querying, 'study', 'STUDY', TAG.StudyInstanceUID, 'UI', keys),
        uidsOf(expected),
      );
    });
  }

  test('the same in implicit VR', async () => {
    const implicit = await associate({ relationalIn: [], syntax: IMPLICIT_LE });
    for (const [name, keys, expected] of STUDY_MATCHING) {
      assert.deepEqual(
        await valuesOf(implicit, 'study', 'STUDY', TAG.StudyInstanceUID, 'UI', keys),
        uidsOf(expected),
        name,
      );
    }
    await implicit.release();
  });

  test('PATIENT level', async () => {
    assert.deepEqual(await valuesOf(querying, 'patient', 'PATIENT', TAG.PatientID, 'LO', []), [
      'M-001',
      'N-005',
      'S-003',
      'S-004',
      'W-002',
    ]);
    assert.deepEqual(
      await valuesOf(querying, 'patientStudyOnly', 'PATIENT', TAG.PatientID, 'LO', [
        key(TAG.PatientName, 'PN', 'sm*'),
      ]),
      ['S-003', 'S-004'],
    );
  });

  test('STUDY level below a patient, in every model that has it', async () => {
    for (const model of ['patient', 'patientStudyOnly'] as const) {
      assert.deepEqual(
        await valuesOf(querying, model, 'STUDY', TAG.StudyInstanceUID, 'UI', [
          key(TAG.PatientID, 'LO', 'W-002'),
        ]),
        uidsOf(['wang']),
      );
    }
  });

  test('SERIES level: single value and counters', async () => {
    const study = key(TAG.StudyInstanceUID, 'UI', STUDIES.mueller);
    const all = Object.values(MUELLER_SERIES).sort();
    assert.deepEqual(await valuesOf(querying, 'study', 'SERIES', TAG.SeriesInstanceUID, 'UI', [study]), all);
    assert.deepEqual(
      await valuesOf(querying, 'study', 'SERIES', TAG.SeriesInstanceUID, 'UI', [
        study,
        key(TAG.Modality, 'CS', 'CT'),
      ]),
      [MUELLER_SERIES.ct],
    );
    assert.deepEqual(await valuesOf(querying, 'study', 'SERIES', 0x00201209, 'IS', [study]), ['1', '2']);
  });

  test('C.2.2.2.6 sequence: the item is to match, an empty one is universal', async () => {
    const study = key(TAG.StudyInstanceUID, 'UI', STUDIES.mueller);
    const step = (items: ElementSpec['value']): ElementSpec =>
      items === undefined
        ? { tag: TAG.RequestAttributesSequence, vr: 'SQ' }
        : { tag: TAG.RequestAttributesSequence, vr: 'SQ', value: items };
    const seriesWith = (one: ElementSpec) =>
      valuesOf(querying, 'study', 'SERIES', TAG.SeriesInstanceUID, 'UI', [study, one]);
    const all = Object.values(MUELLER_SERIES).sort();
    assert.deepEqual(await seriesWith(step([[key(0x00400009, 'SH', 'SPS7')]])), [MUELLER_SERIES.xa]);
    assert.deepEqual(await seriesWith(step([[key(0x00400009, 'SH', 'SPS*')]])), all);
    assert.deepEqual(await seriesWith(step([[key(0x00400009, 'SH', 'SPS9')]])), []);
    assert.deepEqual(await seriesWith(step([[key(0x00400009, 'SH')]])), all);
    assert.deepEqual(await seriesWith(step(undefined)), all);
  });

  test('IMAGE level', async () => {
    const keys = [
      key(TAG.StudyInstanceUID, 'UI', STUDIES.mueller),
      key(TAG.SeriesInstanceUID, 'UI', MUELLER_SERIES.xa),
    ];
    assert.deepEqual(await valuesOf(querying, 'study', 'IMAGE', TAG.InstanceNumber, 'IS', keys), ['1', '2']);
    assert.deepEqual(
      await valuesOf(querying, 'study', 'IMAGE', TAG.InstanceNumber, 'IS', [
        ...keys,
        key(TAG.InstanceNumber, 'IS', '2'),
      ]),
      ['2'],
    );
  });

  test('relational queries, when negotiated, need no keys above their level (PS3.4 C.4.1.2.2.2)', async () => {
    const association = await associate({ relationalIn: ['patient', 'study'] });
    for (const model of ['patient', 'study'] as const) {
      assert.equal(association.peer.extended.get(MODELS[model].find)?.[0], 1);
      assert.deepEqual(
        await valuesOf(association, model, 'SERIES', TAG.SeriesInstanceUID, 'UI', [
          key(TAG.Modality, 'CS', 'CT'),
        ]),
        [MUELLER_SERIES.ct],
      );
      assert.deepEqual(
        await valuesOf(association, model, 'IMAGE', TAG.InstanceNumber, 'IS', [
          key(TAG.PatientName, 'PN', 'M*'),
        ]),
        ['1', '1', '2'],
      );
    }
    await association.release();
  });

  test('combined date and time, when negotiated (PS3.4 C.2.2.2.5)', async () => {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('find', ['study']),
      extraUserItems: [relationalAndDateTime()],
    });
    assert.equal(association.peer.extended.get(MODELS.study.find)?.[1], 1);
    const keys = [key(TAG.StudyDate, 'DA', '20231231-20240101'), key(TAG.StudyTime, 'TM', '235900-075959')];
    assert.deepEqual(
      await valuesOf(association, 'study', 'STUDY', TAG.StudyInstanceUID, 'UI', keys),
      uidsOf(['smith']),
    );
    const later = [key(TAG.StudyDate, 'DA', '20231231-20240101'), key(TAG.StudyTime, 'TM', '235900-080000')];
    assert.deepEqual(
      await valuesOf(association, 'study', 'STUDY', TAG.StudyInstanceUID, 'UI', later),
      uidsOf(['smith', 'mueller']),
    );
    await association.release();
  });

  test('every requested attribute is in the answer, with a value or without (PS3.4 C.4.1.1.3.2)', async () => {
    const keys = [
      key(TAG.StudyInstanceUID, 'UI', STUDIES.smith),
      key(TAG.PatientName, 'PN'),
      key(TAG.StudyDescription, 'LO'),
      key(TAG.AccessionNumber, 'SH'),
      key(TAG.PatientBirthDate, 'DA'),
      key(0x00101000, 'LO'),
    ];
    const { matches } = await find(querying, 'study', identifier('STUDY', keys));
    assert.equal(matches.length, 1);
    assert.deepEqual(
      [TAG.PatientName, TAG.StudyDescription, TAG.AccessionNumber, TAG.PatientBirthDate].map((tag) =>
        textOf(matches[0]!, tag),
      ),
      ['Smith^John', 'Renal', 'B100', '19700101'],
    );
    for (const tag of matches[0]!.keys())
      assert.ok(
        tag === TAG.SpecificCharacterSet || tag >>> 16 === 8 || keys.some((one) => one.tag === tag),
        `unasked ${tag.toString(16)}`,
      );
    const tags = [...matches[0]!.keys()];
    assert.deepEqual(
      tags,
      tags.toSorted((a, b) => a - b),
      'in tag order (PS3.5 §7.1)',
    );
  });
});

function relationalAndDateTime(): Buffer {
  const [item] = relational(['study']);
  assert.ok(item);
  item.writeUInt8(1, item.length - 3);
  return item;
}
