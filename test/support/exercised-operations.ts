// Asks for everything that the catalogue does beside finding and ingesting: jobs, deliveries, trash, the care for what is
// stored. With enough rows in each table that a database would not rather read all of it.

import { TAG } from '../../src/catalog/attributes.ts';
import { openDeliveryStore } from '../../src/catalog/deliveries.ts';
import { prepareAddDeliveries } from '../../src/catalog/delivery-rows.ts';
import type { Engine } from '../../src/catalog/engine.ts';
import { prepareIngest } from '../../src/catalog/ingest.ts';
import { prepareLoad } from '../../src/catalog/ingest-load.ts';
import { ingestRecordOf } from '../../src/catalog/ingest-record.ts';
import { prepareWrite } from '../../src/catalog/ingest-write.ts';
import { openJobStore } from '../../src/catalog/jobs.ts';
import { singleOperations } from '../../src/catalog/operations.ts';
import { instanceRecord, text } from './catalog-generator.ts';

/** Rows of a table. */
const MANY = 600;
const DELIVERIES = 5000;

/** Instances of its own, under this number. */
export async function exerciseOperations(engine: Engine, seed: number): Promise<void> {
  const records = Array.from({ length: MANY }, (_, i) => instanceRecord(`${seed}.3`, 1, i));
  await prepareIngest(engine)(records.map(ingestRecordOf));
  const uids = records.map(({ instance }) => instance.uid);
  await exerciseJobs(engine, seed);
  await exerciseDeliveries(engine, seed, uids);
  await exerciseUpkeep(engine, seed, uids);
  await exerciseTrash(engine, seed, uids);
}

const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

async function exerciseJobs(engine: Engine, seed: number): Promise<void> {
  const jobs = openJobStore(engine);
  const kind = `kind-${seed}`;
  const ids: number[] = [];
  for (let i = 0; i < MANY; i++) {
    const job = { kind, key: `${seed} ${i}`, priority: i % 3, title: { name: 'a job' }, payload: { i } };
    ids.push((await jobs.enqueue({ ...job, dueAt: at(i), now: at(i) })).id);
  }
  const again = { kind, key: `${seed} 0`, priority: 1, title: { name: 'a job' }, payload: {}, again: true };
  await jobs.enqueue({ ...again, dueAt: at(1), now: at(1) });
  const lease = { kinds: [kind], token: `${seed}`, leaseMs: 60_000, now: at(MANY) };
  const { job } = await jobs.lease(lease);
  if (job === undefined) throw new Error('a job that is due is not leased');
  const held = { id: job.id, token: lease.token, now: at(MANY) };
  await jobs.renew({ ...held, leaseMs: 60_000, progress: { done: 1, total: 2 }, checkpoint: { i: 1 } });
  await jobs.settle({ ...held, outcome: { state: 'failed', error: 'no' } });
  await jobs.restart(held);
  await jobs.cancel({ id: ids.at(-1) ?? 0, now: at(MANY) });
  await jobs.get(job.id);
  await jobs.list({ limit: 50 });
  await jobs.list({ states: ['waiting'], kinds: [kind], before: job.id, limit: 50 });
  await jobs.tally(null);
  await jobs.reclaim({ now: at(MANY) });
  await jobs.sweep({ before: at(2) });
}

async function exerciseDeliveries(engine: Engine, seed: number, uids: readonly string[]): Promise<void> {
  const deliveries = openDeliveryStore(engine, prepareAddDeliveries(engine));
  const destination = `SECOND${seed % 10_000}`;
  const now = at(5);
  for (let after = 0, added = 0; added < DELIVERIES; ) {
    const filled = await deliveries.fill({ destination, after, limit: 500, now });
    if (filled.isDone) break;
    after = filled.after;
    added += filled.added;
  }
  const taken = await deliveries.take({ destination, now: at(6), limit: 100 });
  const of = taken.map(({ id, sha256 }) => ({ id, sha256, was: sha256 }));
  await deliveries.sent({ deliveries: of.slice(0, 50), now });
  await deliveries.failed({
    deliveries: of.slice(50, 60).map((one) => ({ ...one, error: 'no', readyAt: at(7) })),
  });
  await deliveries.drop({ ids: of.slice(60, 62).map(({ id }) => id) });
  await deliveries.nextAt({ destination, patienceMs: 60_000 });
  const asked = { destination, transactionUid: `1.2.826.8.${seed}` };
  const assigned = await deliveries.assign({ ...asked, now, limit: 20 });
  const [good = [], bad = []] = [assigned.slice(0, 10), assigned.slice(10)].map((some) =>
    some.map(({ sopInstanceUid }) => sopInstanceUid),
  );
  const failed = bad.map((sopInstanceUid) => ({ sopInstanceUid, error: 'no' }));
  await deliveries.reported({ ...asked, committed: good, failed, now, readyAt: at(8) });
  await deliveries.assign({ ...asked, now, limit: 5 });
  await deliveries.release({ destination, askedBefore: at(9) });
  await deliveries.release(asked);
  await deliveries.lag({ destination });
  await deliveries.late({ destination, before: at(9) });
  await deliveries.ofStudies({ studyUids: taken.map(({ studyUid }) => studyUid) });
  await deliveries.uncommitted({ destination, after: 0, limit: 50 });
  await deliveries.committedOf({ sopInstanceUids: uids.slice(0, 10) });
}

async function exerciseUpkeep(engine: Engine, seed: number, uids: readonly string[]): Promise<void> {
  const ask = singleOperations(engine, prepareLoad(engine), prepareWrite(engine));
  const [uid = ''] = uids;
  const now = at(5);
  await ask.intake('2024-01-01');
  const due = await ask.due({ before: now, limit: 100 });
  await ask.verified(
    due.map(({ id, location }) => ({ id, sha256: location.sha256, verifiedAt: now, result: 'sound' })),
  );
  const [one] = due;
  if (one !== undefined) await ask.relocate(one);
  await ask.proof(`1.2.826.1.${seed}.3`);
  await ask.fingerprints(uids.slice(0, 200));
  const known = { kind: 'data-altered', sopInstanceUid: uid, reason: 'one byte', foundAt: now } as const;
  let finding = 0;
  for (let i = 0; i < MANY; i++)
    finding = (await ask.report({ ...known, path: `studies/${seed}/${i}` })).finding.id;
  const done = { at: now, by: 'somebody', action: 'read-again', outcome: 'as before' };
  await ask.act({ ...done, finding, state: 'accepted' });
  await ask.solve({ ...done, path: `studies/${seed}/0` });
  await ask.finding(finding);
  await ask.findings({});
  await ask.findings({ state: 'open', below: finding });
  await ask.openFindings(undefined);
  for (let i = 0; i < 50; i++) {
    const id = await ask.beginRun(at(i));
    const ended = { startedAt: at(i), endedAt: at(i + 1), state: 'done', files: 1, bytes: 1 } as const;
    await ask.updateRun({ id, ...ended, findings: 0, repaired: 0 });
  }
  await ask.runs(20);
  await ask.raise({ key: `${seed}`, code: 'space', level: 'info', params: {}, at: now });
  await ask.notices(undefined);
  await ask.clear(`${seed}`);
  await ask.setProgress({ name: `${seed}`, value: '1' });
  await ask.progress(`${seed}`);
}

async function exerciseTrash(engine: Engine, seed: number, uids: readonly string[]): Promise<void> {
  const ask = singleOperations(engine, prepareLoad(engine), prepareWrite(engine));
  const deletion = (i: number) => ({
    ...({
      id: `${seed}-${i}`,
      level: 'STUDY',
      keys: {},
      attributes: { [TAG.PatientID]: text('LO', 'P') },
    } as const),
    ...{ deletedAt: at(i), deletedBy: 'somebody', reason: 'a test' },
  });
  for (let i = 0; i < 100; i++) await ask.trashOpen({ ...deletion(i), state: 'trashed' });
  const trash = `${seed}-open`;
  await ask.trashOpen({ ...deletion(0), id: trash, state: 'deleting' });
  await ask.trashTake({ trash, sopInstanceUids: uids.slice(0, 400) });
  await ask.trashState({ trash, from: ['deleting'], to: 'trashed' });
  const items = await ask.trashItems({ trash });
  const [first] = items;
  if (first === undefined) throw new Error('what was deleted is not in the trash');
  await ask.trashItems({ trash, after: first });
  await ask.trashAdd({ trash, items: [{ ...first, path: `${first.path}.older` }] });
  await ask.trashOf(first.sopInstanceUid);
  await ask.trashEntry(trash);
  await ask.trashUnfinished(undefined);
  await ask.trashList({});
  await ask.trashList({ before: [at(50), `${seed}-50`] });
  await ask.trashDrop({ trash, items: [first] });
  const key = { id: `P${seed}`, issuer: '' };
  await ask.protect({ ...key, protectedAt: at(1), protectedBy: 'somebody', reason: 'a test' });
  await ask.protections(undefined);
  await ask.unprotect(key);
  await ask.trashForget(trash);
}
