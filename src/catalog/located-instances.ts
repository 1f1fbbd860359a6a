// Instances with their places and the entities above them: what retrieval and verification both read.

import { LOCATION_COLUMNS } from './ingest-rows.ts';
import type { Connection } from './prepared.ts';

/** A query for all of them, to be narrowed, and to be asked for more columns. */
export function locatedInstances(db: Connection) {
  return db
    .selectFrom('instance')
    .innerJoin('series', 'series.id', 'instance.series_id')
    .innerJoin('study', 'study.id', 'series.study_id')
    .innerJoin('patient', 'patient.id', 'study.patient_id')
    .select(['instance.id', 'instance.uid', 'instance.sop_class_uid'])
    .select(LOCATION_COLUMNS.map((column) => `instance.${column}` as const))
    .select(['series.uid as series_uid', 'study.uid as study_uid', 'patient.patient_id']);
}
