// The placing thread: makes files of what the durable record holds, with plain blocking calls, many in one go. On the
// network's thread each of these calls would cost several times its own time in waking another.
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  linkSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { parentPort } from 'node:worker_threads';
import { codeOf, messageOf } from '../util/errors.ts';
import type { FromPlacing, PlaceJob, Placement, PlacingFailure, ToPlacing } from './placing-messages.ts';

const MODE = 0o640;
const MAKE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
const LOOK = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
/** Disks put flushes that come together into one. */
const FLUSHES_AT_ONCE = 8;

const flushData = promisify(fdatasync);
const port = parentPort!;
let content = Buffer.allocUnsafeSlow(1 << 20);
let present = Buffer.allocUnsafeSlow(0);

port.on('message', async ({ id, place, flush }: ToPlacing) => {
  const placed = place.map(placeOne);
  const flushFailure = flush.length === 0 ? undefined : await flushFiles(flush);
  port.postMessage({ id, placed, flushFailure } satisfies FromPlacing);
});

function placeOne(job: PlaceJob): Placement | PlacingFailure {
  try {
    if (content.length < job.bytes) content = Buffer.allocUnsafeSlow(job.bytes);
    const bytes = content.subarray(0, job.bytes);
    if (readFully(job.fd, bytes, job.contentAt) < job.bytes)
      throw new Error('the durable record is too short');
    bytes.set(job.head);
    return job.via === undefined ? make(job.to, bytes) : makeVia(job.via, job.to, bytes);
  } catch (error) {
    return failureOf(error);
  }
}

function make(path: string, bytes: Buffer): Placement {
  let fd: number;
  try {
    fd = openSync(path, MAKE, MODE);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return holds(path, bytes) ? 'same' : 'exists';
    throw error;
  }
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, done);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
  return 'placed';
}

/** Whoever looks sees a whole file, or none. */
function makeVia(via: string, path: string, bytes: Buffer): Placement {
  make(via, bytes);
  try {
    linkSync(via, path);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return holds(path, bytes) ? 'same' : 'exists';
    throw error;
  } finally {
    unlinkSync(via);
  }
  return 'placed';
}

function holds(path: string, bytes: Buffer): boolean {
  let fd: number;
  try {
    fd = openSync(path, LOOK);
  } catch {
    return false; // whatever it is, it is not this file; who wants to replace it will learn more
  }
  try {
    if (fstatSync(fd).size !== bytes.length) return false;
    if (present.length < bytes.length) present = Buffer.allocUnsafeSlow(bytes.length);
    return (
      readFully(fd, present.subarray(0, bytes.length), 0) === bytes.length &&
      present.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
    );
  } finally {
    closeSync(fd);
  }
}

function readFully(fd: number, target: Buffer, position: number): number {
  let done = 0;
  for (;;) {
    const bytes = readSync(fd, target, done, target.length - done, position + done);
    done += bytes;
    if (bytes === 0 || done === target.length) return done;
  }
}

async function flushFiles(paths: readonly string[]): Promise<PlacingFailure | undefined> {
  const waiting = [...paths];
  const flushSome = async () => {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) await flushFile(path);
  };
  try {
    await Promise.all(Array.from({ length: FLUSHES_AT_ONCE }, flushSome));
    return undefined;
  } catch (error) {
    return failureOf(error);
  }
}

/** One that is gone has been moved, and whoever moves flushes before. */
async function flushFile(path: string): Promise<void> {
  let fd: number;
  try {
    fd = openSync(path, LOOK);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ELOOP') return;
    throw error;
  }
  try {
    await flushData(fd);
  } finally {
    closeSync(fd);
  }
}

function failureOf(error: unknown): PlacingFailure {
  return { code: codeOf(error), message: messageOf(error) };
}
