// What was received per day and is still kept: counted with every change, so that nobody has to look at the instances.

import type { Engine } from './engine.ts';
import type { Intake } from './ingest-state.ts';
import { type Connection, prepare } from './prepared.ts';
import type { IntakeTable } from './schema.ts';
import type { IntakeOfDay } from './upkeep.ts';

/** Adds to the row of each day that belongs to `slot`, in the order of the days. */
export function prepareIntake(
  db: Connection,
  slotNumber: number,
): (connection: Connection, intake: ReadonlyMap<string, Intake>) => Promise<void> {
  const ofDay = prepare<IntakeTable, IntakeTable>((slot) =>
    db.selectFrom('intake').selectAll().where('day', '=', slot('day')).where('slot', '=', slot('slot')),
  );
  const insert = prepare<IntakeTable, unknown>((slot) =>
    db
      .insertInto('intake')
      .values({ day: slot('day'), slot: slot('slot'), files: slot('files'), bytes: slot('bytes') }),
  );
  const add = prepare<IntakeTable, unknown>((slot) =>
    db
      .updateTable('intake')
      .set((eb) => ({ files: eb('files', '+', slot('files')), bytes: eb('bytes', '+', slot('bytes')) }))
      .where('day', '=', slot('day'))
      .where('slot', '=', slot('slot')),
  );
  return async (connection, intake) => {
    for (const [day, { files, bytes }] of [...intake].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (files === 0 && bytes === 0) continue;
      const row = { day, slot: slotNumber, files, bytes };
      const [known] = await ofDay(connection, row);
      await (known === undefined ? insert : add)(connection, row);
    }
  };
}

export async function readIntake({ db }: Engine, from: string): Promise<readonly IntakeOfDay[]> {
  return db
    .selectFrom('intake')
    .select('day')
    .select(({ fn }) => [fn.sum<number>('files').as('files'), fn.sum<number>('bytes').as('bytes')])
    .where('day', '>=', from)
    .groupBy('day')
    .orderBy('day')
    .execute();
}
