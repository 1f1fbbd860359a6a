// The study list, what is in a study, and the studies of one patient.
import { z } from 'zod';
import type { Archive, InstanceLocation, Match, Query } from '../../archive/archive.ts';
import type { DicomJson } from '../../dicom/dicom-json.ts';
import { isUid } from '../../dicom/uid.ts';
import { notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import {
  instanceAnswer,
  instanceView,
  keyOf,
  patientView,
  seriesAnswer,
  seriesView,
  studyAnswer,
  studyView,
  textOf,
} from '../study-view.ts';

/** Instances on one page, and studies of one patient. */
const INSTANCE_PAGE = 100;
const MAX_PATIENT_STUDIES = 1000;

export const uidParameter = z.string().refine(isUid, 'is no UID');
const typed = z.string().max(64).optional();
const day = z
  .string()
  .regex(/^\d{4}-?\d{2}-?\d{2}$/, 'is no day, such as 2026-11-22')
  .transform((text) => text.replaceAll('-', ''))
  .optional();

const listQuery = z.object({
  q: typed.meta({
    description: 'Words that begin a part of the name (pinyin and initials too), an ID or the description',
  }),
  name: typed,
  patientId: typed,
  accession: typed,
  description: typed,
  dateFrom: day,
  dateTo: day,
  modality: z
    .string()
    .regex(/^[A-Z0-9_ ]{1,16}$/, 'is no modality, such as XA')
    .optional(),
  cursor: z.string().max(64).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export interface StudyRoutesOptions {
  readonly archive: Archive;
}

export function studyRoutes({ archive }: StudyRoutesOptions): Route[] {
  return [
    route({
      method: 'GET',
      path: '/api/studies',
      summary: 'The study list, newest first. A page may be short, even empty, and have a next one',
      query: listQuery,
      answer: z.object({ items: z.array(studyAnswer), next: z.string().optional() }),
      handle: async ({ query }) => {
        const { studies, next } = await archive.studyPage({
          identifier: identifierOf(query),
          text: given({
            any: query.q,
            name: query.name,
            patientId: query.patientId,
            accessionNumber: query.accession,
            description: query.description,
          }),
          limit: query.limit,
          ...(query.cursor === undefined ? {} : { after: query.cursor }),
        });
        return { items: studies.map(studyView), ...(next === undefined ? {} : { next }) };
      },
    }),
    route({
      method: 'GET',
      path: '/api/studies/:uid',
      summary: 'One study with its series',
      params: z.object({ uid: uidParameter }),
      answer: studyAnswer.omit({ series: true }).extend({
        series: z.array(seriesAnswer),
        protected: z.boolean(),
      }),
      handle: async ({ params: { uid } }) => {
        const study = await findStudy(archive, uid);
        const series = await found(archive, { level: 'SERIES', identifier: { [STUDY]: ui(uid) } });
        const pictured = await Promise.all(
          series.map(async (match) => seriesView(match, await firstInstance(archive, uid, match))),
        );
        const shown = studyView(study);
        const { id, issuer = '' } = shown.patient;
        const isProtected = (await archive.protections()).some(
          (one) => one.id === id && one.issuer === issuer,
        );
        return { ...shown, series: pictured.sort(byNumber), protected: isProtected };
      },
    }),
    route({
      method: 'GET',
      path: '/api/studies/:uid/series/:seriesUid/instances',
      summary: 'The instances of a series, by Instance Number',
      params: z.object({ uid: uidParameter, seriesUid: uidParameter }),
      query: z.object({ cursor: z.coerce.number().int().min(0).max(10_000_000).default(0) }),
      answer: z.object({ items: z.array(instanceAnswer), next: z.string().optional() }),
      handle: async ({ params: { uid, seriesUid }, query: { cursor } }) => {
        const selection = { studyUids: [uid], seriesUids: [seriesUid] };
        const page = await pageOf(archive.select(selection), cursor, INSTANCE_PAGE + 1);
        if (page.length === 0 && cursor === 0)
          throw notFound(`There is no series ${seriesUid} in study ${uid}.`);
        const shown = page.slice(0, INSTANCE_PAGE);
        const attributes = await attributesOf(archive, shown);
        return {
          items: shown.map((instance) =>
            instanceView(instance, attributes.get(instance.sopInstanceUid) ?? {}),
          ),
          ...(page.length > INSTANCE_PAGE ? { next: String(cursor + INSTANCE_PAGE) } : {}),
        };
      },
    }),
    route({
      method: 'GET',
      path: '/api/patients/studies',
      summary: 'The studies of one patient, oldest first',
      query: z.object({ patientId: z.string().min(1).max(64), issuer: z.string().max(64).default('') }),
      answer: z.object({ items: z.array(studyAnswer) }),
      handle: async ({ query: { patientId, issuer } }) => {
        const identifier = { [keyOf('PatientID')]: text('LO', patientId.replaceAll('\\', '?')) };
        const studies: Match[] = [];
        for await (const page of archive.find({ level: 'STUDY', identifier })) {
          studies.push(...page.filter(({ attributes }) => isPatient(attributes, patientId, issuer)));
          if (studies.length >= MAX_PATIENT_STUDIES) break;
        }
        const when = ({ attributes }: Match) =>
          `${textOf(attributes, 'StudyDate') ?? ''} ${textOf(attributes, 'StudyTime') ?? ''}`;
        return { items: studies.sort((a, b) => (when(a) < when(b) ? -1 : 1)).map(studyView) };
      },
    }),
  ];
}

const STUDY = keyOf('StudyInstanceUID');

export function ui(...uids: string[]): DicomJson[string] {
  return { vr: 'UI', Value: uids };
}

function text(vr: string, value: string): DicomJson[string] {
  return { vr, Value: [value] };
}

function identifierOf({ dateFrom, dateTo, modality }: z.infer<typeof listQuery>): DicomJson {
  const range =
    dateFrom === undefined && dateTo === undefined ? undefined : `${dateFrom ?? ''}-${dateTo ?? ''}`;
  return {
    ...(range !== undefined && { [keyOf('StudyDate')]: text('DA', range) }),
    ...(modality !== undefined && { [keyOf('ModalitiesInStudy')]: text('CS', modality) }),
  };
}

function given<T extends object>(properties: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined)) as never;
}

/** The study, or 404. */
export async function findStudy(archive: Archive, uid: string): Promise<Match> {
  const [study] = await found(archive, { level: 'STUDY', identifier: { [STUDY]: ui(uid) } });
  if (study === undefined) throw notFound(`There is no study ${uid}; it may have been deleted.`);
  return study;
}

async function found(archive: Archive, query: Query): Promise<Match[]> {
  return (await Array.fromAsync(archive.find(query))).flat();
}

async function firstInstance(
  archive: Archive,
  studyUid: string,
  { attributes }: Match,
): Promise<string | undefined> {
  const seriesUid = textOf(attributes, 'SeriesInstanceUID') ?? '';
  for await (const [first] of archive.select({ studyUids: [studyUid], seriesUids: [seriesUid] })) {
    return first?.sopInstanceUid;
  }
  return undefined;
}

function byNumber(one: z.infer<typeof seriesAnswer>, other: z.infer<typeof seriesAnswer>): number {
  return (one.number ?? Infinity) - (other.number ?? Infinity) || (one.seriesUid < other.seriesUid ? -1 : 1);
}

async function pageOf(
  pages: AsyncIterable<readonly InstanceLocation[]>,
  skip: number,
  count: number,
): Promise<InstanceLocation[]> {
  const taken: InstanceLocation[] = [];
  let passed = 0;
  for await (const page of pages) {
    taken.push(...page.slice(Math.max(0, skip - passed)).slice(0, count - taken.length));
    passed += page.length;
    if (taken.length === count) break;
  }
  return taken;
}

async function attributesOf(
  archive: Archive,
  instances: readonly InstanceLocation[],
): Promise<Map<string, DicomJson>> {
  if (instances.length === 0) return new Map();
  const uids = instances.map(({ sopInstanceUid }) => sopInstanceUid);
  const matches = await found(archive, {
    level: 'IMAGE',
    identifier: { [keyOf('SOPInstanceUID')]: ui(...uids) },
  });
  return new Map(matches.map(({ attributes }) => [textOf(attributes, 'SOPInstanceUID') ?? '', attributes]));
}

/** The query may have found more: characters of an ID can be wild cards. */
function isPatient(attributes: DicomJson, patientId: string, issuer: string): boolean {
  const patient = patientView(attributes);
  return patient.id === patientId && (patient.issuer ?? '') === issuer;
}
