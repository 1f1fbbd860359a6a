// When each instance was last read again: whose turn it is, and what is known of a study.

import type { Engine } from './engine.ts';
import type { LoadState } from './ingest-load.ts';
import { locationOf } from './ingest-load.ts';
import type { WriteState } from './ingest-write.ts';
import { locatedInstances } from './located-instances.ts';
import { prepare, prepareList } from './prepared.ts';
import type { Handlers } from './single-operations.ts';
import type { UpkeepOperations, Verification } from './upkeep.ts';

export type VerificationOperations = Pick<
  UpkeepOperations,
  'due' | 'verified' | 'relocate' | 'proof' | 'fingerprints'
>;

/** `load` and `write` are those of ingest. */
export function verificationOperations(
  engine: Engine,
  load: LoadState,
  write: WriteState,
): Handlers<VerificationOperations> {
  const { db, transaction } = engine;
  const located = locatedInstances(db).select(['instance.verified_at', 'instance.verified_result']);
  const verified = prepare<Verification & { id: number; sha256: string }, unknown>((slot) =>
    db
      .updateTable('instance')
      .set({ verified_at: slot('verifiedAt'), verified_result: slot('result') })
      .where('id', '=', slot('id'))
      .where('sha256', '=', slot('sha256')),
  );
  const fingerprints = prepareList((uids: readonly string[]) =>
    db
      .selectFrom('instance')
      .select(['path', 'sha256', 'data_set_offset as dataSetOffset', 'data_set_bytes as dataSetBytes'])
      .where('uid', 'in', uids),
  );
  // Joined in one statement, a server may begin with all patients there are and put every instance in order.
  const dueIds = prepare<{ before: string; limit: number }, { id: number }>((slot) =>
    db
      .selectFrom('instance')
      .select('id')
      .where('verified_at', '<', slot('before'))
      .orderBy('verified_at')
      .orderBy('id')
      .limit(slot('limit')),
  );
  const ofIds = prepareList((ids: readonly number[]) => located.where('instance.id', 'in', ids));
  return {
    fingerprints: (uids) => fingerprints(db, uids),
    due: async ({ before, limit }) => {
      const ids = (await dueIds(db, { before, limit })).map(({ id }) => id);
      const rows = new Map((await ofIds(db, ids)).map((row) => [row.id, row]));
      const inOrder = ids.flatMap((id) => rows.get(id) ?? []);
      return inOrder.map((row) => ({
        id: row.id,
        sopInstanceUid: row.uid,
        sopClassUid: row.sop_class_uid,
        seriesUid: row.series_uid,
        studyUid: row.study_uid,
        patientId: row.patient_id,
        location: locationOf(row),
        ...verificationOf(row),
      }));
    },
    verified: (instances) =>
      transaction(async (connection) => {
        for (const instance of instances) await verified(connection, instance);
        return undefined;
      }),
    relocate: ({ sopInstanceUid, location }) =>
      transaction(async (connection) => {
        const state = await load.instances(connection, [sopInstanceUid]);
        state.relocate(sopInstanceUid, location);
        await write(connection, state);
        return undefined;
      }),
    proof: async (studyUid) => {
      const rows = await located.where('study.uid', '=', studyUid).orderBy('instance.id').execute();
      return rows.map((row) => ({
        sopInstanceUid: row.uid,
        seriesUid: row.series_uid,
        location: locationOf(row),
        ...verificationOf(row),
      }));
    },
  };
}

function verificationOf(row: { verified_at: string; verified_result: string }): Verification {
  return { verifiedAt: row.verified_at, result: row.verified_result as Verification['result'] };
}
