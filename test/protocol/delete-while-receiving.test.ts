// One daemon deletes what another one is receiving: what was acknowledged is in the index with its file, or, where it came
// before the deletion, in the trash with its file. Never nowhere, never listed without a file.

import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Archive } from '../../src/archive/archive.ts';
import { verifyArchive } from '../../src/archive/verify.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { CatalogError } from '../../src/catalog/errors.ts';
import { openCatalog } from '../../src/catalog/open.ts';
import { StorageArea } from '../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../src/util/byte-source.ts';
import { fileHashes, filesIn } from '../support/archive-state.ts';
import { AssociationOverError, ByteAssociation } from '../support/byte-association.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { sha256, storageContexts, store } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { httpAsk } from '../support/http-site.ts';
import { MariadbServer } from '../support/mariadb-server.ts';
import { NOISE } from '../support/synthetic-instances.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROUNDS = Number(process.env.ANGIOVAULT_SEVERAL_ROUNDS ?? 2);
const LARGE = { tag: 0x7fe00010, vr: 'OW', value: Buffer.concat([NOISE, NOISE.subarray(0, 1000)]) };

let server: MariadbServer;
before(async () => {
  server = await MariadbServer.start();
});
after(() => server[Symbol.asyncDispose]());

interface Opened extends AsyncDisposable {
  readonly archive: Archive;
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  /** The catalogue takes nothing in. */
  isAway: boolean;
}

/** One of several daemons, in this process. */
async function openOne(folder: string, url: string): Promise<Opened> {
  const storage = await StorageArea.open(join(folder, 'archive'), { reserveBytes: 0, shared: true });
  const real = await openCatalog(url);
  const opened = { isAway: false };
  const catalog = new Proxy(real, {
    get: (target, name) => {
      if (name === 'ingest' && opened.isAway)
        return async () => {
          throw new CatalogError('catalog-unreachable', 'away');
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const archive = new Archive({ storage, catalog, overrides: () => undefined, now: () => new Date() });
  await archive.open();
  return Object.assign(opened, {
    ...{ archive, storage, catalog },
    [Symbol.asyncDispose]: async () => {
      await archive.close();
      await real.close();
      await storage.close();
    },
  });
}

const receive = async ({ archive }: Opened, instance: MadeInstance) => {
  const input = { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
  await (await archive.store(input, byteSourceOf(instance.dataSet))).placed;
};

describe('received again by one daemon and not yet in the index, deleted by another', () => {
  for (const size of ['small', 'large'] as const) {
    const elements = size === 'large' ? [LARGE] : [];
    for (const content of ['the same', 'other'] as const) {
      test(`${size}, ${content} content: it is there, and what the trash says is true`, async () => {
        await using folder = await tempFolder('delete-receive');
        const url = server.url(await server.freshDatabase());
        await using deleting = await openOne(folder.path, url);
        await using receiving = await openOne(folder.path, url);
        const first = madeInstance({ elements });
        const again = content === 'the same' ? first : madeInstance({ ...first, patientName: 'B', elements });
        await receive(deleting, first);
        await deleting.archive.counts();
        receiving.isAway = true;
        await receive(receiving, again);
        const { id } = await deleting.archive.delete({ study: first.studyUid }, 'chief', '');
        receiving.isAway = false;
        await receiving.archive.counts();
        const found = await deleting.catalog.locate(first.sopInstanceUid);
        assert.equal(found?.location.sha256, sha256(again.dataSet));
        assert.deepEqual(await Array.fromAsync(verifyArchive(deleting.storage, deleting.catalog)), []);
        const listed = await deleting.catalog.ask('trashItems', { trash: id });
        const trashed = filesIn(folder.path, 'trash').filter((file) => file.endsWith('.dcm'));
        assert.deepEqual(trashed, listed.map(({ path }) => `${id}/${path}`).sort());
        for (const file of trashed) {
          const { actual } = fileHashes(join(folder.path, 'archive', 'trash', file));
          assert.equal(actual, listed[0]?.sha256);
        }
        if (content === 'other') {
          assert.equal((await deleting.archive.restore(id)).restored, 1);
          const [older] = await deleting.catalog.superseded(first.sopInstanceUid);
          assert.equal(older?.sha256, sha256(first.dataSet));
          assert.deepEqual(await Array.fromAsync(verifyArchive(deleting.storage, deleting.catalog)), []);
        }
      });
    }
  }
});

async function startOn(folder: string, name: string, url: string): Promise<Daemon> {
  await mkdir(join(folder, name), { recursive: true });
  const config = { archive: { directory: join(folder, 'archive') } };
  await writeFile(join(folder, name, 'config.json'), JSON.stringify(config));
  return startDaemon({ dataDir: join(folder, name), args: ['--catalog', url] });
}

/** Sends them over and over, until the daemon dies or `isOver`; tells of each that was acknowledged. */
async function sendUntil(
  daemon: Daemon,
  instances: readonly MadeInstance[],
  acknowledged: (sopInstanceUid: string) => void,
  isOver: () => boolean,
): Promise<void> {
  try {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([instances[0]!]),
    });
    while (!isOver()) {
      for (const instance of instances) {
        const { Status } = await store(association, instance);
        assert.equal(Status, 0);
        acknowledged(instance.sopInstanceUid);
      }
    }
    await association.release();
  } catch (error) {
    if (!(error instanceof AssociationOverError)) throw error;
  }
}

test(`${ROUNDS} rounds of sending and deleting at once, each ended by kill -9 of one side: nothing is lost`, async () => {
  await using folder = await tempFolder('delete-receive');
  const url = server.url(await server.freshDatabase());
  const names = ['deleting', 'receiving'] as const;
  const daemons = [await startOn(folder.path, names[0], url), await startOn(folder.path, names[1], url)];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      const studyUid = freshUid();
      const instances = Array.from({ length: 6 }, (_, n) =>
        madeInstance({ studyUid, elements: n % 3 === 0 ? [LARGE] : [] }),
      );
      const acknowledged = new Set<string>();
      const [deleting, receiving] = daemons as [Daemon, Daemon];
      let isOver = false;
      const begun = Promise.withResolvers<void>();
      const sending = sendUntil(
        receiving,
        instances,
        (uid) => {
          acknowledged.add(uid);
          begun.resolve();
        },
        () => isOver,
      );
      const remove = async () => {
        for (let times = 0; times < 8; times += 1) {
          await pause(Math.random() * 60);
          const body = { reason: '' };
          await httpAsk(deleting.httpPort, `/api/studies/${studyUid}`, { method: 'DELETE', body });
        }
      };
      const victim = round % 2;
      const removing = remove().catch(() => undefined);
      await Promise.race([begun.promise, sending]);
      await pause(300 + Math.random() * 300);
      await daemons[victim]!.kill();
      isOver = true;
      await Promise.all([sending, removing]);
      daemons[victim] = await startOn(folder.path, names[victim]!, url);
      await daemons[0]!.stop();
      await daemons[1]!.stop();
      assert.ok(acknowledged.size > 0);
      await assertKept(folder.path, url, acknowledged);
      for (const side of [0, 1]) daemons[side] = await startOn(folder.path, names[side]!, url);
    }
  } finally {
    for (const daemon of daemons) await daemon.kill();
  }
});

/** Every one is in the index or in the trash, with its file. */
async function assertKept(folder: string, url: string, uids: ReadonlySet<string>): Promise<void> {
  await using opened = await openOne(folder, url);
  const { storage, catalog, archive } = opened;
  await archive.finishDeletions();
  assert.deepEqual(await Array.fromAsync(verifyArchive(storage, catalog)), []);
  const trashed = filesIn(folder, 'trash').filter((file) => file.endsWith('.dcm'));
  for (const uid of uids) {
    const isListed = (await catalog.locate(uid)) !== undefined;
    const items = await catalog.ask('trashOf', uid);
    for (const { trash, path } of items) assert.ok(trashed.includes(`${trash}/${path}`), `${trash}/${path}`);
    assert.ok(isListed || items.length > 0, `${uid} was acknowledged and is nowhere`);
  }
}
