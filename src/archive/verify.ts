// Proves the archive, or a part of it: every file is read again and compared with its own record and with the
// catalogue's.

import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import type { Catalog, SelectKeys } from '../catalog/catalog.ts';
import type { Fingerprint } from '../catalog/upkeep.ts';
import type { StorageArea } from '../storage/storage-area.ts';
import { codeOf, messageOf } from '../util/errors.ts';
import { awaitedLater } from '../util/promises.ts';
import type { ProofAnswer, ProofTask } from './proof-messages.ts';
import { ReadingThreads } from './reading-threads.ts';
import { readStoredHead } from './stored-instance.ts';

/** `missing`: in the catalogue, not on the volume. `altered`: other bytes than were received. `unknown`: on the
 *  volume, not in the catalogue. */
export interface Finding {
  readonly kind: 'missing' | 'altered' | 'unknown';
  readonly path: string;
  readonly reason: string;
}

/** What has been read so far. */
export interface Verified {
  readonly files: number;
  readonly bytes: number;
}

export interface VerifyOptions {
  /** Only these instances, and nothing about files that the catalogue does not know. */
  readonly selection?: SelectKeys;
  onProgress?(soFar: Verified): void;
}

const PROOF_WORKER = new URL('./proof-worker.ts', import.meta.url);
const BATCH = 256;
const AHEAD = 3;
const SOP_INSTANCE_UID = '00080018';
const ALL_INSTANCES = { level: 'IMAGE', identifier: {}, returnKeys: [SOP_INSTANCE_UID] } as const;

/** Yields findings as they come up; returns what was read. Every instance of the catalogue and every file under
 *  studies/ is looked at once. */
export async function* verifyArchive(
  storage: StorageArea,
  catalog: Catalog,
  { selection, onProgress = () => {} }: VerifyOptions = {},
): AsyncGenerator<Finding, Verified> {
  const threads = new ReadingThreads<ProofTask, ProofAnswer>(
    PROOF_WORKER,
    Math.min(2, availableParallelism()),
  );
  const site: Site = { storage, catalog, threads };
  const total = { files: 0, bytes: 0, current: 0 };
  try {
    const steps = selection === undefined ? everything(site) : selected(site, selection);
    for await (const done of ahead(steps)) {
      total.files += done.files;
      total.bytes += done.bytes;
      total.current += done.current;
      onProgress(total);
      yield* done.findings;
    }
  } finally {
    await threads.close();
  }
  // With a file for each instance there is nothing to be missed.
  if (selection === undefined && (await catalog.counts()).instances !== total.current) {
    yield* missingFiles(storage, catalog);
  }
  return { files: total.files, bytes: total.bytes };
}

interface Site {
  readonly storage: StorageArea;
  readonly catalog: Catalog;
  readonly threads: ReadingThreads<ProofTask, ProofAnswer>;
}

interface StepResult extends Verified {
  /** How many of the files are the current content of an instance. */
  readonly current: number;
  readonly findings: readonly Finding[];
}

type Step = () => Promise<StepResult>;

async function* everything(site: Site): AsyncGenerator<Step> {
  let batch: string[] = [];
  const step = (paths: readonly string[]) => () => verifyFiles(site, paths);
  for await (const { path, files, others } of site.storage.walkInOrder('studies', undefined)) {
    if (others.length > 0) yield async () => strangers(path, others);
    for (const name of files) {
      batch.push(`${path}/${name}`);
      if (batch.length < BATCH) continue;
      yield step(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield step(batch);
}

function strangers(directory: string, names: readonly string[]): StepResult {
  const reason = 'it is not a plain file';
  const findings = names.map((name) => ({ kind: 'unknown' as const, path: `${directory}/${name}`, reason }));
  return { files: 0, bytes: 0, current: 0, findings };
}

async function* selected(site: Site, selection: SelectKeys): AsyncGenerator<Step> {
  for await (const page of site.catalog.select(selection)) {
    for (let start = 0; start < page.length; start += BATCH) {
      const locations = page.slice(start, start + BATCH).map(({ location }) => location);
      yield async () => ({
        files: locations.length,
        bytes: bytesOf(locations),
        current: locations.length,
        findings: await prove(site, locations),
      });
    }
  }
}

/** While one is waited for, the next ones are under way. */
async function* ahead(steps: AsyncIterable<Step>): AsyncGenerator<StepResult> {
  const running: Promise<StepResult>[] = [];
  for await (const step of steps) {
    running.push(awaitedLater(step()));
    if (running.length > AHEAD) yield await running.shift()!;
  }
  for (const started of running) yield await started;
}

async function verifyFiles(site: Site, paths: readonly string[]): Promise<StepResult> {
  const { fingerprints: known, unknown } = await locate(site.catalog, paths);
  const current = known.length;
  const findings: Finding[] = [];
  for (const path of unknown) {
    const older = await supersededAt(site.catalog, path);
    if (older === undefined) findings.push(await unknownFile(site.storage, path));
    else known.push(older);
  }
  findings.push(...(await prove(site, known)));
  return { files: paths.length, bytes: bytesOf(known), current, findings };
}

/** Asked by file name, which begins with the SOP Instance UID: a file that cannot be read any more, or that changed
 *  places with another, is then still known for what it was. */
async function locate(
  catalog: Catalog,
  paths: readonly string[],
): Promise<{ fingerprints: Fingerprint[]; unknown: string[] }> {
  const wanted = new Set(paths);
  const known = await catalog.ask('fingerprints', paths.flatMap(uidsIn));
  const fingerprints = known.filter(({ path }) => wanted.delete(path));
  return { fingerprints, unknown: [...wanted] };
}

/** Older content that could not be moved aside, or whose place the catalogue learned too late. */
async function supersededAt(catalog: Catalog, path: string): Promise<Fingerprint | undefined> {
  for (const uid of uidsIn(path)) {
    const older = (await catalog.superseded(uid)).find((content) => content.path === path);
    if (older !== undefined) return older;
  }
  return undefined;
}

function bytesOf(fingerprints: readonly Fingerprint[]): number {
  return fingerprints.reduce((sum, { dataSetOffset, dataSetBytes }) => sum + dataSetOffset + dataSetBytes, 0);
}

async function prove({ storage, threads }: Site, fingerprints: readonly Fingerprint[]): Promise<Finding[]> {
  const answers = await threads.ask(
    fingerprints.map(({ path, dataSetOffset, dataSetBytes, sha256 }) => ({
      file: `${storage.root}/${path}`,
      dataSetOffset,
      dataSetBytes,
      sha256,
    })),
  );
  return answers.flatMap((answer, index) =>
    answer === undefined ? [] : [{ ...answer, path: fingerprints[index]!.path }],
  );
}

/** The UID that a file is named by. One beside an obstacle has the beginning of its hash behind the UID; a UID can look
 *  like that as well. */
function uidsIn(path: string): string[] {
  const name = basename(path, '.dcm');
  const [, uid] = /^(.+)\.[0-9a-f]{16}$/.exec(name) ?? [];
  return uid === undefined ? [name] : [name, uid];
}

async function unknownFile(storage: StorageArea, path: string): Promise<Finding> {
  try {
    const isOurs = (await readStoredHead(storage, path))?.meta.integrity !== undefined;
    const reason = isOurs
      ? 'the catalogue does not hold it; rebuild brings it in'
      : 'it is not a file of this archive';
    return { kind: 'unknown', path, reason };
  } catch (error) {
    return { kind: 'unknown', path, reason: `it cannot be read: ${messageOf(error)}` };
  }
}

/** Instances of the catalogue whose file is not there. */
export async function* missingFiles(storage: StorageArea, catalog: Catalog): AsyncGenerator<Finding> {
  for await (const page of catalog.find(ALL_INSTANCES)) {
    const sopInstanceUids = page
      .flatMap(({ attributes }) => attributes[SOP_INSTANCE_UID]?.Value ?? [])
      .map(String);
    for await (const instances of catalog.select({ sopInstanceUids })) {
      for (const { location } of instances) {
        const error = await storage.open(location.path).then(
          (handle) => handle.close(),
          (failure: unknown) => failure,
        );
        if (codeOf(error) === 'missing') {
          yield {
            kind: 'missing',
            path: location.path,
            reason: 'the catalogue holds it, the volume does not',
          };
        }
      }
    }
  }
}
