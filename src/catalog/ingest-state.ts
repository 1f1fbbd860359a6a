// What one batch does to the entities it touches: the rules of the catalogue, on rows in memory, without SQL.
// An entity exists as long as it has instances; all counters follow from adding and taking away instances.

import type { StoredLocation } from './catalog.ts';
import { joinSet } from './computed.ts';
import { CatalogError } from './errors.ts';
import { type IngestRecord, patientIdentity } from './ingest-record.ts';

export interface Totals {
  patients: number;
  studies: number;
  series: number;
  instances: number;
  bytes: number;
}

interface EntityState {
  /** undefined: not in the database yet. */
  id: number | undefined;
  attributes: string;
  receivedAt: string;
  instances: number;
  bytes: number;
  changed: boolean;
}

export interface PatientState extends EntityState {
  readonly identity: string;
  readonly patientId: string;
  readonly issuer: string;
  studies: number;
  series: number;
  /** Attributes in the database. */
  readonly stored: string | undefined;
}

export interface StudyState extends EntityState {
  readonly uid: string;
  patient: PatientState;
  series: number;
  readonly modalities: Map<string, number>;
  readonly sopClasses: Map<string, number>;
  /** As the database has it; undefined when new. */
  readonly stored: StoredStudy | undefined;
}

export interface StoredStudy {
  readonly attributes: string;
  readonly patientId: number;
  readonly modalities: ReadonlyMap<string, number>;
  readonly sopClasses: ReadonlyMap<string, number>;
}

export interface SeriesState extends EntityState {
  readonly uid: string;
  readonly study: StudyState;
  modality: string;
  readonly stored: string | undefined;
}

export interface InstanceState {
  id: number | undefined;
  readonly uid: string;
  series: SeriesState;
  sopClassUid: string;
  number: number;
  attributes: string;
  location: StoredLocation;
  changed: boolean;
}

export interface SupersededContent {
  readonly uid: string;
  readonly location: StoredLocation;
}

export interface RemovedInstance {
  readonly id: number;
  readonly uid: string;
}

export interface Intake {
  readonly files: number;
  readonly bytes: number;
}

/** The rows that a batch can touch, and the changes to them. */
export class IngestState {
  readonly patients = new Map<string, PatientState>();
  readonly studies = new Map<string, StudyState>();
  /** By seriesKey. */
  readonly series = new Map<string, SeriesState>();
  readonly instances = new Map<string, InstanceState>();
  /** Older contents already listed, by SOP Instance UID. */
  readonly superseded = new Map<string, StoredLocation[]>();
  readonly newlySuperseded: SupersededContent[] = [];
  readonly removed: RemovedInstance[] = [];
  readonly change: Totals = { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 };
  /** By the day of receipt: contents that came to be kept less those that no longer are. */
  readonly intake = new Map<string, Intake>();

  apply(record: IngestRecord): void {
    const current = this.instances.get(record.uid);
    if (current === undefined) {
      const series = this.#seriesOf(record);
      const added = { ...contentOf(record), id: undefined, uid: record.uid, series, changed: true };
      this.instances.set(record.uid, added);
      this.#count(added, 1);
      return;
    }
    const { location } = record;
    if (location.sha256 === current.location.sha256) {
      if (location.receivedAt > current.location.receivedAt) this.#receivedAgain(current, location);
      return;
    }
    requireExpected(record, current.location.sha256);
    const superseded = this.superseded.get(record.uid) ?? [];
    const listed = superseded.filter((older) => older.sha256 === location.sha256);
    // Told again of a reception that was overtaken within the same millisecond.
    if (listed.some((older) => older.receivedAt === location.receivedAt)) return;
    if (location.receivedAt < current.location.receivedAt) {
      if (listed.length === 0) this.#supersede(record.uid, location);
      return;
    }
    this.#supersede(record.uid, {
      ...current.location,
      path: record.supersededPath ?? current.location.path,
    });
    this.#count(current, -1);
    Object.assign(current, contentOf(record), { series: this.#seriesOf(record), changed: true });
    this.#count(current, 1);
  }

  /** Takes an instance away as a whole; answers its contents, the current one first. */
  remove(uid: string): readonly StoredLocation[] {
    const current = this.instances.get(uid);
    if (current?.id === undefined) return [];
    const older = this.superseded.get(uid) ?? [];
    this.#count(current, -1);
    for (const location of older) this.#takeIn(location, -1);
    this.instances.delete(uid);
    this.superseded.delete(uid);
    this.removed.push({ id: current.id, uid });
    return [current.location, ...older];
  }

  /** The same content in a file made anew, which may begin differently. */
  relocate(uid: string, location: StoredLocation): void {
    const current = this.instances.get(uid);
    if (current?.location.sha256 === location.sha256) this.#receivedAgain(current, location);
  }

  /** The same content, later than the catalogue knew: what came in between is older than it. */
  #receivedAgain(current: InstanceState, location: StoredLocation): void {
    this.#count(current, -1);
    current.location = location;
    current.changed = true;
    this.#count(current, 1);
  }

  #supersede(uid: string, location: StoredLocation): void {
    const listed = this.superseded.get(uid) ?? [];
    if (listed.some((older) => older.path === location.path)) return;
    this.superseded.set(uid, [...listed, location]);
    this.#takeIn(location, 1);
    this.newlySuperseded.push({ uid, location });
  }

  /** The series that the record belongs to, with the attributes of whatever was received last. */
  #seriesOf(record: IngestRecord): SeriesState {
    const study = this.#studyOf(record);
    const key = seriesKey(record.studyUid, record.seriesUid);
    const { receivedAt } = record.location;
    let series = this.series.get(key);
    if (series === undefined) {
      const attributes = record.series;
      series = {
        ...newEntity(attributes, receivedAt),
        uid: record.seriesUid,
        study,
        modality: record.modality,
        stored: undefined,
      };
      this.series.set(key, series);
    } else if (receivedAt >= series.receivedAt) {
      describe(series, record.series, receivedAt);
      if (series.modality !== record.modality) {
        if (series.instances > 0) {
          add(study.modalities, series.modality, -1);
          add(study.modalities, record.modality, 1);
        }
        series.modality = record.modality;
      }
    }
    return series;
  }

  /** A study has one patient. When records disagree, the study follows the one received last, unless that one
   *  names nobody: derived objects often lack the Patient ID. */
  #studyOf(record: IngestRecord): StudyState {
    const { receivedAt } = record.location;
    let study = this.studies.get(record.studyUid);
    if (study === undefined) {
      study = {
        ...newEntity(record.study, receivedAt),
        uid: record.studyUid,
        patient: this.#patientOf(record),
        series: 0,
        modalities: new Map(),
        sopClasses: new Map(),
        stored: undefined,
      };
      this.studies.set(record.studyUid, study);
      return study;
    }
    if (receivedAt < study.receivedAt) return study;
    describe(study, record.study, receivedAt);
    if (record.patientId === '' && study.patient.patientId !== '') return study;
    const patient = this.#patientOf(record);
    if (patient !== study.patient) {
      const { series, instances, bytes } = study;
      if (instances > 0) {
        this.#countPatient(study.patient, {
          studies: -1,
          series: -series,
          instances: -instances,
          bytes: -bytes,
        });
        this.#countPatient(patient, { studies: 1, series, instances, bytes });
      }
      study.patient = patient;
    }
    return study;
  }

  #patientOf(record: IngestRecord): PatientState {
    const identity = patientIdentity(record);
    const { receivedAt } = record.location;
    let patient = this.patients.get(identity);
    if (patient === undefined) {
      const { patientId, issuer } = record;
      patient = {
        ...newEntity(record.patient, receivedAt),
        identity,
        patientId,
        issuer,
        studies: 0,
        series: 0,
        stored: undefined,
      };
      this.patients.set(identity, patient);
    } else if (receivedAt >= patient.receivedAt) {
      describe(patient, record.patient, receivedAt);
    }
    return patient;
  }

  /** Adds or takes away one instance, at every level above it. */
  #count(instance: InstanceState, sign: 1 | -1): void {
    const { series } = instance;
    const { study } = series;
    const bytes = sign * instance.location.fileBytes;
    add(study.sopClasses, instance.sopClassUid, sign);
    const ofSeries = step(series, sign, bytes);
    if (ofSeries !== 0) add(study.modalities, series.modality, ofSeries);
    const ofStudy = step(study, sign, bytes);
    study.series += ofSeries;
    this.#countPatient(study.patient, { studies: ofStudy, series: ofSeries, instances: sign, bytes });
    this.change.studies += ofStudy;
    this.change.series += ofSeries;
    this.change.instances += sign;
    this.change.bytes += bytes;
    this.#takeIn(instance.location, sign);
  }

  #takeIn({ receivedAt, fileBytes }: StoredLocation, sign: 1 | -1): void {
    const day = receivedAt.slice(0, 10);
    const { files, bytes } = this.intake.get(day) ?? { files: 0, bytes: 0 };
    this.intake.set(day, { files: files + sign, bytes: bytes + sign * fileBytes });
  }

  #countPatient(
    patient: PatientState,
    change: { studies: number; series: number; instances: number; bytes: number },
  ): void {
    patient.studies += change.studies;
    patient.series += change.series;
    this.change.patients += step(patient, change.instances, change.bytes);
  }
}

function requireExpected({ uid, expectedSha256 }: IngestRecord, currentSha256: string): void {
  if (expectedSha256 === undefined || expectedSha256 === currentSha256) return;
  throw new CatalogError('catalog-stale', `Instance ${uid} has got another content in the meantime`);
}

/** Changes the counters; 1 when the entity comes to be, -1 when it ceases. */
function step(entity: EntityState, instances: number, bytes: number): number {
  const before = entity.instances;
  entity.instances += instances;
  entity.bytes += bytes;
  entity.changed = true;
  return Math.sign(entity.instances) - Math.sign(before);
}

function describe(entity: EntityState, attributes: string, receivedAt: string): void {
  entity.attributes = attributes;
  entity.receivedAt = receivedAt;
  entity.changed = true;
}

function newEntity(attributes: string, receivedAt: string): EntityState {
  return { id: undefined, attributes, receivedAt, instances: 0, bytes: 0, changed: true };
}

function contentOf(
  record: IngestRecord,
): Pick<InstanceState, 'sopClassUid' | 'number' | 'attributes' | 'location'> {
  const { sopClassUid, number, instance, location } = record;
  return { sopClassUid, number, attributes: instance, location };
}

function add(counts: Map<string, number>, key: string, change: number): void {
  counts.set(key, (counts.get(key) ?? 0) + change);
}

/** The values that are there at all. */
export function present(counts: ReadonlyMap<string, number>): string {
  return joinSet([...counts].filter(([, count]) => count > 0).map(([value]) => value));
}

export function seriesKey(studyUid: string, seriesUid: string): string {
  return `${studyUid}\\${seriesUid}`;
}
