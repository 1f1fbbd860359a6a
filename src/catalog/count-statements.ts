// How often each modality and SOP class occurs in a study: the rows behind Modalities in Study.

import type { StudyState } from './ingest-state.ts';
import { type Connection, type Prepared, prepare, prepareRows } from './prepared.ts';
import type { StudyModalityTable, StudySopClassTable } from './schema.ts';

type WriteCounts = (connection: Connection, studies: readonly StudyState[]) => Promise<void>;

/** How often each modality and SOP class is in studies that have an id. Most batches change one row. */
export function prepareCounts(db: Connection): WriteCounts {
  const modality = {
    insert: prepareRows(['study_id', 'modality', 'series'], (rows: readonly StudyModalityTable[]) =>
      db.insertInto('study_modality').values(rows),
    ),
    update: prepare<StudyModalityTable, unknown>((slot) =>
      db
        .updateTable('study_modality')
        .set({ series: slot('series') })
        .where('study_id', '=', slot('study_id'))
        .where('modality', '=', slot('modality')),
    ),
    remove: prepare<StudyModalityTable, unknown>((slot) =>
      db
        .deleteFrom('study_modality')
        .where('study_id', '=', slot('study_id'))
        .where('modality', '=', slot('modality')),
    ),
  };
  const sopClass = {
    insert: prepareRows(['study_id', 'sop_class_uid', 'instances'], (rows: readonly StudySopClassTable[]) =>
      db.insertInto('study_sop_class').values(rows),
    ),
    update: prepare<StudySopClassTable, unknown>((slot) =>
      db
        .updateTable('study_sop_class')
        .set({ instances: slot('instances') })
        .where('study_id', '=', slot('study_id'))
        .where('sop_class_uid', '=', slot('sop_class_uid')),
    ),
    remove: prepare<StudySopClassTable, unknown>((slot) =>
      db
        .deleteFrom('study_sop_class')
        .where('study_id', '=', slot('study_id'))
        .where('sop_class_uid', '=', slot('sop_class_uid')),
    ),
  };
  return async (connection, studies) => {
    await writeCounts(
      connection,
      modality,
      studies.flatMap((study) =>
        changes(study.stored?.modalities, study.modalities, (value, series) => ({
          study_id: study.id as number,
          modality: value,
          series,
        })),
      ),
    );
    await writeCounts(
      connection,
      sopClass,
      studies.flatMap((study) =>
        changes(study.stored?.sopClasses, study.sopClasses, (value, instances) => ({
          study_id: study.id as number,
          sop_class_uid: value,
          instances,
        })),
      ),
    );
  };
}

interface CountStatements<R> {
  readonly insert: Prepared<readonly R[], unknown>;
  readonly update: Prepared<R, unknown>;
  readonly remove: Prepared<R, unknown>;
}

interface Change<R> {
  readonly kind: keyof CountStatements<R>;
  readonly row: R;
}

function changes<R>(
  before: ReadonlyMap<string, number> | undefined,
  after: ReadonlyMap<string, number>,
  rowOf: (value: string, count: number) => R,
): Change<R>[] {
  return [...after].flatMap(([value, count]) => {
    const stored = before?.get(value) ?? 0;
    if (count === stored) return [];
    return { kind: stored === 0 ? 'insert' : count === 0 ? 'remove' : 'update', row: rowOf(value, count) };
  });
}

async function writeCounts<R>(
  connection: Connection,
  statements: CountStatements<R>,
  changed: readonly Change<R>[],
): Promise<void> {
  for (const { kind, row } of changed) if (kind !== 'insert') await statements[kind](connection, row);
  await statements.insert(
    connection,
    changed.filter(({ kind }) => kind === 'insert').map(({ row }) => row),
  );
}
