// What a data folder holds and what its daemon says: the checks that every robustness test ends with.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { ByteAssociation } from './byte-association.ts';
import { textOf } from './byte-elements.ts';
import { type MadeInstance, madeInstance } from './byte-instances.ts';
import {
  type BytesInstance,
  find,
  get,
  getProposal,
  identifier,
  queryContexts,
  relational,
  sha256,
  storageContexts,
  store,
  TAG,
} from './byte-services.ts';
import type { Daemon } from './daemon.ts';

type Address = Pick<Daemon, 'port' | 'dataDir'>;

/** Relative paths of the plain files below a folder of the archive. */
export function filesIn(
  dataDir: string,
  folder: 'studies' | 'incoming' | 'superseded' | 'quarantine' | 'trash' | 'journal',
): string[] {
  const root = join(dataDir, 'archive', folder);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** All log lines written so far, oldest file first: none before the daemon has got round to its first. */
export function logLines(dataDir: string): string[] {
  const folder = join(dataDir, 'logs');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort()
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '');
}

/** The log lines that speak of something wrong. */
export function faultLines(dataDir: string): string[] {
  return logLines(dataDir).filter((line) => /^\S+ (warn|error) /.test(line));
}

/** Looks again until `check` gives something, for what another process does in its own time. */
export async function eventually<T>(
  check: () => T | undefined | Promise<T | undefined>,
  what: string,
  patienceMs = 20_000,
): Promise<T> {
  for (const deadline = Date.now() + patienceMs; ; await setTimeout(10)) {
    const result = await check();
    if (result !== undefined) return result;
    assert.ok(Date.now() < deadline, `${what}: not within ${patienceMs} ms`);
  }
}

/** The fault lines after the first `seen`, when there is at least one. */
export function newFaultLines(dataDir: string, seen: number): Promise<string[]> {
  return eventually(() => {
    const lines = faultLines(dataDir).slice(seen);
    return lines.length > 0 ? lines : undefined;
  }, 'a log line for the fault');
}

/** Stores on an association of its own; resolves to the status. */
export async function storeOnce(daemon: Address, instance: BytesInstance): Promise<number> {
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: storageContexts([instance]),
  });
  const { Status } = await store(association, instance);
  await association.release();
  return Number(Status);
}

/** How many instances the archive finds for these SOP Instance UIDs (a list of UID matching, PS3.4 §C.2.2.2.2). */
export async function foundUids(daemon: Address, sopInstanceUids: readonly string[]): Promise<Set<string>> {
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: queryContexts('find', ['study']),
    extraUserItems: relational(['study']),
  });
  const found = new Set<string>();
  for (let at = 0; at < sopInstanceUids.length; at += 200) {
    const list = sopInstanceUids.slice(at, at + 200).join('\\');
    const result = await find(
      association,
      'study',
      identifier('IMAGE', [{ tag: TAG.SOPInstanceUID, vr: 'UI', value: list }]),
    );
    assert.equal(result.status, 0, JSON.stringify(result.final));
    for (const match of result.matches) found.add(textOf(match, TAG.SOPInstanceUID));
  }
  await association.release();
  return found;
}

/** SHA-256 of the data set bytes by SOP Instance UID, pulled by C-GET in the stored transfer syntax. */
export async function hashesByGet(
  daemon: Address,
  instances: readonly (Omit<BytesInstance, 'dataSet'> & { readonly studyUid: string })[],
): Promise<Map<string, string>> {
  const association = await ByteAssociation.request({ port: daemon.port, ...getProposal(instances) });
  const hashes = new Map<string, string>();
  for (const studyUid of new Set(instances.map((instance) => instance.studyUid))) {
    const keys = identifier('STUDY', [{ tag: TAG.StudyInstanceUID, vr: 'UI', value: studyUid }]);
    const result = await get(association, 'study', keys, (got) => {
      hashes.set(got.sopInstanceUid, sha256(got.dataSet));
      return 0;
    });
    assert.equal(result.status, 0, `C-GET of study ${studyUid}: ${JSON.stringify(result)}`);
  }
  await association.release();
  return hashes;
}

/** The daemon runs, a new association stores and finds, and nothing is left in incoming/. */
export async function assertServes(daemon: Daemon): Promise<MadeInstance> {
  assert.equal(daemon.process.end, undefined, `the daemon ended: ${daemon.stderr.slice(-2000)}`);
  const instance = madeInstance({ patientId: 'STILL-SERVES' });
  assert.equal(await storeOnce(daemon, instance), 0);
  assert.deepEqual(await foundUids(daemon, [instance.sopInstanceUid]), new Set([instance.sopInstanceUid]));
  assert.deepEqual(filesIn(daemon.dataDir, 'incoming'), []);
  return instance;
}

/** The SHA-256 a stored file claims for its own data set and the one it has (design §3, self-verifying). */
export function fileHashes(path: string): { claimed: string; actual: string } {
  const bytes = readFileSync(path);
  const claimed = /sha256=([0-9a-f]{64})/.exec(bytes.toString('latin1', 0, 4096))?.[1] ?? 'none';
  const metaBytes = bytes.readUInt32LE(140);
  const actual = createHash('sha256')
    .update(bytes.subarray(144 + metaBytes))
    .digest('hex');
  return { claimed, actual };
}

/** Every file in studies/ proves itself; the names found, by SOP Instance UID. */
export function assertFilesProveThemselves(dataDir: string): string[] {
  const files = filesIn(dataDir, 'studies');
  for (const file of files) {
    const { claimed, actual } = fileHashes(join(dataDir, 'archive', 'studies', file));
    assert.equal(claimed, actual, `${file} does not match its own SHA-256`);
  }
  return files.map((file) => file.slice(file.lastIndexOf('/') + 1).replace(/\.dcm$/, ''));
}
