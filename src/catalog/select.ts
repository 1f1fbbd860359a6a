// Instances to retrieve (PS3.4 §C.4.2, §C.4.3), and the place of a single one.

import type { Counts, InstanceLocation, SelectKeys, StoredLocation } from './catalog.ts';
import { type DescendStatements, descend, type Node, prepareDescend } from './descend.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import { locationOf } from './ingest-load.ts';
import { locatedInstances } from './located-instances.ts';
import { foldValue } from './normalise.ts';
import type { Pacer } from './pacer.ts';
import { type Connection, type Prepared, prepare, prepareList } from './prepared.ts';
import { KIND } from './search-keys.ts';
import { prepareWalk, STEP, type WalkStatements, walk } from './walk.ts';
import { exactRange } from './wild-card.ts';

interface Located extends InstanceLocation {
  readonly id: number;
  readonly issuer: string;
}

interface NumberedInstance {
  readonly id: number;
  readonly series_id: number;
  readonly number: number;
}

interface ByUid {
  readonly uid: string;
}

export interface SelectStatements {
  readonly db: Connection;
  readonly walk: WalkStatements;
  readonly descend: DescendStatements;
  readonly instances: Prepared<readonly string[], NumberedInstance>;
  readonly series: Prepared<readonly string[], Node>;
  readonly studies: Prepared<readonly string[], Node>;
  readonly patients: Prepared<readonly number[], Node>;
  readonly locations: Prepared<readonly number[], Located>;
  readonly location: Prepared<ByUid, Located>;
  readonly superseded: Prepared<string, StoredLocation>;
  readonly totals: Prepared<undefined, Counts>;
}

export function prepareSelect(engine: Engine): SelectStatements {
  const { db } = engine;
  const located = locatedInstances(db).select('patient.issuer');
  type LocatedRow = Awaited<ReturnType<typeof located.executeTakeFirstOrThrow>>;
  const asLocated =
    <A>(statement: Prepared<A, LocatedRow>): Prepared<A, Located> =>
    async (connection, args) =>
      (await statement(connection, args)).map((row) => ({
        id: row.id,
        sopInstanceUid: row.uid,
        sopClassUid: row.sop_class_uid,
        seriesUid: row.series_uid,
        studyUid: row.study_uid,
        patientId: row.patient_id,
        issuer: row.issuer,
        location: locationOf(row),
      }));
  const superseded = prepare<ByUid, Parameters<typeof locationOf>[0]>((slot) =>
    db
      .selectFrom('superseded')
      .selectAll()
      .where('uid', '=', slot('uid'))
      .orderBy('received_at', 'desc')
      .orderBy('id', 'desc'),
  );
  return {
    db,
    walk: prepareWalk(engine),
    descend: prepareDescend(engine),
    instances: prepareList((uids: readonly string[]) =>
      db.selectFrom('instance').select(['id', 'series_id', 'number']).where('uid', 'in', uids),
    ),
    series: prepareList((uids: readonly string[]) =>
      db.selectFrom('series').select(['id', 'instances as children']).where('uid', 'in', uids),
    ),
    studies: prepareList((uids: readonly string[]) =>
      db.selectFrom('study').select(['id', 'series as children']).where('uid', 'in', uids),
    ),
    patients: prepareList((ids: readonly number[]) =>
      db.selectFrom('patient').select(['id', 'studies as children']).where('id', 'in', ids),
    ),
    locations: asLocated(prepareList((ids: readonly number[]) => located.where('instance.id', 'in', ids))),
    location: asLocated(
      prepare<ByUid, LocatedRow>((slot) => located.where('instance.uid', '=', slot('uid'))),
    ),
    superseded: async (connection, uid) => (await superseded(connection, { uid })).map(locationOf),
    totals: prepare(() =>
      db
        .selectFrom('total')
        .select(({ fn }) => [
          fn.sum<number>('patients').as('patients'),
          fn.sum<number>('studies').as('studies'),
          fn.sum<number>('series').as('series'),
          fn.sum<number>('instances').as('instances'),
          fn.sum<number>('bytes').as('bytes'),
        ]),
    ),
  };
}

export async function locate(
  statements: SelectStatements,
  uid: string,
): Promise<InstanceLocation | undefined> {
  const [found] = await statements.location(statements.db, { uid });
  return found && instanceLocation(found);
}

/** Pages of instances, series by series, by Instance Number. */
export async function* select(
  statements: SelectStatements,
  keys: SelectKeys,
  pacer: Pacer,
): AsyncGenerator<readonly InstanceLocation[]> {
  const fits = selection(keys);
  for await (const ids of instanceIds(statements, keys, pacer)) {
    const rows = await pacer.turn(() => statements.locations(statements.db, ids));
    const byId = new Map(rows.map((row) => [row.id, row]));
    const page = ids.flatMap((id) => byId.get(id) ?? []).filter(fits);
    if (page.length > 0) yield page.map(instanceLocation);
  }
}

/** From the lowest keys that are given; `selection` sees to the others. */
async function* instanceIds(
  { db, ...statements }: SelectStatements,
  keys: SelectKeys,
  pacer: Pacer,
): AsyncGenerator<readonly number[]> {
  const { sopInstanceUids, seriesUids, studyUids, patientId } = keys;
  const instancesOf = async function* (series: readonly Node[]): AsyncGenerator<readonly number[]> {
    for await (const nodes of descend(statements.descend.IMAGE, db, series, pacer))
      yield nodes.map(({ id }) => id);
  };
  const seriesOf = async function* (studies: readonly Node[]): AsyncGenerator<readonly number[]> {
    for await (const series of descend(statements.descend.SERIES, db, studies, pacer))
      yield* instancesOf(series);
  };
  if (sopInstanceUids !== undefined) {
    const found = await pacer.turn(() => statements.instances(db, [...new Set(sopInstanceUids)]));
    const ordered = found.sort((a, b) => a.series_id - b.series_id || a.number - b.number || a.id - b.id);
    for (let start = 0; start < ordered.length; start += STEP) {
      yield ordered.slice(start, start + STEP).map(({ id }) => id);
    }
  } else if (seriesUids !== undefined) {
    yield* instancesOf(await pacer.turn(() => statements.series(db, [...new Set(seriesUids)])));
  } else if (studyUids !== undefined) {
    yield* seriesOf(await pacer.turn(() => statements.studies(db, [...new Set(studyUids)])));
  } else if (patientId !== undefined && patientId !== '') {
    const path = { kind: KIND.patientId, ranges: [exactRange(foldValue(patientId))] };
    for await (const candidates of walk(statements.walk, db, path, pacer)) {
      const ids = candidates.map((candidate) => candidate.id);
      const patients = await pacer.turn(() => statements.patients(db, ids));
      for await (const studies of descend(statements.descend.STUDY, db, patients, pacer))
        yield* seriesOf(studies);
    }
  } else {
    // Not everything there is: a retrieval without a key is a mistake.
    throw new CatalogError(
      'catalog-request',
      'Nothing says what to select; give a patient, study, series or instance',
    );
  }
}

function selection(keys: SelectKeys): (found: Located) => boolean {
  const sets = { series: asSet(keys.seriesUids), studies: asSet(keys.studyUids) };
  return (found) =>
    (keys.patientId === undefined || found.patientId === keys.patientId) &&
    (keys.issuer === undefined || found.issuer === keys.issuer) &&
    (sets.studies?.has(found.studyUid) ?? true) &&
    (sets.series?.has(found.seriesUid) ?? true);
}

function asSet(values: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return values && new Set(values);
}

function instanceLocation({ id: _, issuer: __, ...location }: Located): InstanceLocation {
  return location;
}
