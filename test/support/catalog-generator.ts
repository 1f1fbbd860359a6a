// Made-up archives for the catalogue's tests and measurements: the same seed gives the same archive.

import { createHash } from 'node:crypto';
import { attributeGroups } from '../../src/catalog/attributes.ts';
import type { InstanceRecord } from '../../src/catalog/catalog.ts';
import type { DicomJson, JsonElement, JsonValue } from '../../src/dicom/dicom-json.ts';

export interface InstanceOptions {
  /** DICOM JSON elements over those that are made up, e.g. `{ '00100010': pn('WANG^X') }`. */
  readonly attributes?: DicomJson;
  readonly receivedAt?: string;
  /** Tells contents of one UID apart. */
  readonly content?: string;
  readonly fileBytes?: number;
  readonly supersededPath?: string;
}

/** One record of an instance, described by the ends of its UIDs; everything else has a plain default. */
export function instanceRecord(
  study: string | number,
  series: string | number,
  instance: string | number,
  options: InstanceOptions = {},
): InstanceRecord {
  const studyUid = `1.2.826.1.${study}`;
  const seriesUid = `${studyUid}.${series}`;
  const uid = `${seriesUid}.${instance}`;
  const json: DicomJson = {
    '00080016': text('UI', '1.2.840.10008.5.1.4.1.1.12.1'),
    '00080018': text('UI', uid),
    '00080020': text('DA', '20240131'),
    '00080060': text('CS', 'XA'),
    '00100010': pn(`PATIENT^${study}`),
    '00100020': text('LO', `P${study}`),
    '0020000D': text('UI', studyUid),
    '0020000E': text('UI', seriesUid),
    '00200013': { vr: 'IS', Value: [Number(instance) || 1] },
    ...options.attributes,
  };
  return recordOf(json, options);
}

/** A record of these attributes, with a made-up place on the volume. */
export function recordOf(json: DicomJson, options: Omit<InstanceOptions, 'attributes'> = {}): InstanceRecord {
  const groups = attributeGroups(json);
  const content = options.content ?? 'first';
  return {
    ...groups,
    location: {
      path: `studies/${groups.study.uid}/${groups.series.uid}/${groups.instance.uid}.dcm`,
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      sha256: createHash('sha256').update(`${groups.instance.uid} ${content}`).digest('hex'),
      dataSetBytes: 700,
      dataSetOffset: 300,
      fileBytes: options.fileBytes ?? 1000,
      receivedAt: options.receivedAt ?? '2024-01-31T08:00:00.000Z',
      sourceAeTitle: 'DSA1',
    },
    ...(options.supersededPath !== undefined && { supersededPath: options.supersededPath }),
  };
}

export function text(vr: string, ...values: JsonValue[]): JsonElement {
  return { vr, Value: values };
}

/** A person name as it stands in a data set: component groups separated by '='. */
export function pn(...names: string[]): JsonElement {
  return {
    vr: 'PN',
    Value: names.map((name) => {
      const [alphabetic, ideographic, phonetic] = name.split('=');
      return {
        ...(alphabetic && { Alphabetic: alphabetic }),
        ...(ideographic && { Ideographic: ideographic }),
        ...(phonetic && { Phonetic: phonetic }),
      };
    }),
  };
}

export interface ArchiveShape {
  readonly studies: number;
  readonly seriesPerStudy?: number;
  readonly instancesPerSeries?: number;
  readonly seed?: number;
  /** Studies come one after the other over so many days before 2026, as they do to an archive. */
  readonly days?: number;
}

const SURNAMES = 'WANG LI ZHANG LIU CHEN YANG ZHAO HUANG ZHOU WU XU SUN MULLER GARCIA TANAKA KIM SMITH'.split(
  ' ',
);
const GIVEN = 'WEI FANG NA MIN JING LEI YAN JUAN QIANG LAN ANNA PETER YUKI JISOO MARIA HANS'.split(' ');
const HAN_SURNAMES = [...'王李张刘陈杨赵黄周吴徐孙'];
const HAN_GIVEN = [...'伟芳娜敏静磊艳娟强兰军洋勇杰涛'];
const MODALITIES = ['XA', 'XA', 'XA', 'XA', 'CT', 'MR', 'RF', 'US'];
const SOP_CLASSES: Readonly<Record<string, string>> = {
  XA: '1.2.840.10008.5.1.4.1.1.12.1',
  RF: '1.2.840.10008.5.1.4.1.1.12.2',
  CT: '1.2.840.10008.5.1.4.1.1.2',
  MR: '1.2.840.10008.5.1.4.1.1.4',
  US: '1.2.840.10008.5.1.4.1.1.6.1',
};

/** What a query needs to find study number `study` of a generated archive. */
export interface StudyFacts {
  readonly uid: string;
  readonly patientId: string;
  readonly name: string;
  readonly date: string;
  readonly accession: string;
  readonly modality: string;
}

export function studyFacts(shape: ArchiveShape, study: number): StudyFacts {
  const random = randomOf(`${shape.seed ?? 1} study ${study}`);
  // Two studies per patient.
  const patient = Math.floor(study / 2);
  const who = randomOf(`${shape.seed ?? 1} patient ${patient}`);
  const surname = who(SURNAMES.length);
  const name = `${SURNAMES[surname]}^${GIVEN[who(GIVEN.length)]} ${patient}=${HAN_SURNAMES[surname % HAN_SURNAMES.length]}^${HAN_GIVEN[who(15)]}${HAN_GIVEN[who(15)]}`;
  const days = shape.days ?? 3650;
  // Some arrive days later.
  const age = days - 1 - Math.floor((study / shape.studies) * days) + Math.floor(random(16) / 13) * random(4);
  const day = new Date(Date.UTC(2025, 11, 31) - age * 86_400_000);
  return {
    uid: `1.2.826.0.1.3680043.2.1125.${shape.seed ?? 1}.${study}`,
    patientId: `PID${String(patient).padStart(8, '0')}`,
    name,
    date: day.toISOString().slice(0, 10).replaceAll('-', ''),
    accession: `A${String(study).padStart(9, '0')}`,
    modality: MODALITIES[random(MODALITIES.length)] as string,
  };
}

/** All records of an archive, study after study. */
export function* archiveRecords(shape: ArchiveShape): Generator<InstanceRecord> {
  for (let study = 0; study < shape.studies; study++) {
    const facts = studyFacts(shape, study);
    for (let series = 1; series <= (shape.seriesPerStudy ?? 2); series++) {
      for (let instance = 1; instance <= (shape.instancesPerSeries ?? 5); instance++) {
        yield studyRecord(facts, study, series, instance);
      }
    }
  }
}

/** The record of one instance of study number `study`. */
export function studyRecord(
  facts: StudyFacts,
  study: number,
  series: number,
  instance: number,
): InstanceRecord {
  const seriesUid = `${facts.uid}.${series}`;
  const [date, time] = [
    facts.date,
    `${String(8 + (study % 10)).padStart(2, '0')}${String(study % 60).padStart(2, '0')}00`,
  ];
  return recordOf({
    '00080008': text('CS', 'ORIGINAL', 'PRIMARY', 'SINGLE PLANE'),
    '00080016': text('UI', SOP_CLASSES[facts.modality] as string),
    '00080018': text('UI', `${seriesUid}.${instance}`),
    '00080020': text('DA', date),
    '00080021': text('DA', date),
    '00080022': text('DA', date),
    '00080023': text('DA', date),
    '00080030': text('TM', time),
    '00080031': text('TM', time),
    '00080033': text('TM', time),
    '00080050': text('SH', facts.accession),
    '00080060': text('CS', facts.modality),
    '00080070': text('LO', 'ANGIO WORKS'),
    '00080080': text('LO', 'CENTRAL HOSPITAL'),
    '00080090': pn('DOCTOR^REFERRING'),
    '00081010': text('SH', 'DSA-HOST-1'),
    '00081030': text('LO', study % 3 === 0 ? 'Cerebral angiography' : '冠状动脉造影'),
    '0008103E': text('LO', `Run ${series}`),
    '00081050': pn('OPERATING^DOCTOR'),
    '00081090': text('LO', 'BIPLANE 9'),
    '00100010': pn(facts.name),
    '00100020': text('LO', facts.patientId),
    '00100030': text('DA', `19${String(30 + (study % 60)).padStart(2, '0')}0615`),
    '00100040': text('CS', study % 2 === 0 ? 'M' : 'F'),
    '00180015': text('CS', study % 3 === 0 ? 'HEAD' : 'HEART'),
    '00180060': text('DS', 80),
    '00181030': text('LO', 'DSA 4 f/s'),
    '00181510': text('DS', 30.5),
    '00181511': text('DS', -12.25),
    '0020000D': text('UI', facts.uid),
    '0020000E': text('UI', seriesUid),
    '00200010': text('SH', `S${study}`),
    '00200011': text('IS', series),
    '00200013': text('IS', instance),
    '00280002': text('US', 1),
    '00280004': text('CS', 'MONOCHROME2'),
    '00280008': text('IS', 20),
    '00280010': text('US', 1024),
    '00280011': text('US', 1024),
    '00280100': text('US', 16),
    '00280101': text('US', 12),
    '00280102': text('US', 11),
    '00281050': text('DS', 2048),
    '00281051': text('DS', 4096),
  });
}

/** A small generator of numbers below a bound, the same for the same words. */
function randomOf(words: string): (below: number) => number {
  const digest = createHash('sha1').update(words).digest();
  let at = 0;
  return (below) => {
    const value = digest.readUInt16BE(at);
    at = (at + 2) % 18;
    return value % below;
  };
}
