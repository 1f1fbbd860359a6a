// Start-up after the end came while a large instance was placed, or took the place of another: the older content stays
// current until the newer one has its name, and both are known afterwards.
import assert from 'node:assert/strict';
import { link, mkdir, truncate } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { supersededPath } from '../../../src/archive/instance-path.ts';
import { encodeIntent } from '../../../src/archive/intent.ts';
import { verifyArchive } from '../../../src/archive/verify.ts';
import { encodeFileHead } from '../../../src/dicom/file-meta.ts';
import { StorageArea } from '../../../src/storage/storage-area.ts';
import { byteSourceOf } from '../../../src/util/byte-source.ts';
import { fileHashes, filesIn } from '../../support/archive-state.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { openArchive, selected } from '../../support/open-archive.ts';
import { assemble, hashOf, pathOf, type Reception } from '../../support/recorded-receptions.ts';
import { NOISE } from '../../support/synthetic-instances.ts';
import { tempFolder } from '../../support/temp-folder.ts';

const FIRST = '2026-02-01T08:00:00.000Z';
const SECOND = '2026-02-01T08:00:07.000Z';

type Step = 'intended' | 'linked' | 'replaced';

interface Case {
  readonly older: Reception;
  readonly newer: Reception;
  readonly step: Step;
  /** What the catalogue holds. */
  readonly known: 'nothing' | 'older' | 'both';
}

function instanceOf(bytes: number, seed: number, options: Partial<MadeInstance> = {}): MadeInstance {
  const value = Buffer.concat([NOISE.subarray(2 * seed), NOISE]).subarray(0, bytes);
  return madeInstance({ ...options, elements: [{ tag: 0x7fe00010, vr: 'OW', value }] });
}

async function spool(area: StorageArea, { instance, receivedAt }: Reception) {
  const ae = { sourceAeTitle: 'DSA', sendingAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
  return await area.spool(encodeFileHead({ ...instance, ...ae }, receivedAt), byteSourceOf(instance.dataSet));
}

/** As the archive does it when there is nothing yet. */
async function place(area: StorageArea, reception: Reception): Promise<void> {
  const path = pathOf(reception.instance);
  const spooled = await spool(area, reception);
  if (spooled.isSmall) {
    const held = await spooled.hold(encodeIntent({ path, receivedAt: reception.receivedAt }));
    await area.placeHeld([{ held, sealedHead: spooled.sealedHead, path }]);
    return;
  }
  await area.journal.append(encodeIntent({ path }));
  await spooled.place(path);
}

/** As the archive does it when there is older content, up to some step. */
async function placeOver(area: StorageArea, { older, newer, step }: Case): Promise<void> {
  const path = pathOf(newer.instance);
  const supersededTo = supersededPath(newer.instance, newer.receivedAt, hashOf(older.instance));
  const spooled = await spool(area, newer);
  await spooled.flush();
  await area.journal.append(encodeIntent({ path }));
  await area.journal.append(encodeIntent({ path, supersededPath: supersededTo }));
  if (step === 'replaced') await spooled.replace(path, supersededTo);
  else await spooled.discard();
  if (step === 'linked') {
    await mkdir(dirname(join(area.root, supersededTo)), { recursive: true });
    await link(join(area.root, path), join(area.root, supersededTo));
  }
}

/** A folder whose catalogue holds what the cases say. */
async function cataloguing(folder: string, cases: readonly Case[]): Promise<string> {
  await mkdir(folder);
  let now = FIRST;
  await using opened = await openArchive(folder, () => new Date(now));
  for (const { older, newer, known } of cases) {
    const receptions = { nothing: [], older: [older], both: [older, newer] }[known];
    for (const { instance, receivedAt } of receptions) {
      now = receivedAt;
      await opened.store(instance);
    }
  }
  return folder;
}

describe('a large instance whose placement was interrupted', () => {
  for (const bytes of [5000, 1_300_000]) {
    test(`over one of ${bytes} bytes: at every step, whatever the catalogue has, nothing is lost and nothing is twice`, async () => {
      await using base = await tempFolder('replay');
      await using folder = await tempFolder('replay');
      const cases = (['intended', 'linked', 'replaced'] as const).flatMap((step) =>
        (['nothing', 'older', 'both'] as const)
          // The catalogue comes last.
          .filter((known) => known !== 'both' || step === 'replaced')
          .map((known, seed): Case => {
            const older = instanceOf(bytes, seed);
            const newer = instanceOf(1_400_000, seed + 50, older);
            return {
              older: { instance: older, receivedAt: FIRST },
              newer: { instance: newer, receivedAt: SECOND },
              step,
              known,
            };
          }),
      );
      await assemble(folder.path, {
        record: await emptyRecord(join(base.path, 'empty')),
        catalog: await cataloguing(join(base.path, 'catalog'), cases),
      });
      const area = await StorageArea.open(join(folder.path, 'archive'), { reserveBytes: 0 });
      for (const one of cases) {
        await place(area, one.older);
        await placeOver(area, one);
      }
      await area.close();

      await using opened = await openArchive(folder.path);
      for (const { older, newer, step, known } of cases) {
        const what = `${step}, ${known} in the catalogue`;
        const [current, rest] =
          step === 'replaced' ? [newer.instance, [older.instance]] : [older.instance, []];
        const [found, ...others] = await selected(opened.archive, current.studyUid);
        assert.deepEqual([found!.location.sha256, others], [hashOf(current), []], what);
        await (await opened.archive.openInstance(found!)).close();
        const listed = await opened.catalog.superseded(current.sopInstanceUid);
        assert.deepEqual(
          listed.map(({ sha256 }) => sha256),
          rest.map(hashOf),
          what,
        );
        for (const { path, sha256 } of listed) {
          assert.equal(fileHashes(join(folder.path, 'archive', path)).actual, sha256, what);
        }
        const kept = filesIn(folder.path, 'superseded').filter((file) =>
          file.includes(current.sopInstanceUid),
        );
        assert.equal(kept.length, rest.length, what);
      }
      assert.deepEqual(await Array.fromAsync(verifyArchive(opened.storage, opened.catalog)), []);
      assert.deepEqual([opened.faults, filesIn(folder.path, 'quarantine')], [[], []]);
      assert.equal((await opened.archive.counts()).instances, cases.length);
    });
  }

  test('where there was nothing: with its file it is in the catalogue, without it there is nothing', async () => {
    await using folder = await tempFolder('replay');
    const placed = instanceOf(1_300_000, 1);
    const intended = instanceOf(1_300_000, 2);
    const area = await StorageArea.open(join(folder.path, 'archive'), { reserveBytes: 0 });
    await place(area, { instance: placed, receivedAt: FIRST });
    await (await spool(area, { instance: intended, receivedAt: FIRST })).flush();
    await area.journal.append(encodeIntent({ path: pathOf(intended) }));
    await area.close();
    await using opened = await openArchive(folder.path);
    assert.equal((await selected(opened.archive, placed.studyUid)).length, 1);
    assert.deepEqual(await selected(opened.archive, intended.studyUid), []);
    assert.deepEqual(filesIn(folder.path, 'incoming'), []);
    assert.deepEqual([opened.faults, filesIn(folder.path, 'studies').length], [[], 1]);
  });

  test('and whose file is not as it was received: it goes to quarantine, and the fault names it', async () => {
    await using folder = await tempFolder('replay');
    const instance = instanceOf(1_300_000, 1);
    const area = await StorageArea.open(join(folder.path, 'archive'), { reserveBytes: 0 });
    await place(area, { instance, receivedAt: FIRST });
    await area.close();
    await truncate(join(folder.path, 'archive', pathOf(instance)), 400_000);
    await using opened = await openArchive(folder.path);
    assert.deepEqual(await selected(opened.archive, instance.studyUid), []);
    assert.equal(filesIn(folder.path, 'quarantine').length, 1);
    assert.match(opened.faults.join(), new RegExp(`${pathOf(instance)} is not as it was received`));
  });
});

async function emptyRecord(folder: string): Promise<string> {
  await mkdir(folder);
  const area = await StorageArea.open(join(folder, 'archive'), { reserveBytes: 0 });
  await area.close();
  assert.deepEqual(filesIn(folder, 'journal'), []);
  return folder;
}
