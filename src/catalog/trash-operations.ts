// The trash in the database. Taking instances away is ingest the other way round: the same counters, the same locks.

import type { Selectable } from 'kysely';
import type { QueryLevel, SelectKeys, StoredLocation } from './catalog.ts';
import type { Engine } from './engine.ts';
import { CatalogError } from './errors.ts';
import type { LoadState } from './ingest-load.ts';
import { patientIdentity } from './ingest-record.ts';
import type { IngestState } from './ingest-state.ts';
import type { WriteState } from './ingest-write.ts';
import type { Connection } from './prepared.ts';
import type { TrashItemTable, TrashTable } from './schema.ts';
import type { Handlers } from './single-operations.ts';
import type { PatientKey, TrashEntry, TrashItem, TrashOperations, TrashState } from './trash.ts';

const PAGE = 256;

/** `load` and `write` are those of ingest. */
export function trashOperations(
  engine: Engine,
  load: LoadState,
  write: WriteState,
): Handlers<TrashOperations> {
  const { db, transaction, locked } = engine;
  return {
    trashOpen: async ({ id, level, keys, attributes, deletedAt, deletedBy, reason, state }) => {
      const texts = { keys: JSON.stringify(keys), attributes: JSON.stringify(attributes) };
      const deletion = { deleted_at: deletedAt, deleted_by: deletedBy, reason, state };
      await transaction(async (connection) => {
        // The answer to an earlier attempt may have been lost.
        if ((await entryOf(connection, id)) !== undefined) return;
        await connection
          .insertInto('trash')
          .values({ id, level, ...texts, ...deletion, files: 0, bytes: 0 })
          .execute();
      });
      return undefined;
    },
    trashTake: ({ trash, sopInstanceUids }) =>
      transaction(async (connection) => {
        const uids = [...new Set(sopInstanceUids)];
        if (uids.length === 0) return [];
        const state = await load.instances(connection, uids);
        await requireUnprotected(connection, state);
        const taken = uids.flatMap((uid) => state.remove(uid).map((location) => itemOf(uid, location)));
        await write(connection, state);
        await addItems(connection, trash, taken);
        const rows = await itemsOf(connection, trash).where('uid', 'in', uids).execute();
        return rows.map(asItem);
      }),
    trashAdd: ({ trash, items }) =>
      transaction(async (connection) => {
        const known = await itemsOf(connection, trash).execute();
        const names = new Set(known.map(({ uid, path }) => `${uid} ${path}`));
        await addItems(
          connection,
          trash,
          items.filter(({ sopInstanceUid, path }) => !names.has(`${sopInstanceUid} ${path}`)),
        );
        return undefined;
      }),
    trashState: ({ trash, from, to }) =>
      transaction(async (connection) => {
        const row = connection.selectFrom('trash').select('state').where('id', '=', trash);
        const current = (await locked(row).executeTakeFirst())?.state;
        if (!from.some((state) => state === current)) return false;
        await connection.updateTable('trash').set({ state: to }).where('id', '=', trash).execute();
        return true;
      }),
    trashList: async ({ before }) => {
      let query = db.selectFrom('trash').selectAll().orderBy('deleted_at', 'desc').orderBy('id', 'desc');
      if (before !== undefined) {
        const [deletedAt, id] = before;
        query = query.where(({ or, and, eb }) =>
          or([eb('deleted_at', '<', deletedAt), and([eb('deleted_at', '=', deletedAt), eb('id', '<', id)])]),
        );
      }
      return (await query.limit(PAGE).execute()).map(asEntry);
    },
    trashEntry: async (id) => {
      const row = await entryOf(db, id);
      return row && asEntry(row);
    },
    trashUnfinished: async () => {
      const rows = await db
        .selectFrom('trash')
        .selectAll()
        .where('state', '!=', 'trashed')
        .orderBy('deleted_at')
        .execute();
      return rows.map(asEntry);
    },
    trashItems: async ({ trash, after }) => {
      let query = itemsOf(db, trash).limit(PAGE);
      if (after !== undefined) {
        const { sopInstanceUid: uid, receivedAt, id } = after;
        query = query.where(({ or, and, eb }) =>
          or([
            eb('uid', '>', uid),
            and([eb('uid', '=', uid), eb('received_at', '>', receivedAt)]),
            and([eb('uid', '=', uid), eb('received_at', '=', receivedAt), eb('id', '>', id)]),
          ]),
        );
      }
      return (await query.execute()).map(asItem);
    },
    trashOf: async (uid) => {
      const rows = await db.selectFrom('trash_item').selectAll().where('uid', '=', uid).execute();
      return rows.map((row) => ({ ...asItem(row), trash: row.trash_id }));
    },
    trashDrop: ({ trash, items }) =>
      transaction(async (connection) => {
        for (const { id, fileBytes } of items) {
          const [{ numDeletedRows } = { numDeletedRows: 0n }] = await connection
            .deleteFrom('trash_item')
            .where('id', '=', id)
            .where('trash_id', '=', trash)
            .execute();
          if (numDeletedRows > 0n) await countFiles(connection, trash, -1, -fileBytes);
        }
        return undefined;
      }),
    trashForget: (id) =>
      transaction(async (connection) => {
        await connection.deleteFrom('trash_item').where('trash_id', '=', id).execute();
        await connection.deleteFrom('trash').where('id', '=', id).execute();
        return undefined;
      }),
    protect: ({ id, issuer, protectedAt, protectedBy, reason }) =>
      transaction(async (connection) => {
        const identity = identityOf({ id, issuer });
        await connection.deleteFrom('protection').where('identity', '=', identity).execute();
        const who = { protected_at: protectedAt, protected_by: protectedBy, reason };
        await connection
          .insertInto('protection')
          .values({ identity, patient_id: id, issuer, ...who })
          .execute();
        return undefined;
      }),
    unprotect: (patient) =>
      transaction(async (connection) => {
        const [{ numDeletedRows } = { numDeletedRows: 0n }] = await connection
          .deleteFrom('protection')
          .where('identity', '=', identityOf(patient))
          .execute();
        return numDeletedRows > 0n;
      }),
    protections: async () => {
      const rows = await db.selectFrom('protection').selectAll().orderBy('protected_at').execute();
      return rows.map((row) => ({
        id: row.patient_id,
        issuer: row.issuer,
        protectedAt: row.protected_at,
        protectedBy: row.protected_by,
        reason: row.reason,
      }));
    },
  };
}

function itemsOf(connection: Connection, trash: string) {
  return connection
    .selectFrom('trash_item')
    .selectAll()
    .where('trash_id', '=', trash)
    .orderBy('uid')
    .orderBy('received_at')
    .orderBy('id');
}

async function entryOf(connection: Connection, id: string): Promise<Selectable<TrashTable> | undefined> {
  return connection.selectFrom('trash').selectAll().where('id', '=', id).executeTakeFirst();
}

async function addItems(
  connection: Connection,
  trash: string,
  items: readonly Omit<TrashItem, 'id'>[],
): Promise<void> {
  for (const { sopInstanceUid, path, sha256, receivedAt, fileBytes } of items) {
    const content = { sha256, received_at: receivedAt, file_bytes: fileBytes };
    await connection
      .insertInto('trash_item')
      .values({ trash_id: trash, uid: sopInstanceUid, path, ...content })
      .execute();
  }
  const bytes = items.reduce((sum, { fileBytes }) => sum + fileBytes, 0);
  if (items.length > 0) await countFiles(connection, trash, items.length, bytes);
}

async function countFiles(
  connection: Connection,
  trash: string,
  files: number,
  bytes: number,
): Promise<void> {
  await connection
    .updateTable('trash')
    .set((eb) => ({ files: eb('files', '+', files), bytes: eb('bytes', '+', bytes) }))
    .where('id', '=', trash)
    .execute();
}

async function requireUnprotected(connection: Connection, state: IngestState): Promise<void> {
  const identities = [...state.patients.keys()];
  if (identities.length === 0) return;
  const found = await connection
    .selectFrom('protection')
    .selectAll()
    .where('identity', 'in', identities)
    .executeTakeFirst();
  if (found === undefined) return;
  throw new CatalogError(
    'catalog-protected',
    `A patient is protected since ${found.protected_at} by ${found.protected_by} (${found.reason}); end the protection first`,
  );
}

function identityOf({ id, issuer }: PatientKey): string {
  return patientIdentity({ patientId: id, issuer, studyUid: '' });
}

function itemOf(sopInstanceUid: string, location: StoredLocation): Omit<TrashItem, 'id'> {
  const { path, sha256, receivedAt, fileBytes } = location;
  return { sopInstanceUid, path, sha256, receivedAt, fileBytes };
}

function asItem(row: Selectable<TrashItemTable>): TrashItem {
  return {
    id: row.id,
    sopInstanceUid: row.uid,
    path: row.path,
    sha256: row.sha256,
    receivedAt: row.received_at,
    fileBytes: row.file_bytes,
  };
}

function asEntry(row: Selectable<TrashTable>): TrashEntry {
  return {
    id: row.id,
    level: row.level as QueryLevel,
    keys: JSON.parse(row.keys) as SelectKeys,
    attributes: JSON.parse(row.attributes) as TrashEntry['attributes'],
    deletedAt: row.deleted_at,
    deletedBy: row.deleted_by,
    reason: row.reason,
    state: row.state as TrashState,
    files: row.files,
    bytes: row.bytes,
  };
}
