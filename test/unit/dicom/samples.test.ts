// Real files: every head is read, and says what DCMTK's dcmdump says; broken ones end in a DicomError or a good read.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import type { DataSet } from '../../../src/dicom/data-set.ts';
import { readDataSet } from '../../../src/dicom/data-set-reader.ts';
import { encodeDataSet } from '../../../src/dicom/data-set-writer.ts';
import { type DicomJson, type JsonValue, toDicomJson } from '../../../src/dicom/dicom-json.ts';
import { tagOf } from '../../../src/dicom/dictionary.ts';
import { DicomError } from '../../../src/dicom/errors.ts';
import { encodeFileHead } from '../../../src/dicom/file-meta.ts';
import { readForeignHead } from '../../../src/dicom/foreign-head.ts';
import { PIXEL_DATA, tagKey } from '../../../src/dicom/tag.ts';
import { samplePath, samples } from '../../support/samples.ts';
import { EXPLICIT } from './bytes.ts';

const KEYWORDS = [
  'SpecificCharacterSet',
  'SOPClassUID',
  'SOPInstanceUID',
  'StudyDate',
  'Modality',
  'PatientName',
  'PatientID',
  'StudyInstanceUID',
  'SeriesInstanceUID',
  'InstanceNumber',
  'Rows',
  'NumberOfFrames',
];
const TAGS = KEYWORDS.map((keyword) => tagOf(keyword) ?? 0);
const HEAD_BYTES = 64 << 10;

function readHead(file: string): { dataSet: DataSet; transferSyntaxUid: string } {
  const bytes = readFileSync(file);
  const head = readForeignHead(bytes.subarray(0, HEAD_BYTES));
  if (head === 'more') throw new Error(`${file}: more head than ${HEAD_BYTES} bytes`);
  const { transferSyntaxUid } = head.meta;
  const dataSet = bytes.subarray(head.dataSetOffset);
  // As the archive does it: from the beginning, with more bytes while more are wanted.
  for (let length = 4096; ; ) {
    const complete = length >= dataSet.length;
    const options = { transferSyntaxUid, complete, stopBefore: PIXEL_DATA };
    const result = readDataSet(complete ? dataSet : dataSet.subarray(0, length), options);
    if (result.done) return { dataSet: result.dataSet, transferSyntaxUid };
    length = Math.max(result.wantedBytes, 2 * length);
  }
}

// Top-level values by tag, as dcmdump prints them; undefined for files that it cannot read.
function dump(files: readonly string[]): Map<string, Map<string, string>> {
  const search = TAGS.flatMap((tag) => ['+P', `${tagKey(tag).slice(0, 4)},${tagKey(tag).slice(4)}`]);
  const { stdout } = spawnSync('dcmdump', ['-q', '-M', '-Un', '+L', '+F', '+p', ...search, ...files], {
    encoding: 'latin1',
    maxBuffer: 64 << 20,
  });
  const dumps = new Map<string, Map<string, string>>();
  for (const section of stdout.split(/^# dcmdump \([0-9]+\/[0-9]+\): /m).slice(1)) {
    const [file = '', ...lines] = section.split('\n');
    const values = new Map<string, string>();
    for (const line of lines) {
      // Lines of items begin with the tag of their sequence and a dot.
      const [, group, element, value] =
        /^\(([0-9a-f]{4}),([0-9a-f]{4})\) (.. .*?) +# +[0-9]+, *[0-9]+ /.exec(line) ?? [];
      if (group !== undefined && value !== undefined) values.set(`${group}${element}`.toUpperCase(), value);
    }
    if (values.size > 0) dumps.set(file, values);
  }
  return dumps;
}

// Of "VR value": text is in brackets, bytes (an attribute sent as UN) are hexadecimal, the rest is as it is.
function dumpedText(dumped = ''): string {
  const value = dumped.slice(3);
  if (value.startsWith('(no value')) return '';
  if (dumped.startsWith('UN'))
    return Buffer.from(value.replaceAll('\\', ''), 'hex').toString('latin1').replaceAll('\0', '').trim();
  return (/^\[(.*)\]$/s.exec(value)?.[1] ?? value).trim();
}

function textOf(dataSet: DataSet, tag: number, isNumber: boolean): string {
  if (isNumber) return String(dataSet.number(tag));
  const text = dataSet.elements.get(tag)?.value.toString('latin1') ?? '';
  return text.replaceAll('\0', '').trim();
}

describe('every readable sample', () => {
  const readable = samples().filter(({ path }) => !path.startsWith('malformed/'));
  const dumps = dump(readable.map(({ file }) => file));

  test('DCMTK has read them', () => {
    assert.ok(dumps.size > readable.length - 10, `only ${dumps.size} of ${readable.length}`);
  });

  for (const folder of new Set(
    readable.map(({ path }) =>
      path
        .split('/')
        .slice(0, 2)
        .join('/')
        .replace(/\.dcm$/, ''),
    ),
  )) {
    const members = readable.filter(({ path }) => path.replace(/\.dcm$/, '').startsWith(folder));
    test(folder, () => {
      for (const { file, path, transferSyntax } of members) {
        const { dataSet, transferSyntaxUid } = readHead(file);
        const named = /\[([0-9.]+)\]$/.exec(transferSyntax)?.[1];
        if (named !== undefined) assert.equal(transferSyntaxUid, named, path);
        const theirs = dumps.get(file);
        if (theirs === undefined) continue;
        for (const tag of TAGS) {
          const dumped = theirs.get(tagKey(tag));
          const text = textOf(dataSet, tag, dumped?.startsWith('US') === true);
          assert.equal(text, dumpedText(dumped), `${path} ${tagKey(tag)}`);
        }
      }
    });
  }
});

describe('names in charsets/ are the ones that their authors meant', () => {
  const names: Record<string, JsonValue> = {
    chrArab: { Alphabetic: 'قباني^لنزار' },
    chrFren: { Alphabetic: 'Buc^Jérôme' },
    chrFrenMulti: { Alphabetic: 'Buc^Jérôme' },
    chrGB2312: { Alphabetic: 'Zhang^XiaoDong', Ideographic: '张^小东' },
    chrGerm: { Alphabetic: 'Äneas^Rüdiger' },
    chrGreek: { Alphabetic: 'Διονυσιος' },
    chrH31: { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
    chrH32: { Alphabetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' },
    chrHbrw: { Alphabetic: 'שרון^דבורה' },
    chrI2: { Alphabetic: 'Hong^Gildong', Ideographic: '洪^吉洞', Phonetic: '홍^길동' },
    chrJapMulti: { Alphabetic: 'やまだ^たろう' },
    chrJapMultiExplicitIR6: { Alphabetic: 'やまだ^たろう' },
    chrKoreanMulti: { Alphabetic: '김희중' },
    chrRuss: { Alphabetic: 'Люкceмбypг' },
    chrX1: { Alphabetic: 'Wang^XiaoDong', Ideographic: '王^小東' },
    chrX2: { Alphabetic: 'Wang^XiaoDong', Ideographic: '王^小东' },
  };
  for (const [file, name] of Object.entries(names)) {
    test(file, () => {
      const { dataSet } = readHead(samplePath(`charsets/${file}.dcm`));
      assert.deepEqual(toDicomJson(dataSet)['00100010']?.Value, [name]);
    });
  }

  test('chrSQEncoding: an item with a character set of its own', () => {
    const name = { Alphabetic: 'ﾔﾏﾀﾞ^ﾀﾛｳ', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' };
    for (const file of ['chrSQEncoding', 'chrSQEncoding1']) {
      const { dataSet } = readHead(samplePath(`charsets/${file}.dcm`));
      const [item] = toDicomJson(dataSet)['00321064']?.Value ?? [];
      assert.deepEqual((item as DicomJson)['00100010']?.Value, [name], file);
    }
  });
});

describe('malformed/ gives a DicomError or a good read, never anything else', () => {
  const UNREADABLE = ['malformed/GH179B.dcm', 'malformed/no_meta.dcm', 'malformed/rtplan_truncated.dcm'];

  for (const { path, file } of samples('malformed/')) {
    test(path, () => {
      try {
        const { dataSet } = readHead(file);
        toDicomJson(dataSet);
        assert.ok(!UNREADABLE.includes(path), 'was thought to be unreadable');
        assert.ok(dataSet.elements.size > 0);
      } catch (error) {
        assert.ok(error instanceof DicomError, String(error));
        assert.ok(UNREADABLE.includes(path), error.message);
      }
    });
  }

  const uids: [string, string][] = [
    ['malformed/GH177_D_CLUNIE_CT1_IVRLE_BigEndian_undefined_length.dcm', 'StudyInstanceUID'],
    ['malformed/FreezePattern.dcm', 'StudyInstanceUID'],
    ['malformed/GH364.dcm', 'SOPInstanceUID'],
    ['malformed/MR_truncated.dcm', 'SOPInstanceUID'],
    ['malformed/badVR.dcm', 'SOPInstanceUID'],
    ['malformed/CTImageStorage_bad_meta.dcm', 'SOPInstanceUID'],
    ['malformed/Issue1097_FailToOpenDeflatedFileWithSQ.dcm', 'SOPInstanceUID'],
    ['malformed/OT-PAL-8-face.dcm', 'SOPInstanceUID'],
  ];
  for (const [path, keyword] of uids) {
    test(`${path} can be told apart from others by its ${keyword}`, () => {
      assert.ok(readHead(samplePath(path)).dataSet.string(tagOf(keyword) ?? 0));
    });
  }
});

describe('every sample that is read', () => {
  test('says the same when its attributes are encoded and read again', () => {
    let compared = 0;
    for (const { file, path } of samples().filter((sample) => !sample.path.startsWith('series/'))) {
      const before = attributesOf(file);
      if (before === undefined) continue;
      const bytes = encodeDataSet(before, { transferSyntaxUid: EXPLICIT, characterSets: ['ISO_IR 192'] });
      const result = readDataSet(bytes, { transferSyntaxUid: EXPLICIT, complete: true });
      assert.ok(result.done);
      assert.deepEqual(withoutCharacterSets(toDicomJson(result.dataSet)), withoutCharacterSets(before), path);
      compared += 1;
    }
    assert.ok(compared > 150);
  });
});

function attributesOf(file: string): DicomJson | undefined {
  try {
    return toDicomJson(readHead(file).dataSet);
  } catch (error) {
    if (error instanceof DicomError) return undefined;
    throw error;
  }
}

function withoutCharacterSets(json: DicomJson): DicomJson {
  const { '00080005': _, ...others } = json;
  for (const [key, element] of Object.entries(others)) {
    if (element.vr !== 'SQ' || element.Value === undefined) continue;
    others[key] = { vr: 'SQ', Value: element.Value.map((item) => withoutCharacterSets(item as DicomJson)) };
  }
  return others;
}

test('DCMTK reads what we encode', () => {
  const json: DicomJson = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.7'] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Yamada', Ideographic: '山田' }] },
    '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3'] } }, {}] },
    '00280009': { vr: 'AT', Value: ['00181063'] },
    '00280010': { vr: 'US', Value: [512] },
  };
  for (const transferSyntaxUid of [
    '1.2.840.10008.1.2',
    EXPLICIT,
    '1.2.840.10008.1.2.2',
    '1.2.840.10008.1.2.1.99',
  ]) {
    const sopClassUid = '1.2.840.10008.5.1.4.1.1.7';
    const head = encodeFileHead({ sopClassUid, sopInstanceUid: '1.2.3', transferSyntaxUid });
    const dataSet = encodeDataSet(json, { transferSyntaxUid, characterSets: ['GB18030'] });
    const input = Buffer.concat([head.bytes, dataSet]);
    const text = execFileSync('dcmdump', ['+U8', '-Un', '-'], { input, encoding: 'utf8' });
    for (const line of [
      /^\(0010,0010\) PN \[Yamada=山田\]/m,
      /^ {4}\(0008,1155\) UI \[1\.2\.3\]/m,
      /^\(0028,0009\) AT \(0018,1063\)/m,
      /^\(0028,0010\) US 512 /m,
    ]) {
      assert.match(text, line, transferSyntaxUid);
    }
  }
});
