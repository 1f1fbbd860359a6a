// Senders of the crash tests: they store until the daemon dies under them, and know what it owes.

import assert from 'node:assert/strict';
import { foundUids, hashesByGet } from './archive-state.ts';
import { AssociationOverError, ByteAssociation } from './byte-association.ts';
import { type MadeInstance, madeInstance } from './byte-instances.ts';
import { freshUid } from './byte-pdu.ts';
import { sha256, storageContexts, store } from './byte-services.ts';
import type { Daemon } from './daemon.ts';
import { NOISE } from './synthetic-instances.ts';

const PIXEL_DATA = 0x7fe00010;
/** More than the durable record takes of one instance. */
const PIXELS = Buffer.concat([NOISE, NOISE]);

/** All that was sent for one SOP Instance UID: hashes in the order of sending, and how many of them got Success. */
export interface Sent {
  readonly instance: MadeInstance;
  readonly hashes: string[];
  acknowledged: number;
}

/** Repeatable random numbers (mulberry32), so that a failing run can be run again. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends until the association dies: mostly small instances, some large ones, some that replace an earlier one. */
export async function sendUntilKilled(
  daemon: Daemon,
  random: () => number,
  studyUid: string,
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const seriesUid = freshUid();
  const template = madeInstance();
  try {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([template]),
    });
    for (let index = 0; ; index += 1) {
      const replaced = random() < 0.15 ? sent[Math.floor(random() * sent.length)] : undefined;
      const pixelBytes = 2 * Math.floor(random() < 0.1 ? random() * 900_000 : random() * 4_000);
      const instance = madeInstance({
        studyUid,
        seriesUid,
        patientName: `Round^${index}`,
        ...(replaced === undefined ? {} : { sopInstanceUid: replaced.instance.sopInstanceUid }),
        elements: [{ tag: PIXEL_DATA, vr: 'OW', value: PIXELS.subarray(index * 2, index * 2 + pixelBytes) }],
      });
      const record = replaced ?? { instance, hashes: [], acknowledged: 0 };
      if (replaced === undefined) sent.push(record);
      record.hashes.push(sha256(instance.dataSet));
      const { Status } = await store(association, instance);
      assert.equal(Status, 0);
      record.acknowledged = record.hashes.length;
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The daemon was killed under this association: refused, reset or closed, all of that is expected.
    assert.ok(error instanceof AssociationOverError || error instanceof Error);
    return sent;
  }
}

/** What comes back of an instance: the last acknowledged content, or one that was sent after it. */
export async function assertNothingLost(daemon: Daemon, sent: readonly Sent[]): Promise<void> {
  const acknowledged = sent.filter((record) => record.acknowledged > 0);
  const uids = acknowledged.map(({ instance }) => instance.sopInstanceUid);
  const found = await foundUids(daemon, uids);
  assert.deepEqual(
    uids.filter((uid) => !found.has(uid)),
    [],
    'acknowledged and not found',
  );
  const returned = await hashesByGet(
    daemon,
    acknowledged.map(({ instance }) => instance),
  );
  for (const { instance, hashes, acknowledged: count } of acknowledged) {
    const hash = returned.get(instance.sopInstanceUid) ?? 'nothing';
    assert.ok(hashes.slice(count - 1).includes(hash), `${instance.sopInstanceUid} came back as ${hash}`);
  }
}
