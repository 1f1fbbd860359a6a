// The download of a study against foreign readers: Info-ZIP unpacks it, DCMTK reads its DICOMDIR (PS3.3 Annex F).

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, rename } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, test } from 'node:test';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { XA_IMAGE } from '../support/byte-services.ts';
import { type StudiesSite, studiesSite } from '../support/studies-site.ts';
import { dcmtk, unpack } from './transcode-support.ts';

let site: StudiesSite;
const studyUid = freshUid();
const SERIES = [1, 2];
const INSTANCES = 3;

before(async () => {
  site = await studiesSite();
  for (const number of SERIES) {
    const seriesUid = freshUid();
    for (let index = 1; index <= INSTANCES; index += 1) {
      const elements = [
        { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 192' },
        { tag: 0x00080060, vr: 'CS', value: 'XA' },
        { tag: 0x00200011, vr: 'IS', value: String(number) },
        { tag: 0x00200013, vr: 'IS', value: String(index) },
      ];
      const patientName = Buffer.from('Zhang^San=张^三 ', 'utf8');
      const identity = { studyUid, seriesUid, sopClassUid: XA_IMAGE };
      await site.acknowledge(madeInstance({ ...identity, elements, patientName, patientId: 'P1' }));
    }
  }
  await site.archive.counts();
});
after(() => site[Symbol.asyncDispose]());

async function download(uid: string): Promise<IncomingMessage> {
  const request = get({
    host: '127.0.0.1',
    port: site.port,
    path: `/api/studies/${uid}/download`,
    agent: false,
  });
  const [answer] = await once(request, 'response');
  return answer;
}

/** Everything in the ZIP, in a folder. */
async function downloaded(uid: string, name: string): Promise<string> {
  const answer = await download(uid);
  assert.equal(answer.statusCode, 200);
  assert.equal(answer.headers['content-type'], 'application/zip');
  const file = join(site.folder, `${name}.zip`);
  await pipeline(answer, createWriteStream(file));
  return await unpack(file, join(site.folder, name));
}

function recordTypes(dump: string): (string | undefined)[] {
  return [...dump.matchAll(/CS \[(PATIENT|STUDY|SERIES|IMAGE)\s*\]/g)].map(([, type]) => type);
}

describe('a downloaded study', () => {
  test('is a file-set whose DICOMDIR names every file and is read by DCMTK', async () => {
    const folder = await downloaded(studyUid, 'whole');
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    assert.equal(files.length, SERIES.length * INSTANCES + 1);
    for (const file of files)
      assert.match(file.slice(folder.length + 1), /^(?:[A-Z0-9_]{1,8}\/){0,7}[A-Z0-9_]{1,8}$/);

    // Bytes are those of the archive.
    const stored = (await Array.fromAsync(site.archive.select({ studyUids: [studyUid] }))).flat();
    for (const [index, { location }] of stored.entries()) {
      const series = String(Math.floor(index / INSTANCES) + 1).padStart(8, '0');
      const name = String((index % INSTANCES) + 1).padStart(8, '0');
      const copy = await readFile(join(folder, 'DICOM', series, name));
      assert.ok(copy.equals(await readFile(join(site.folder, 'archive', location.path))));
    }

    const image = Array.from({ length: INSTANCES }, () => 'IMAGE');
    const expected = ['PATIENT', 'STUDY', ...SERIES.flatMap(() => ['SERIES', ...image])];
    const dump = await dcmtk('dcmdump', '-q', '+U8', join(folder, 'DICOMDIR'));
    assert.deepEqual(recordTypes(dump), expected);
    assert.match(Buffer.from(dump, 'latin1').toString('utf8'), /张\^三/);
    assert.match(dump, /DICOM\\00000002\\00000003/);

    // Adding what is there makes DCMTK follow every offset, check every record, and write them all again.
    const again = 'DICOM/00000001/00000001';
    await dcmtk('dcmmkdir', '-q', '+A', '-nb', '+D', join(folder, 'DICOMDIR'), '+id', folder, again);
    assert.deepEqual(recordTypes(await dcmtk('dcmdump', '-q', join(folder, 'DICOMDIR'))), expected);
  });

  test('comes without what is missing, and says so', async () => {
    const [first] = (await Array.fromAsync(site.archive.select({ studyUids: [studyUid] }))).flat();
    const path = join(site.folder, 'archive', first!.location.path);
    await rename(path, `${path}.away`);
    const folder = await downloaded(studyUid, 'partly');
    await rename(`${path}.away`, path);
    const words = await readFile(join(folder, 'MISSING.TXT'), 'utf8');
    assert.ok(words.includes(first!.sopInstanceUid));
    const dump = await dcmtk('dcmdump', '-q', join(folder, 'DICOMDIR'));
    assert.ok(!dump.includes(first!.sopInstanceUid));
    assert.equal([...dump.matchAll(/CS \[IMAGE\s*\]/g)].length, SERIES.length * INSTANCES - 1);
  });

  test('a report has its own record', async () => {
    const { studyUid: uid } = await site.storeSample('objects/reportsi.dcm');
    const folder = await downloaded(uid, 'report');
    const dump = await dcmtk('dcmdump', '-q', join(folder, 'DICOMDIR'));
    assert.match(dump, /CS \[SR DOCUMENT\s*\]/);
    assert.match(dump, /CompletionFlag/);
  });

  test('404 for a study that is not there', async () => {
    const answer = await download('1.2.3');
    answer.resume();
    assert.equal(answer.statusCode, 404);
  });
});

test('who hangs up or does not read holds no file and no place', async () => {
  const { studyUid: uid } = await site.storeSample('angio/ge-innova-phantom-cine-IM5.dcm');
  const open = async () => {
    const paths = await readdir('/proc/self/fd');
    const { readlinkSync } = await import('node:fs');
    return paths.filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).endsWith('.dcm');
      } catch {
        return false;
      }
    }).length;
  };
  // Nobody reads: 3.4 MB do not fit into what the sockets hold.
  const answers = await Promise.all([1, 2, 3, 4].map(() => download(uid)));
  for (const { statusCode } of answers) assert.equal(statusCode, 200);
  assert.ok((await open()) >= 1);
  const busy = await download(uid);
  busy.resume();
  assert.deepEqual([busy.statusCode, busy.headers['retry-after']], [503, '10']);
  for (const answer of answers) answer.destroy();
  for (;;) {
    const again = await download(uid);
    again.resume();
    await once(again, 'close');
    if (again.statusCode === 200) break;
  }
  while ((await open()) > 0) await new Promise((resolve) => setImmediate(resolve));
});
