// What the app shows of the archive's contents: the list, a study, its series, its instances, its pictures and files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decode } from 'fast-png';
import { madeInstance } from '../../support/byte-instances.ts';
import { freshUid } from '../../support/byte-pdu.ts';
import { TAG } from '../../support/byte-services.ts';
import { type StudiesSite, studiesSite } from '../../support/studies-site.ts';

let site: StudiesSite;
const CINE = 'angio/ge-innova-phantom-cine-IM7.dcm';
let cine: { studyUid: string; seriesUid: string; sopInstanceUid: string };
const made = { studyUid: freshUid(), seriesUid: freshUid() };
const INSTANCES = 130;

before(async () => {
  site = await studiesSite();
  cine = await site.storeSample(CINE);
  await site.storeSample('objects/reportsi.dcm');
  for (let number = INSTANCES; number > 0; number -= 1) {
    const elements = [
      { tag: 0x00080005, vr: 'CS', value: 'ISO_IR 192' },
      { tag: TAG.InstanceNumber, vr: 'IS', value: String(number) },
    ];
    const patientName = Buffer.from('Zhang^San=张^三 ', 'utf8');
    const patientId = number === 1 ? 'P*' : 'P1';
    const study = number === 1 ? {} : made;
    await site.acknowledge(madeInstance({ ...study, elements, patientName, patientId }));
  }
  await site.archive.counts();
});
after(() => site[Symbol.asyncDispose]());

type Item = Record<string, unknown> & { studyUid: string };
const items = (json: Record<string, unknown>) => json.items as Item[];

describe('GET /api/studies', () => {
  test('has everything that the list shows', async () => {
    const { status, json } = await site.ask('/api/studies?q=zs&patientId=p1');
    assert.equal(status, 200);
    const [study, ...others] = items(json);
    assert.deepEqual(others, []);
    const { receivedAt, bytes, ...rest } = study!;
    assert.match(String(receivedAt), /^\d{4}-\d\d-\d\dT/);
    assert.ok(Number(bytes) > (INSTANCES - 1) * 500);
    assert.deepEqual(rest, {
      studyUid: made.studyUid,
      patient: {
        id: 'P1',
        name: { alphabetic: 'Zhang^San', ideographic: '张^三' },
        birthDate: '1970-01-01',
      },
      date: '2024-03-15',
      time: '10:15:00',
      accession: 'ACC1',
      description: 'Byte peer',
      modalities: ['CT'],
      series: 1,
      instances: INSTANCES - 1,
    });
  });

  test('pages through', async () => {
    const first = await site.ask('/api/studies?limit=2');
    assert.equal(items(first.json).length, 2);
    const second = await site.ask(`/api/studies?limit=2&cursor=${first.json.next}`);
    const uids = [...items(first.json), ...items(second.json)].map(({ studyUid }) => studyUid);
    assert.equal(new Set(uids).size, 4);
    assert.equal(second.json.next, undefined);
  });

  test('narrows by date, modality and words', async () => {
    const count = async (query: string) => items((await site.ask(`/api/studies?${query}`)).json).length;
    assert.equal(await count('dateFrom=2024-03-15&dateTo=2024-03-15'), 2);
    assert.equal(await count('dateTo=20240314&modality=XA'), 1);
    assert.equal(await count('modality=CT'), 2);
    assert.equal(await count('description=byte'), 2);
    assert.equal(await count('accession=acc1&name=zhangsan'), 2);
    assert.equal(await count('q='), 4);
  });

  for (const query of [
    'limit=0',
    'limit=1000',
    'limit=x',
    'dateFrom=yesterday',
    'modality=%27',
    `q=${'x'.repeat(65)}`,
    'cursor=1%20or%201',
    'q=a&q=b',
  ]) {
    test(`refuses ${query.slice(0, 20)}`, async () => {
      const { status, json } = await site.ask(`/api/studies?${query}`);
      assert.equal(status, 400);
      assert.equal(typeof json.detail, 'string');
    });
  }
});

describe('GET /api/studies/:uid', () => {
  test('has the series, each with an instance to show', async () => {
    const { json } = await site.ask(`/api/studies/${cine.studyUid}`);
    const series = json.series as Item[];
    assert.equal(series.length, 1);
    assert.equal(series[0]!.seriesUid, cine.seriesUid);
    assert.equal(series[0]!.modality, 'XA');
    assert.equal(series[0]!.instances, 1);
    assert.equal(series[0]!.thumbnailInstance, cine.sopInstanceUid);
    assert.equal(json.protected, false);
  });

  test('404 when there is none, 400 when that is no UID', async () => {
    const unknown = await site.ask('/api/studies/1.2.3.4');
    assert.deepEqual([unknown.status, unknown.json.code], [404, 'not-found']);
    assert.equal((await site.ask('/api/studies/1.2.%2e%2e%2fx')).status, 400);
    assert.equal((await site.ask(`/api/studies/1.${'2'.repeat(64)}`)).status, 400);
  });
});

describe('GET /api/studies/:uid/series/:seriesUid/instances', () => {
  test('pages by Instance Number', async () => {
    const path = `/api/studies/${made.studyUid}/series/${made.seriesUid}/instances`;
    const numbers: unknown[] = [];
    let next: unknown;
    for (let query = ''; ; query = `?cursor=${next}`) {
      const { json } = await site.ask(path + query);
      numbers.push(...items(json).map(({ number }) => number));
      next = json.next;
      if (next === undefined) break;
    }
    assert.deepEqual(
      numbers,
      Array.from({ length: INSTANCES - 1 }, (_, index) => index + 2),
    );
  });

  test('says what an instance is', async () => {
    const { json } = await site.ask(`/api/studies/${cine.studyUid}/series/${cine.seriesUid}/instances`);
    const [{ receivedAt: _, bytes, ...instance }] = items(json) as [Item];
    assert.ok(Number(bytes) > 1_900_000);
    assert.deepEqual(instance, {
      sopInstanceUid: cine.sopInstanceUid,
      sopClass: { uid: '1.2.840.10008.5.1.4.1.1.12.1', name: 'X-Ray Angiographic Image Storage' },
      number: instance.number,
      frames: 9,
      rows: 512,
      columns: 512,
      transferSyntax: {
        uid: '1.2.840.10008.1.2.4.70',
        name: 'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])',
      },
      source: 'DSA',
    });
  });

  test('404 for a series of another study', async () => {
    const path = `/api/studies/${made.studyUid}/series/${cine.seriesUid}/instances`;
    assert.equal((await site.ask(path)).status, 404);
  });
});

describe('GET /api/patients/studies', () => {
  test('is of that patient alone, also when the ID reads like a pattern', async () => {
    const one = await site.ask('/api/patients/studies?patientId=P1');
    assert.deepEqual(
      items(one.json).map(({ studyUid }) => studyUid),
      [made.studyUid],
    );
    const other = await site.ask('/api/patients/studies?patientId=P*');
    assert.equal(items(other.json).length, 1);
    assert.equal((items(other.json)[0]!.patient as { id: string }).id, 'P*');
    assert.deepEqual(items((await site.ask('/api/patients/studies?patientId=P1&issuer=X')).json), []);
    assert.equal((await site.ask('/api/patients/studies')).status, 400);
  });
});

describe('pictures', () => {
  const bytesOf = async (path: string, headers = {}) =>
    fetch(`http://127.0.0.1:${site.port}${path}`, { headers }).then(async (answer) => ({
      answer,
      bytes: Buffer.from(await answer.arrayBuffer()),
    }));

  test('a PNG with an ETag, which answers the next time', async () => {
    const path = `/api/instances/${cine.sopInstanceUid}/thumbnail`;
    const { answer, bytes } = await bytesOf(path);
    assert.equal(answer.headers.get('content-type'), 'image/png');
    const png = decode(bytes);
    assert.deepEqual([png.width, png.height], [160, 160]);
    const again = await bytesOf(path, { 'If-None-Match': answer.headers.get('etag') });
    assert.deepEqual([again.answer.status, again.bytes.length], [304, 0]);
    const larger = decode((await bytesOf(`${path}?size=512`)).bytes);
    assert.equal(larger.width, 512);
  });

  test('415 for a report, 422 for what is damaged, 404 for what is not there', async () => {
    const { json } = await site.ask('/api/studies?modality=SR');
    const details = (await site.ask(`/api/studies/${items(json)[0]!.studyUid}`)).json;
    const report = (details.series as Item[])[0]!.thumbnailInstance;
    const refused = await site.ask(`/api/instances/${report}/thumbnail`);
    assert.deepEqual([refused.status, refused.json.code], [415, 'render-unsupported']);

    const broken = await site.storeSample('syntaxes/MR_small_RLE.dcm');
    const [[instance] = []] = await Array.fromAsync(
      site.archive.select({ sopInstanceUids: [broken.sopInstanceUid] }),
    );
    const { path, fileBytes, dataSetOffset } = instance!.location;
    const file = join(site.folder, 'archive', path);
    const bytes = readFileSync(file);
    bytes.fill(0xaa, dataSetOffset + 1200, fileBytes);
    await writeFile(file, bytes);
    assert.equal((await site.ask(`/api/instances/${broken.sopInstanceUid}/thumbnail`)).status, 422);
    assert.equal((await site.ask('/api/instances/1.2.3/thumbnail')).status, 404);
    assert.equal((await site.ask(`/api/instances/${broken.sopInstanceUid}/thumbnail?size=9999`)).status, 400);
  });
});

describe('GET /api/instances/:uid/file', () => {
  test('is the file, byte for byte', async () => {
    const answer = await fetch(`http://127.0.0.1:${site.port}/api/instances/${cine.sopInstanceUid}/file`);
    const bytes = Buffer.from(await answer.arrayBuffer());
    const [[instance] = []] = await Array.fromAsync(
      site.archive.select({ sopInstanceUids: [cine.sopInstanceUid] }),
    );
    assert.ok(bytes.equals(readFileSync(join(site.folder, 'archive', instance!.location.path))));
    assert.equal(answer.headers.get('content-type'), 'application/dicom');
    assert.equal(Number(answer.headers.get('content-length')), bytes.length);
  });

  test('404 when the file is gone', async () => {
    const { sopInstanceUid } = await site.storeSample('objects/CT_small.dcm');
    const [[instance] = []] = await Array.fromAsync(
      site.archive.select({ sopInstanceUids: [sopInstanceUid] }),
    );
    const { rename } = await import('node:fs/promises');
    const file = join(site.folder, 'archive', instance!.location.path);
    await rename(file, `${file}.away`);
    const answer = await site.ask(`/api/instances/${sopInstanceUid}/file`);
    assert.deepEqual([answer.status, answer.json.code], [404, 'instance-missing']);
    await rename(`${file}.away`, file);
  });
});

describe('GET /api/studies/:uid/proof', () => {
  test('has the hash of every data set', async () => {
    const { json } = await site.ask(`/api/studies/${cine.studyUid}/proof`);
    const [proof] = json.instances as Record<string, unknown>[];
    const { createHash } = await import('node:crypto');
    const { cutFile } = await import('../../support/sample-data-sets.ts');
    const { samplePath } = await import('../../support/samples.ts');
    const { dataSet } = cutFile(samplePath(CINE));
    assert.equal(proof?.sha256, createHash('sha256').update(dataSet).digest('hex'));
    assert.equal(proof?.bytes, dataSet.length);
    assert.equal(proof?.source, 'DSA');
    assert.equal(proof?.verifiedAt, undefined);
  });

  test('and what reading it again has shown', async () => {
    const due = await site.catalog.ask('due', { before: '9999', limit: 1000 });
    const { id, location } = due.find(({ sopInstanceUid }) => sopInstanceUid === cine.sopInstanceUid)!;
    const verifiedAt = new Date().toISOString();
    for (const [result, verified] of [
      ['sound', 'ok'],
      ['data-altered', 'damaged'],
    ] as const) {
      await site.catalog.ask('verified', [{ id, sha256: location.sha256, verifiedAt, result }]);
      const { json } = await site.ask(`/api/studies/${cine.studyUid}/proof`);
      const [proof] = json.instances as Record<string, unknown>[];
      assert.deepEqual([proof?.verifiedAt, proof?.verified], [verifiedAt, verified]);
    }
  });

  test('404 for a study that is not there', async () => {
    assert.equal((await site.ask('/api/studies/1.2.3/proof')).status, 404);
  });
});

describe('POST /api/send', () => {
  const send = (body: object) => site.ask('/api/send', { method: 'POST', body });

  test('puts a job into the queue', async () => {
    const { status, json } = await send({ to: 'DSA3D', studyUid: made.studyUid });
    assert.deepEqual([status, json], [202, { job: '1' }]);
    assert.deepEqual(site.enqueued.at(-1), {
      kind: 'send',
      payload: { destination: 'DSA3D', studyUids: [made.studyUid] },
      title: { to: 'DSA3D', patientName: '张^三', studyUid: made.studyUid },
    });
    assert.equal(site.changes.at(-1)?.action, 'sent');
  });

  test('refuses a stranger, nothing, and what is not there', async () => {
    const stranger = await send({ to: 'ELSE', studyUid: made.studyUid });
    assert.deepEqual([stranger.status, stranger.json.code], [422, 'unknown-peer']);
    assert.equal((await send({ to: 'DSA3D' })).status, 422);
    assert.equal((await send({ to: 'DSA3D', studyUid: '1.2.3' })).status, 404);
    assert.equal((await send({ to: 'DSA3D', sopInstanceUids: ['../x'] })).status, 422);
    assert.equal(
      (await site.ask('/api/send', { method: 'POST', body: '{}', headers: { 'X-AngioVault': '0' } })).status,
      403,
    );
  });
});

describe('deleting', () => {
  test('goes to the trash and comes back; a protected patient stays', async () => {
    const { studyUid, sopInstanceUid } = await site.storeSample('objects/pet-acrin-flt-1.dcm');
    const details = (await site.ask(`/api/studies/${studyUid}`)).json;
    const { id: patientId, issuer = '' } = details.patient as { id: string; issuer?: string };
    const protect = (on: boolean) =>
      site.ask('/api/patients/protection', { method: 'PUT', body: { patientId, issuer, protected: on } });
    assert.equal((await protect(true)).status, 204);
    assert.equal((await site.ask(`/api/studies/${studyUid}`)).json.protected, true);
    const refused = await site.ask(`/api/studies/${studyUid}`, { method: 'DELETE' });
    assert.deepEqual([refused.status, refused.json.code], [409, 'protected']);
    await protect(false);

    const deleted = await site.ask(`/api/studies/${studyUid}`, {
      method: 'DELETE',
      body: { reason: 'twice' },
    });
    assert.equal(deleted.status, 200);
    assert.equal((await site.ask(`/api/studies/${studyUid}`)).status, 404);
    assert.equal((await site.ask(`/api/instances/${sopInstanceUid}/thumbnail`)).status, 404);
    const [entry] = items((await site.ask('/api/trash')).json);
    assert.equal(entry?.trashId, deleted.json.trashId);
    assert.deepEqual(
      [entry?.level, entry?.reason, entry?.instances, entry?.studyUid],
      ['study', 'twice', 1, studyUid],
    );
    const days = (Date.parse(String(entry?.expiresAt)) - Date.parse(String(entry?.deletedAt))) / 86_400_000;
    assert.equal(days, 30);

    const restored = await site.ask(`/api/trash/${deleted.json.trashId}/restore`, { method: 'POST' });
    assert.deepEqual([restored.status, restored.json], [200, { restored: 1, alreadyThere: 0 }]);
    assert.equal((await site.ask(`/api/studies/${studyUid}`)).status, 200);
    assert.deepEqual(items((await site.ask('/api/trash')).json), []);
    assert.deepEqual(
      site.changes.slice(-4).map(({ action }) => action),
      ['patient-protected', 'patient-unprotected', 'study-deleted', 'restored'],
    );
  });

  test('a series and an instance by themselves; 404 for what is not there', async () => {
    const { studyUid, seriesUid, sopInstanceUid } = await site.storeSample('objects/pet-acrin-flt-1.dcm');
    const path = `/api/studies/${studyUid}/series/${seriesUid}`;
    const series = await site.ask(path, { method: 'DELETE' });
    await site.ask(`/api/trash/${series.json.trashId}/restore`, { method: 'POST' });
    assert.equal((await site.ask(`/api/instances/${sopInstanceUid}`, { method: 'DELETE' })).status, 200);
    assert.equal((await site.ask(path, { method: 'DELETE' })).status, 404);
    assert.equal((await site.ask('/api/trash/..%2f..%2fx/restore', { method: 'POST' })).status, 400);
    const unknown = '20260101T000000000Z-00000000';
    assert.equal((await site.ask(`/api/trash/${unknown}/restore`, { method: 'POST' })).status, 404);
  });
});
