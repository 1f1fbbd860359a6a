// Storage Commitment SCP (PS3.4 Annex J): what "committed" means, and how the report finds its way.

import assert from 'node:assert/strict';
import { truncate, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from '../../support/byte-association.ts';
import {
  actionInformation,
  askCommitment,
  PUSH_MODEL,
  type Reference,
  ReportPort,
  type ReportPortOptions,
  sendAction,
  takeReport,
} from '../../support/byte-commitment-scu.ts';
import type { ElementSpec } from '../../support/byte-elements.ts';
import { type MadeInstance, madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { type CommitmentSite, openCommitmentSite } from '../../support/commitment-site.ts';
import { flipByte } from '../../support/damage.ts';
import { type TempFolder, tempFolder } from '../../support/temp-folder.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
let folder: TempFolder;
let site: CommitmentSite;
let instances: MadeInstance[];
before(async () => {
  folder = await tempFolder('commitment');
  site = await openCommitmentSite(folder.path);
  const studyUid = freshUid();
  instances = Array.from({ length: 100 }, () => madeInstance({ studyUid }));
  for (const instance of instances) await site.opened.acknowledge(instance);
  await site.opened.archive.counts();
});
after(async () => {
  await site[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const associate = (callingAeTitle: string, transferSyntaxes: readonly string[] = [IMPLICIT_LE]) =>
  ByteAssociation.request({
    port: site.port,
    callingAeTitle,
    contexts: [{ abstractSyntax: PUSH_MODEL, transferSyntaxes }],
  });

async function reportPort(t: { after(fn: () => void): void }, title: string, options?: ReportPortOptions) {
  const port = await ReportPort.listen(options);
  t.after(() => port.close());
  site.reportPeers.set(title, { ...address(title, port.port), report: 'new-association' });
  return port;
}

const address = (aeTitle: string, port: number) => ({ aeTitle, host: '127.0.0.1', port });

/** Asks on an association that is released at once, and lets the clock go on. */
async function ask(title: string, references: readonly Reference[], transactionUid = freshUid()) {
  const association = await associate(title);
  const response = await askCommitment(association, transactionUid, references);
  assert.deepEqual([response.Status, response.ActionTypeID], [0, 1]);
  await association.release();
  return transactionUid;
}

async function pathOf({ sopInstanceUid }: Reference): Promise<string> {
  const found = await site.opened.catalog.locate(sopInstanceUid);
  assert.ok(found);
  return join(folder.path, 'archive', found.location.path);
}

const uidsOf = (references: readonly Reference[]) => references.map(({ sopInstanceUid }) => sopInstanceUid);

describe('what success means', () => {
  test('of 100 instances one has one other byte: exactly that one is reported failed (0110H)', async (t) => {
    const port = await reportPort(t, 'DSA');
    const settled = site.settled();
    const damaged = instances[41] as MadeInstance;
    const mend = await flipByte(await pathOf(damaged), -3);
    const transactionUid = await ask('DSA', instances);
    site.later(1000);
    assert.equal((await settled).state, 'done');
    const [report] = port.reports;
    assert.deepEqual([...(report?.failed ?? [])], [[damaged.sopInstanceUid, 0x0110]]);
    assert.deepEqual(
      report?.committed,
      uidsOf(instances).filter((uid) => uid !== damaged.sopInstanceUid),
    );
    assert.deepEqual([report?.eventTypeId, report?.transactionUid], [2, transactionUid]);
    await mend();
  });

  test('never stored, file gone: 0112H; another class: 0119H; shorter than it was: 0110H', async (t) => {
    const port = await reportPort(t, 'REASONS');
    const lost = madeInstance();
    const short = madeInstance();
    for (const instance of [lost, short]) await site.opened.store(instance);
    await unlink(await pathOf(lost));
    await truncate(await pathOf(short), 500);
    const never = { sopClassUid: CT, sopInstanceUid: freshUid() };
    const other = { sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: uidsOf(instances)[0] ?? '' };
    const settled = site.settled();
    await ask('REASONS', [never, lost, other, short]);
    site.later(1000);
    await settled;
    assert.deepEqual([...(port.reports[0]?.failed.values() ?? [])], [0x0112, 0x0112, 0x0119, 0x0110]);
    assert.deepEqual(port.reports[0]?.committed, []);
  });

  test('all there: event type 1, no Failed SOP Sequence', async (t) => {
    const port = await reportPort(t, 'ALL');
    const settled = site.settled();
    await ask('ALL', instances.slice(0, 3));
    site.later(1000);
    await settled;
    assert.deepEqual(
      [port.reports[0]?.eventTypeId, port.reports[0]?.failed.size, port.reports[0]?.committed],
      [1, 0, uidsOf(instances.slice(0, 3))],
    );
  });
});

describe('the way of the report', () => {
  test('a new association to another AE title and port, as SCP (PS3.7 §D.3.3.4)', async (t) => {
    const port = await ReportPort.listen({ choose: (proposed) => proposed.at(-1) });
    t.after(() => port.close());
    site.reportPeers.set('SIEMENS', { ...address('STC_SCU', port.port), report: 'new-association' });
    const settled = site.settled();
    const association = await associate('SIEMENS', [EXPLICIT_LE]);
    await askCommitment(association, freshUid(), instances.slice(0, 2));
    site.later(1000);
    await settled;
    await association.release();
    assert.equal(port.reports.length, 1);
    assert.deepEqual(port.calls, [
      { calledAeTitle: 'STC_SCU', roles: [{ sopClassUid: PUSH_MODEL, scu: false, scp: true }] },
    ]);
  });

  test('a peer that does not answer role selection gets its report all the same', async (t) => {
    const port = await reportPort(t, 'OLD', { answersRoles: false });
    const settled = site.settled();
    await ask('OLD', instances.slice(0, 1));
    site.later(1000);
    await settled;
    assert.equal(port.reports.length, 1);
  });

  for (const syntax of [IMPLICIT_LE, EXPLICIT_LE]) {
    test(`the same association, where the peer wants it so, ${syntax}`, async () => {
      site.reportPeers.set('SAME', { ...address('SAME', 1), report: 'same-association' });
      const association = await associate('SAME', [syntax]);
      const settled = site.settled();
      const transactionUid = freshUid();
      await askCommitment(association, transactionUid, instances.slice(0, 2));
      site.later(1000);
      const report = await takeReport(association);
      assert.equal((await settled).state, 'done');
      assert.deepEqual([report.transactionUid, report.committed.length], [transactionUid, 2]);
      await association.release();
    });
  }

  test('the same association is over: a new one', async (t) => {
    const port = await reportPort(t, 'GONE');
    site.reportPeers.set('GONE', { ...address('GONE', port.port), report: 'same-association' });
    const settled = site.settled();
    await ask('GONE', instances.slice(0, 1));
    site.later(1000);
    await settled;
    assert.equal(port.reports.length, 1);
  });

  test('a peer that refuses connections for an hour gets one report when it listens again', async (t) => {
    const first = await ReportPort.listen();
    const { port } = first;
    await first.close();
    site.reportPeers.set('AWAY', { ...address('AWAY', port), report: 'new-association' });
    let settled = site.settled();
    await ask('AWAY', instances.slice(0, 2));
    site.later(1000);
    let waited = 0;
    while (waited < 3_600_000) {
      const outcome = await settled;
      assert.equal(outcome.state, 'waiting');
      const waitMs = Date.parse('dueAt' in outcome ? outcome.dueAt : '') - site.now().getTime();
      assert.ok(waitMs <= 3_600_000);
      waited += waitMs;
      settled = site.settled();
      if (waited >= 3_600_000) break;
      site.later(waitMs);
    }
    const back = await ReportPort.listen({}, port);
    t.after(() => back.close());
    site.later(3_600_000);
    assert.equal((await settled).state, 'done');
    assert.equal(back.reports.length, 1);
  });

  test('a report that could not be sent at once tells of what was deleted, lost or replaced until it is sent', async (t) => {
    const later = Array.from({ length: 5 }, () => madeInstance());
    const [deleted, lost, replaced, damaged, kept] = later;
    assert.ok(deleted && lost && replaced && damaged && kept);
    for (const instance of later) await site.opened.store(instance);
    const mend = await flipByte(await pathOf(damaged), -1);
    const port = await reportPort(t, 'LATER', { behaviour: (n) => (n === 0 ? 0x0110 : 0) });
    const failed = site.settled();
    await ask('LATER', later);
    site.later(1000);
    assert.equal((await failed).state, 'waiting');
    await mend();
    await site.opened.archive.delete({ study: deleted.studyUid }, 'test', 'between two attempts');
    await unlink(await pathOf(lost));
    await site.opened.store(madeInstance({ ...replaced, patientName: 'Newer^Content' }));
    await flipByte(await pathOf(replaced), -1);
    const done = site.settled();
    site.later(60_000);
    assert.equal((await done).state, 'done');
    assert.deepEqual(
      [...(port.reports[0]?.failed ?? [])],
      [
        [deleted.sopInstanceUid, 0x0112],
        [lost.sopInstanceUid, 0x0112],
        [replaced.sopInstanceUid, 0x0110],
        [damaged.sopInstanceUid, 0x0110],
      ],
    );
    assert.deepEqual(port.reports[0]?.committed, [kept.sopInstanceUid]);
  });

  test('a peer that aborts in the middle, then answers with a failure, gets one correct report in the end', async (t) => {
    const port = await reportPort(t, 'RUDE', {
      behaviour: (n) => (n === 0 ? 'abort' : n === 1 ? 0x0110 : 0),
    });
    let settled = site.settled();
    await ask('RUDE', instances.slice(0, 2));
    site.later(1000);
    for (const state of ['waiting', 'waiting', 'done']) {
      assert.equal((await settled).state, state);
      settled = site.settled();
      site.later(60_000);
    }
    assert.equal(port.reports.length, 1);
  });

  test('a caller that is no peer and has gone: the job says what to do, and is done when that was done', async (t) => {
    let settled = site.settled();
    await ask('STRANGER', instances.slice(0, 1));
    site.later(1000);
    const outcome = await settled;
    assert.match('error' in outcome ? (outcome.error ?? '') : '', /STRANGER .* is not in the list of peers/);
    settled = site.settled();
    const port = await reportPort(t, 'STRANGER');
    site.later(10_000);
    assert.equal((await settled).state, 'done');
    assert.equal(port.reports.length, 1);
  });
});

describe('transactions', () => {
  test('repeated while it is pending: one report; repeated after it: another', async (t) => {
    const port = await reportPort(t, 'TWICE');
    let settled = site.settled();
    const transactionUid = await ask('TWICE', instances.slice(0, 2));
    await ask('TWICE', instances.slice(0, 2), transactionUid);
    site.later(1000);
    await settled;
    assert.equal(port.reports.length, 1);
    settled = site.settled();
    await ask('TWICE', instances.slice(0, 2), transactionUid);
    site.later(1000);
    await settled;
    assert.equal(port.reports.length, 2);
  });

  test('another list under a Transaction UID that is pending fails with 0131H', async (t) => {
    const port = await reportPort(t, 'DUPLICATE');
    let settled = site.settled();
    const transactionUid = await ask('DUPLICATE', instances.slice(0, 2));
    await ask('DUPLICATE', instances.slice(2, 3), transactionUid);
    site.later(1000);
    await settled;
    while (port.reports.length < 2) {
      settled = site.settled();
      if (port.reports.length < 2) await settled;
    }
    assert.deepEqual(
      port.reports.map(({ committed, failed }) => [committed.length, [...failed.values()]]).sort(),
      [
        [0, [0x0131]],
        [2, []],
      ],
    );
  });
});

describe('a request that leaves out what it may, or adds what it may (PS3.4 Table J.3-1)', () => {
  type Overrides = Parameters<typeof sendAction>[2];
  const plain = (uid: string) => actionInformation(uid, instances.slice(0, 2));
  const variants: [string, (uid: string) => ReturnType<typeof actionInformation>, Overrides][] = [
    ['no Requested SOP Class UID', plain, { RequestedSOPClassUID: null }],
    ['no Requested SOP Instance UID', plain, { RequestedSOPInstanceUID: null }],
    ['neither of the two', plain, { RequestedSOPClassUID: null, RequestedSOPInstanceUID: null }],
    [
      'Storage Media File-Set and Performed Procedure Step',
      (uid) => [
        {
          tag: 0x00081111,
          vr: 'SQ',
          value: [
            [
              { tag: 0x00081150, vr: 'UI', value: '1.2.840.10008.3.1.2.3.3' },
              { tag: 0x00081155, vr: 'UI', value: freshUid() },
            ],
          ],
        },
        ...plain(uid),
        { tag: 0x00880130, vr: 'SH', value: 'DISC1' },
        { tag: 0x00880140, vr: 'UI', value: freshUid() },
      ],
      {},
    ],
  ];
  for (const [what, information, overrides] of variants) {
    for (const syntax of [IMPLICIT_LE, EXPLICIT_LE]) {
      test(`${what}, ${syntax}: one correct report`, async (t) => {
        const port = await reportPort(t, 'SPARSE');
        const settled = site.settled();
        const association = await associate('SPARSE', [syntax]);
        const transactionUid = freshUid();
        const response = await sendAction(association, information(transactionUid), overrides);
        assert.deepEqual([response.Status, response.ActionTypeID], [0, 1]);
        await association.release();
        site.later(1000);
        assert.equal((await settled).state, 'done');
        assert.equal(port.reports.length, 1);
        const [report] = port.reports;
        assert.deepEqual(
          [report?.eventTypeId, report?.transactionUid, report?.committed],
          [1, transactionUid, uidsOf(instances.slice(0, 2))],
        );
      });
    }
  }
});

describe('requests that are refused (PS3.7 §10.1.4.1.10)', () => {
  const cases: [string, Parameters<typeof askCommitment>[3], number][] = [
    ['another SOP class', { RequestedSOPClassUID: '1.2.840.10008.1.20.2' }, 0x0118],
    ['another instance', { RequestedSOPInstanceUID: '1.2.3' }, 0x0112],
    ['another action', { ActionTypeID: 2 }, 0x0123],
  ];
  for (const [what, overrides, status] of cases) {
    test(what, async () => {
      const association = await associate('WRONG');
      const response = await askCommitment(association, freshUid(), instances.slice(0, 1), overrides);
      assert.equal(response.Status, status);
      await association.release();
    });
  }

  /** Each leaves out one thing that has to be there. */
  const incomplete: [string, (whole: ElementSpec[]) => ElementSpec[] | undefined, number][] = [
    ['no Action Information', () => undefined, 0x0114],
    ['empty Action Information', () => [], 0x0115],
    ['no Transaction UID', (whole) => whole.filter(({ tag }) => tag !== 0x00081195), 0x0115],
    ['no Referenced SOP Sequence', (whole) => whole.filter(({ tag }) => tag !== 0x00081199), 0x0115],
    ['an item without Referenced SOP Class UID', (whole) => withItem(whole, 0x00081150), 0x0115],
    ['an item without Referenced SOP Instance UID', (whole) => withItem(whole, 0x00081155), 0x0115],
  ];
  const withItem = (whole: ElementSpec[], without: number): ElementSpec[] =>
    whole.map((element) =>
      element.tag === 0x00081199
        ? {
            ...element,
            value: (element.value as ElementSpec[][]).map((item, n) =>
              n === 1 ? item.filter(({ tag }) => tag !== without) : item,
            ),
          }
        : element,
    );
  for (const [what, change, status] of incomplete) {
    test(`${what}: refused, and nothing is promised`, async () => {
      const association = await associate('WRONG');
      const whole = actionInformation(freshUid(), instances.slice(0, 3));
      const response = await sendAction(association, change(whole));
      assert.equal(response.Status, status);
      // The association goes on.
      const again = await sendAction(association, change(whole), { ActionTypeID: null });
      assert.equal(again.Status, 0x0123);
      await association.release();
      const jobs = await site.queue.list({ limit: 200, kinds: ['commitment'] });
      assert.ok(jobs.every(({ title }) => title.peer !== 'WRONG'));
    });
  }

  test('no instances, no valid UID', async () => {
    const association = await associate('WRONG');
    assert.equal((await askCommitment(association, freshUid(), [])).Status, 0x0115);
    assert.equal((await askCommitment(association, 'no uid', instances.slice(0, 1))).Status, 0x0115);
    const bad = [{ sopClassUid: CT, sopInstanceUid: '../../etc' }];
    assert.equal((await askCommitment(association, freshUid(), bad)).Status, 0x0115);
    await association.release();
    const none = await site.queue.list({ limit: 100, kinds: ['commitment'] });
    assert.ok(none.every(({ title }) => title.peer !== 'WRONG'));
  });
});
