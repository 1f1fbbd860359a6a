// The tables, as Kysely sees them. Columns are the same in every engine; each engine's migrations make them.

import type { Generated } from 'kysely';

interface Counters {
  instances: number;
  bytes: number;
}

/** What every described entity has: DICOM JSON text of its attributes and when the newest of them came. */
interface Described {
  id: Generated<number>;
  attributes: string;
  received_at: string;
}

export interface PatientTable extends Described, Counters {
  /** Hash of issuer and Patient ID, or of the study's UID for a patient without an ID. Unique. */
  identity: string;
  patient_id: string;
  issuer: string;
  studies: number;
  series: number;
}

export interface StudyTable extends Described, Counters {
  patient_id: number;
  /** Unique. */
  uid: string;
  /** Its search key of that kind, the latest one; '' when undated. */
  study_date: string;
  series: number;
  /** What study_modality and study_sop_class hold, as return keys: sorted, separated by backslashes. */
  modalities: string;
  sop_classes: string;
}

/** Unique by study and UID: sloppy software uses one Series Instance UID in two studies. */
export interface SeriesTable extends Described, Counters {
  study_id: number;
  uid: string;
  modality: string;
}

/** One content of an instance UID; see StoredLocation. */
interface Content {
  id: Generated<number>;
  uid: string;
  path: string;
  transfer_syntax_uid: string;
  sha256: string;
  data_set_bytes: number;
  data_set_offset: number;
  file_bytes: number;
  received_at: string;
  source_ae_title: string;
}

/** Unique by UID. */
export interface InstanceTable extends Content {
  series_id: number;
  sop_class_uid: string;
  /** Instance Number, for the order of retrieval. */
  number: number;
  attributes: string;
  /** When its file was last read again and what that showed; '' before the first time. See Verification. */
  verified_at: Generated<string>;
  verified_result: Generated<string>;
}

/** Older contents. Unique by UID and path. */
export interface SupersededTable extends Content {}

/** How many series of a study have a modality. */
export interface StudyModalityTable {
  study_id: number;
  modality: string;
  series: number;
}

/** How many instances of a study are of a SOP class. */
export interface StudySopClassTable {
  study_id: number;
  sop_class_uid: string;
  instances: number;
}

/** See search-keys.ts. Primary key (kind, search_key, owner_id): the table is its own index. */
export interface SearchKeyTable {
  kind: number;
  search_key: string;
  owner_id: number;
}

/** The sums of its rows are the sums over everything, kept. */
export interface TotalTable extends Counters {
  id: number;
  patients: number;
  studies: number;
  series: number;
}

/** See job-store.ts. Texts that are JSON: title, payload, checkpoint. */
export interface JobTable {
  id: Generated<number>;
  kind: string;
  /** Unique. */
  job_key: string;
  state: string;
  priority: number;
  title: string;
  payload: string;
  checkpoint: string;
  done: number;
  total: number;
  attempts: number;
  losses: number;
  error: string;
  /** 1: whoever runs it should end it. */
  cancelling: number;
  /** When it may run, or when the lease ends. */
  due_at: string;
  /** When it is to run again although it is running now; empty when not. */
  again_at: string;
  /** Of the last attempt. */
  lease_token: string;
  created_at: string;
  updated_at: string;
}

/** What was received on a day (UTC) and is still kept, current and superseded; daemons add to different slots. Primary
 *  key (day, slot). */
export interface IntakeTable {
  day: string;
  slot: number;
  files: number;
  bytes: number;
}

/** One deletion; see TrashEntry. */
export interface TrashTable {
  id: string;
  level: string;
  keys: string;
  attributes: string;
  deleted_at: string;
  deleted_by: string;
  reason: string;
  state: string;
  files: number;
  bytes: number;
}

/** A file in the trash, under the path that it had. Unique by deletion, UID and path. */
export interface TrashItemTable {
  id: Generated<number>;
  trash_id: string;
  uid: string;
  path: string;
  sha256: string;
  received_at: string;
  file_bytes: number;
}

/** See Finding. */
export interface FindingTable {
  id: Generated<number>;
  kind: string;
  path: string;
  uid: string;
  reason: string;
  found_at: string;
  state: string;
  closed_at: string;
}

/** What was done about a finding, by whom. */
export interface FindingActionTable {
  id: Generated<number>;
  finding_id: number;
  at: string;
  done_by: string;
  action: string;
  outcome: string;
}

/** See CheckRun. */
export interface CheckRunTable {
  id: Generated<number>;
  started_at: string;
  ended_at: string;
  state: string;
  files: number;
  bytes: number;
  findings: number;
  repaired: number;
}

/** What needs a person, until it is solved. */
export interface NoticeTable {
  notice_key: string;
  code: string;
  level: string;
  params: string;
  raised_at: string;
}

/** How far something has come that takes longer than the program runs. */
export interface ProgressTable {
  name: string;
  value: string;
}

/** Patients that cannot be deleted; see PatientTable.identity, which is the primary key. */
export interface ProtectionTable {
  identity: string;
  patient_id: string;
  issuer: string;
  protected_at: string;
  protected_by: string;
  reason: string;
}

/** See delivery-store.ts. Unique by destination and instance. */
export interface DeliveryTable {
  id: Generated<number>;
  destination: string;
  instance_uid: string;
  sop_class_uid: string;
  study_uid: string;
  sha256: string;
  bytes: number;
  state: string;
  quiet_s: number;
  queued_at: string;
  /** When it may be tried. */
  ready_at: string;
  /** These are empty when it did not happen. */
  sent_at: string;
  asked_at: string;
  committed_at: string;
  /** Under which commitment was asked for. */
  transaction_uid: string;
  attempts: number;
  error: string;
}

/** One row: the version of the schema. */
export interface SchemaVersionTable {
  id: number;
  version: number;
}

export interface CatalogSchema {
  patient: PatientTable;
  study: StudyTable;
  series: SeriesTable;
  instance: InstanceTable;
  superseded: SupersededTable;
  study_modality: StudyModalityTable;
  study_sop_class: StudySopClassTable;
  search_key: SearchKeyTable;
  total: TotalTable;
  job: JobTable;
  intake: IntakeTable;
  trash: TrashTable;
  trash_item: TrashItemTable;
  protection: ProtectionTable;
  delivery: DeliveryTable;
  finding: FindingTable;
  finding_action: FindingActionTable;
  check_run: CheckRunTable;
  notice: NoticeTable;
  progress: ProgressTable;
  schema_version: SchemaVersionTable;
}
