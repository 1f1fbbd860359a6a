// Writes what a batch changed: few statements per table, parents before children, removals the other way round.

import type { Insertable } from 'kysely';
import { prepareCounts } from './count-statements.ts';
import type { Engine } from './engine.ts';
import { prepareEntities } from './entity-statements.ts';
import {
  instanceRow,
  type KeyChange,
  keyChange,
  keyName,
  LOCATION_COLUMNS,
  locationRow,
  patientAttributes,
  patientRow,
  seriesAttributes,
  seriesRow,
  studyAttributes,
  studyRow,
} from './ingest-rows.ts';
import {
  type IngestState,
  type PatientState,
  type SeriesState,
  type StudyState,
  seriesKey,
  type Totals,
} from './ingest-state.ts';
import { prepareIntake } from './intake.ts';
import { type Connection, prepare, prepareList, prepareRows } from './prepared.ts';
import type { SearchKeyTable, SupersededTable } from './schema.ts';

export type WriteState = (connection: Connection, state: IngestState) => Promise<void>;

/** Prepares the writing half of ingest. */
export function prepareWrite({ db, totalRow }: Engine): WriteState {
  const entities = prepareEntities(db);
  const counts = prepareCounts(db);
  const keys = {
    insert: prepareRows(['kind', 'search_key', 'owner_id'], (rows: readonly Insertable<SearchKeyTable>[]) =>
      db.insertInto('search_key').values(rows),
    ),
    remove: prepare<SearchKeyTable, unknown>((slot) =>
      db
        .deleteFrom('search_key')
        .where('kind', '=', slot('kind'))
        .where('search_key', '=', slot('search_key'))
        .where('owner_id', '=', slot('owner_id')),
    ),
  };
  const superseded = prepareRows(
    ['uid', ...LOCATION_COLUMNS],
    (rows: readonly Insertable<SupersededTable>[]) => db.insertInto('superseded').values(rows),
  );
  const supersededOf = prepareList((uids: readonly string[]) =>
    db.deleteFrom('superseded').where('uid', 'in', uids),
  );
  const intake = prepareIntake(db, totalRow);
  const total = prepare<Totals, unknown>((slot) =>
    db
      .updateTable('total')
      .set((eb) => ({
        patients: eb('patients', '+', slot('patients')),
        studies: eb('studies', '+', slot('studies')),
        series: eb('series', '+', slot('series')),
        instances: eb('instances', '+', slot('instances')),
        bytes: eb('bytes', '+', slot('bytes')),
      }))
      .where('id', '=', totalRow),
  );

  return async (connection, state) => {
    const patients = sort(state.patients.values());
    const studies = sort(state.studies.values());
    const series = sort(state.series.values());

    await entities.patient.insert(connection, patients.added.map(patientRow));
    adopt(
      patients.added,
      (p) => p.identity,
      await entities.patient.ids(
        connection,
        patients.added.map((p) => p.identity),
      ),
    );
    await entities.study.insert(connection, studies.added.map(studyRow));
    adopt(
      studies.added,
      (s) => s.uid,
      await entities.study.ids(
        connection,
        studies.added.map((s) => s.uid),
      ),
    );
    await entities.series.insert(connection, series.added.map(seriesRow));
    const studyUids = new Map(studies.all.map((study) => [study.id, study.uid]));
    adopt(
      series.added,
      (s) => seriesKey(s.study.uid, s.uid),
      (
        await entities.series.ids(
          connection,
          series.added.map((s) => s.uid),
        )
      ).map(({ id, key, study_id }) => ({
        id,
        key: seriesKey(studyUids.get(study_id) ?? '', key),
      })),
    );
    for (const patient of patients.kept) await entities.patient.update(connection, patient);
    for (const study of studies.kept) await entities.study.update(connection, study);
    for (const one of series.kept) await entities.series.update(connection, one);

    const instances = [...state.instances.values()].filter((instance) => instance.changed);
    await entities.instance.insert(connection, instances.filter((i) => i.id === undefined).map(instanceRow));
    for (const instance of instances) {
      if (instance.id !== undefined) await entities.instance.update(connection, instance);
    }
    await superseded(
      connection,
      state.newlySuperseded.map(({ uid, location }) => ({ uid, ...locationRow(location) })),
    );

    await counts(
      connection,
      studies.all.filter((study) => study.id !== undefined),
    );
    await writeKeys(connection, [
      ...patients.all.map((patient) => keyChange('PATIENT', patient, patientAttributes)),
      ...studies.all.map((study) => keyChange('STUDY', study, studyAttributes)),
      ...series.all.map((one) => keyChange('SERIES', one, seriesAttributes)),
    ]);

    await entities.instance.remove(
      connection,
      state.removed.map(({ id }) => id),
    );
    await supersededOf(
      connection,
      state.removed.map(({ uid }) => uid),
    );
    await entities.series.remove(connection, series.gone);
    await entities.study.remove(connection, studies.gone);
    await entities.patient.remove(connection, patients.gone);
    if (Object.values(state.change).some((change) => change !== 0)) await total(connection, state.change);
    await intake(connection, state.intake);
  };

  async function writeKeys(
    connection: Connection,
    changes: readonly (KeyChange | undefined)[],
  ): Promise<void> {
    const added: Insertable<SearchKeyTable>[] = [];
    for (const change of changes) {
      if (change === undefined) continue;
      const before = new Set(change.before.map(keyName));
      const after = new Set(change.after.map(keyName));
      for (const { kind, key } of change.before.filter((k) => !after.has(keyName(k)))) {
        await keys.remove(connection, { kind, search_key: key, owner_id: change.owner });
      }
      for (const { kind, key } of change.after.filter((k) => !before.has(keyName(k)))) {
        added.push({ kind, search_key: key, owner_id: change.owner });
      }
    }
    await keys.insert(connection, added);
  }
}

interface Sorted<E> {
  readonly added: readonly E[];
  readonly kept: readonly E[];
  readonly gone: readonly number[];
  readonly all: readonly E[];
}

function sort<E extends PatientState | StudyState | SeriesState>(entities: Iterable<E>): Sorted<E> {
  const all = [...entities].filter((entity) => entity.changed);
  return {
    all,
    added: all.filter((entity) => entity.id === undefined && entity.instances > 0),
    kept: all.filter((entity) => entity.id !== undefined && entity.instances > 0),
    gone: all.filter((entity) => entity.instances === 0).flatMap((entity) => entity.id ?? []),
  };
}

function adopt<E extends { id: number | undefined }>(
  added: readonly E[],
  keyOf: (entity: E) => string,
  found: readonly { id: number; key: string }[],
): void {
  const ids = new Map(found.map(({ id, key }) => [key, id]));
  for (const entity of added) entity.id = ids.get(keyOf(entity));
}
