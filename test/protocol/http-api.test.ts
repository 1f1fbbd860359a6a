// The interface of the running program: what the app does in a first quarter of an hour, and what holds in the meantime
// for the machines that are connected.
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from '../support/byte-association.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { CT_IMAGE, echo, queryContexts, store, VERIFICATION } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type HttpAsk, httpAsk } from '../support/http-site.ts';
import { freePort } from '../support/running-process.ts';
import { strangerAddress } from '../support/stranger-address.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

let folder: TempFolder;
let daemon: Daemon;

before(async () => {
  folder = await tempFolder('http-api');
  daemon = await startDaemon({ dataDir: folder.path });
});
after(async () => {
  await daemon[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const ask = (path: string, options: HttpAsk = {}) =>
  httpAsk(Number(new URL(daemon.httpUrl).port), path, options);
const patch = (body: object) => ask('/api/config', { method: 'PATCH', body });
type Rows = { items: Record<string, unknown>[] };

const CONTEXTS = [
  { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LE] },
  { abstractSyntax: CT_IMAGE, transferSyntaxes: [EXPLICIT_LE] },
];

test('a fresh archive says so, and that nothing has been checked is never called safe', async () => {
  const { json } = await ask('/api/status');
  assert.equal(json.firstStart, true);
  assert.deepEqual(json.counts, { patients: 0, studies: 0, series: 0, instances: 0, bytes: 0 });
  assert.deepEqual(json.safety, { level: 'safe', reasons: [{ code: 'empty', params: {} }] });
  assert.deepEqual(json.dimse, { host: '0.0.0.0', port: daemon.port });
  assert.deepEqual(json.notices, []);
  const space = json.space as Record<string, number>;
  assert.ok(space.totalBytes! > space.freeBytes! && space.freeBytes! > 0);

  const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
  assert.equal((await store(association, madeInstance())).Status, 0);
  await association.release();
  const later = (await ask('/api/status')).json as Record<string, Record<string, unknown>>;
  assert.equal(later.counts!.instances, 1);
  assert.equal(later.today!.instances, 1);
  assert.equal(later.safety!.level, 'unknown');
  assert.equal(later.firstStart, false);
  const intake = (await ask('/api/intake?days=3')).json as Rows;
  assert.deepEqual(
    intake.items.map(({ day, instances }) => [day, instances]),
    [[new Date().toISOString().slice(0, 10), 1]],
  );
});

test('every path of the description answers as it says, and none without being described', async () => {
  const { paths } = (await ask('/api/openapi.json')).json as {
    paths: Record<string, Record<string, unknown>>;
  };
  assert.ok(Object.keys(paths).length > 20);
  for (const [path, methods] of Object.entries(paths)) {
    if (!('get' in methods) || path.includes('{') || path === '/api/events') continue;
    const { parameters = [] } = methods.get as { parameters?: { in: string; required: boolean }[] };
    const isIncomplete = parameters.some((one) => one.in === 'query' && one.required);
    assert.equal((await ask(path)).status, isIncomplete ? 400 : 200, path);
  }
});

describe('settings', () => {
  test('have words, and those that need a restart are named', async () => {
    const { json } = await ask('/api/config');
    const { properties } = json.schema as { properties: Record<string, { title: string }> };
    assert.equal(properties.aeTitle?.title, 'AE title');
    assert.ok((json.restart as string[]).includes('http.port'));
    assert.ok(!(json.restart as string[]).includes('aeTitle'));
  });

  test('that do not fit change nothing, and each is named', async () => {
    const { status, json } = await patch({ dimse: { port: 'x' }, log: { level: 'loud' }, colour: 'red' });
    assert.equal(status, 422);
    const paths = (json.errors as { path: string }[]).map(({ path }) => path);
    assert.ok(paths.includes('dimse.port') && paths.includes('log.level'), paths.join());
  });

  test('of the log and of callers count at once, are written down, and the file before is kept', async () => {
    const { json } = await patch({ log: { level: 'debug' }, unknownCallers: 'all' });
    assert.equal(json.applied, 'now');
    const file = join(folder.path, 'config.json');
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).log, { level: 'debug' });
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    await patch({ log: { level: null }, unknownCallers: 'echo' });
    assert.deepEqual(JSON.parse(await readFile(file, 'utf8')).log, {});
    const backups = (await readdir(folder.path)).filter((name) => /^config\.json\..*\.bak$/.test(name));
    assert.equal(backups.length, 1);
  });

  test('that need a restart are written, and a notice says so', async () => {
    assert.equal((await patch({ archive: { reserveBytes: 1000 } })).json.applied, 'restart-needed');
    const { notices } = (await ask('/api/status')).json as { notices: { code: string }[] };
    assert.deepEqual(
      notices.map(({ code }) => code),
      ['restart-needed'],
    );
  });

  test('a new port: listened to at once, and an association in transfer goes on', async () => {
    const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
    assert.equal((await store(association, madeInstance())).Status, 0);
    const port = await freePort();
    assert.equal((await patch({ dimse: { port } })).json.applied, 'listeners-restarted');
    assert.equal((await store(association, madeInstance())).Status, 0);
    const other = await ByteAssociation.request({ port, contexts: CONTEXTS });
    assert.equal(await echo(other), 0);
    await assert.rejects(ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS }));
    assert.equal((await store(association, madeInstance())).Status, 0);
    await association.release();
    await other.release();
    // The same port with another address: one listener has to make room for the other.
    assert.equal((await patch({ dimse: { host: '127.0.0.1' } })).json.applied, 'listeners-restarted');
    const third = await ByteAssociation.request({ port, contexts: CONTEXTS });
    await third.release();
  });

  test('a port that somebody else has: refused, and everything is as it was', async () => {
    const before = (await ask('/api/config')).json.values as { dimse: { port: number } };
    const taken = Number(new URL(daemon.httpUrl).port);
    const { status, json } = await patch({ dimse: { port: taken }, aeTitle: 'NEVER' });
    assert.equal(status, 422);
    assert.equal(json.code, 'cannot-listen');
    const { values } = (await ask('/api/config')).json;
    assert.deepEqual(values, before);
    const association = await ByteAssociation.request({ port: before.dimse.port, contexts: CONTEXTS });
    assert.equal(await echo(association), 0);
    await association.release();
  });

  test('backed up and brought back', async () => {
    const { text } = await ask('/api/config/backup');
    await patch({ aeTitle: 'OTHER' });
    assert.equal((await ask('/api/status')).json.aeTitle, 'OTHER');
    const { status } = await ask('/api/config/restore', { method: 'POST', body: JSON.parse(text) });
    assert.equal(status, 200);
    assert.equal((await ask('/api/status')).json.aeTitle, 'ANGIOVAULT');
    assert.equal((await ask('/api/config/restore', { method: 'POST', body: { colour: 1 } })).status, 422);
  });
});

describe('peers', () => {
  const ADDED = { host: '192.0.2.9', port: 104, may: ['store'], commitment: { report: 'new-association' } };
  const DSA = { aeTitle: 'DSA', host: '192.0.2.9', port: 104, may: ['store'] };

  test('are added, changed, removed; what they may do counts from the next association', async () => {
    await using stranger = await strangerAddress();
    await patch({ dimse: { host: '0.0.0.0' } });
    const { dimse } = (await ask('/api/status')).json as { dimse: { port: number } };
    const accepted = async () => {
      const association = await ByteAssociation.request({
        ...{ port: dimse.port, host: stranger.address, callingAeTitle: 'DSA' },
        contexts: [...CONTEXTS, ...queryContexts('find')],
      });
      await association.release();
      return association.contexts.size;
    };
    assert.equal(await accepted(), 1);
    const callers = (await ask('/api/unknown-callers')).json as Rows;
    assert.deepEqual(
      callers.items.map(({ aeTitle, address, count, tried }) => ({ aeTitle, address, count, tried })),
      [{ aeTitle: 'DSA', address: stranger.address, count: 1, tried: ['echo', 'store', 'query'] }],
    );

    assert.equal((await ask('/api/peers', { method: 'POST', body: DSA })).status, 201);
    assert.equal((await ask('/api/peers', { method: 'POST', body: DSA })).json.code, 'peer-exists');
    assert.equal(await accepted(), 2);
    assert.deepEqual(((await ask('/api/unknown-callers')).json as Rows).items, []);

    const [peer] = ((await ask('/api/peers')).json as Rows).items;
    const contact = peer?.lastContact as Record<string, unknown>;
    assert.deepEqual([contact.direction, contact.ok], ['in', true]);

    const changed = { ...DSA, may: ['store', 'query', 'retrieve'], note: 'room 2' };
    assert.equal((await ask('/api/peers/DSA', { method: 'PUT', body: changed })).status, 200);
    assert.equal(await accepted(), 2 + queryContexts('find').length);
    assert.equal((await ask('/api/peers/DSA', { method: 'DELETE' })).status, 204);
    assert.equal((await ask('/api/peers/DSA', { method: 'DELETE' })).status, 404);
    assert.equal(await accepted(), 1);
  });

  test('a wrong one is named by its field', async () => {
    const { status, json } = await ask('/api/peers', {
      method: 'POST',
      body: { ...DSA, host: '300.1.1.1', port: 0 },
    });
    assert.equal(status, 422);
    assert.deepEqual(
      (json.errors as { path: string }[]).map(({ path }) => path),
      ['host', 'port'],
    );
  });

  test('every change stands in the audit, newest first, and in pages', async () => {
    const { items } = (await ask('/api/audit?limit=2')).json as {
      items: Record<string, unknown>[];
      next: string;
    };
    assert.deepEqual(
      items.map(({ action, target, user }) => [action, target, user]),
      [
        ['peer-removed', 'DSA', 'this machine'],
        ['peer-changed', 'DSA', 'this machine'],
      ],
    );
    const next = (await ask(`/api/audit?limit=1&before=${items.at(-1)?.id}`)).json as Rows;
    assert.equal(next.items[0]?.action, 'peer-added');
    assert.deepEqual(next.items[0]?.after, { peers: [{ aeTitle: 'DSA', ...ADDED }] });
  });
});

describe('forwarding rules', () => {
  const FLAT_PANEL = { aeTitle: 'WORKSTATION', host: '127.0.0.1', port: 4242 };
  const RULE = { destination: 'WORKSTATION', modality: ['XA'], description: '*coronary*' };
  const rules = async () => ((await ask('/api/forwarding/rules')).json as Rows).items;
  const add = (body: object) => ask('/api/forwarding/rules', { method: 'POST', body });

  test('name a machine that is in the list, and what does not fit is named', async () => {
    const nobody = await add(RULE);
    assert.equal(nobody.status, 422);
    assert.deepEqual(
      (nobody.json.errors as { path: string }[]).map(({ path }) => path),
      ['destination'],
    );
    await ask('/api/peers', { method: 'POST', body: FLAT_PANEL });
    const wrong = await add({ ...RULE, modality: ['xa!'], unit: 'day', quietSeconds: 0 });
    assert.deepEqual(
      (wrong.json.errors as { path: string }[]).map(({ path }) => path),
      ['modality[0]', 'unit', 'quietSeconds'],
    );
    assert.deepEqual(await rules(), []);
  });

  test('are added, changed and removed at once, in the file and in the audit; each only once', async () => {
    const { status, json } = await add(RULE);
    assert.equal(status, 201);
    assert.deepEqual(await rules(), [{ ...RULE, unit: 'study', quietSeconds: 120, id: json.id }]);
    assert.equal((await add(RULE)).json.code, 'rule-exists');
    const [destination] = ((await ask('/api/forwarding')).json as Rows).items;
    assert.equal(destination?.destination, 'WORKSTATION');

    const at = (id: unknown) => `/api/forwarding/rules/${String(id)}`;
    const changed = { destination: 'WORKSTATION', unit: 'instance', quietSeconds: 5 };
    const after = await ask(at(json.id), { method: 'PUT', body: changed });
    assert.equal(after.status, 200);
    assert.notEqual(after.json.id, json.id);
    assert.deepEqual(JSON.parse(await readFile(join(folder.path, 'config.json'), 'utf8')).forwarding, [
      changed,
    ]);
    // Who still looks at the rule as it was before changes nothing.
    assert.equal((await ask(at(json.id), { method: 'PUT', body: RULE })).status, 404);

    assert.equal(
      (await ask('/api/peers/WORKSTATION', { method: 'DELETE' })).json.code,
      'peer-is-destination',
    );
    const renamed = { ...FLAT_PANEL, aeTitle: 'OTHER' };
    assert.equal((await ask('/api/peers/WORKSTATION', { method: 'PUT', body: renamed })).status, 409);

    assert.equal((await ask(at(after.json.id), { method: 'DELETE' })).status, 204);
    assert.deepEqual(await rules(), []);
    assert.equal((await ask('/api/peers/WORKSTATION', { method: 'DELETE' })).status, 204);
    const audit = (await ask('/api/audit?limit=4')).json as Rows;
    assert.deepEqual(
      audit.items.map(({ action, target }) => `${String(action)} ${String(target)}`),
      [
        'peer-removed WORKSTATION',
        'forwarding-removed WORKSTATION',
        'forwarding-changed WORKSTATION',
        'forwarding-added WORKSTATION',
      ],
    );
  });
});

test('who is connected, what for, and how much came', async () => {
  const { dimse } = (await ask('/api/status')).json as { dimse: { port: number } };
  const association = await ByteAssociation.request({
    port: dimse.port,
    contexts: CONTEXTS,
    callingAeTitle: 'XA',
  });
  const instance = madeInstance();
  await store(association, instance);
  const { items } = (await ask('/api/associations')).json as Rows;
  const [one] = items;
  assert.equal(items.length, 1);
  assert.deepEqual(
    [one?.calling, one?.direction, one?.instances, one?.doing, one?.address],
    ['XA', 'in', 1, 'idle', '127.0.0.1'],
  );
  assert.ok(Number(one?.bytesIn) > instance.dataSet.length);
  await association.release();
});

test('the log: newest first, by level and by text, in pages', async () => {
  const page = (await ask('/api/log?limit=2&q=A-ASSOCIATE-RQ')).json as Rows & { next: string };
  assert.equal(page.items.length, 2);
  const [newest, older] = page.items as { at: string; fields: { calling: string } }[];
  assert.ok(newest!.at >= older!.at);
  assert.equal(newest!.fields.calling, 'XA');
  const rest = (await ask(`/api/log?limit=2&q=A-ASSOCIATE-RQ&before=${page.next}`)).json as Rows;
  assert.notDeepEqual(rest.items[0], page.items[1]);
  const errors = (await ask('/api/log?level=error')).json as Rows;
  assert.deepEqual(errors.items, []);
});

test('a rule of forwarding counts at once, and says no more than is known', async () => {
  const rule = { destination: 'SWITCHED-OFF', unit: 'instance', source: ['FORWARDED'] };
  assert.equal((await patch({ forwarding: [rule] })).status, 200);
  const { dimse } = (await ask('/api/status')).json as { dimse: { port: number } };
  const association = await ByteAssociation.request({
    ...{ port: dimse.port, contexts: CONTEXTS, callingAeTitle: 'FORWARDED' },
  });
  const instance = madeInstance();
  await store(association, instance);
  await association.release();
  await ask('/api/status');
  const copies = (await ask(`/api/studies/${instance.studyUid}/copies`)).json as Rows;
  assert.deepEqual(copies.items, [
    { destination: 'SWITCHED-OFF', due: 1, sent: 0, committed: 0, refused: 0 },
  ]);
  const { items } = (await ask('/api/forwarding')).json as Rows;
  assert.deepEqual(
    [items[0]?.destination, items[0]?.due, items[0]?.isSecondArchive],
    ['SWITCHED-OFF', 1, false],
  );
  assert.deepEqual((await ask('/api/forwarding/SWITCHED-OFF/uncommitted')).json, { items: [] });
});

test('live events tell what came', async () => {
  const { dimse } = (await ask('/api/status')).json as { dimse: { port: number } };
  const response = await fetch(`${daemon.httpUrl}/api/events`);
  assert.equal(response.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  const association = await ByteAssociation.request({ port: dimse.port, contexts: CONTEXTS });
  await store(association, madeInstance());
  await association.release();
  let text = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (/event: instances\ndata: \{"studyUid":"[\d.]+","count":1\}/.test(text)) break;
  }
  assert.match(text, /event: associations/);
});

test('SIGTERM ends the program while windows are open', async () => {
  const response = await fetch(`${daemon.httpUrl}/api/events`);
  assert.equal((await daemon.stop()).code, 0);
  await response.body?.cancel().catch(() => undefined);
});
