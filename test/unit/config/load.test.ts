// config.json, the command line and the defaults: which one counts, and what a wrong one is told.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ConfigError } from '../../../src/config/errors.ts';
import { type LoadOptions, loadConfig } from '../../../src/config/load.ts';

let root: string;
let count = 0;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'angiovault-config-'));
});
after(() => rm(root, { recursive: true }));

/** A data directory of its own with this config.json. */
async function dataWith(content?: unknown): Promise<string> {
  const directory = join(root, String(++count));
  await mkdir(directory);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  if (content !== undefined) await writeFile(join(directory, 'config.json'), text);
  return directory;
}

async function load(content?: unknown, overrides: Partial<LoadOptions['overrides']> = {}) {
  return loadConfig({ dataDirectory: await dataWith(content), overrides: { peers: [], ...overrides } });
}

async function refusal(content: unknown): Promise<string> {
  const dataDirectory = await dataWith(content);
  const error = await loadConfig({ dataDirectory, overrides: { peers: [] } }).catch((thrown) => thrown);
  assert.ok(error instanceof ConfigError, `${JSON.stringify(content)} was taken`);
  assert.equal(error.code, 'config-invalid');
  assert.ok(!error.message.includes('\n'), 'one line');
  assert.ok(error.message.startsWith(join(dataDirectory, 'config.json: ')), error.message);
  return error.message.slice(join(dataDirectory, 'config.json: ').length);
}

const peer = { aeTitle: 'WS', host: '10.0.0.2', port: 104 };

describe('defaults', () => {
  test('without a file everything has its default', async () => {
    const { config } = await load();
    assert.deepEqual(config, {
      version: 1,
      aeTitle: 'ANGIOVAULT',
      dimse: { host: '0.0.0.0', port: 11112, maxAssociations: 100 },
      http: { host: '127.0.0.1', port: 11180, names: [], relaySecretFile: 'relay-secret' },
      catalog: 'sqlite:catalog.sqlite',
      archive: { directory: 'archive', reserveBytes: 'auto' },
      integrity: { start: '0 20 * * *', hours: 10, megabytesPerSecond: 20, days: 30 },
      trash: { days: 30 },
      peers: [],
      forwarding: [],
      unknownCallers: 'echo',
      log: { level: 'info', patientNames: false },
    });
  });

  test('a missing file is not written, nor is its directory', async () => {
    const dataDirectory = join(root, 'never-made');
    await loadConfig({ dataDirectory, overrides: { peers: [] } });
    await assert.rejects(readdir(dataDirectory), { code: 'ENOENT' });
  });

  test('paths are taken from the data directory and come back absolute', async () => {
    const loaded = await load({ archive: { directory: 'files' } });
    assert.equal(loaded.archiveDirectory, join(loaded.dataDirectory, 'files'));
    assert.equal(loaded.logDirectory, join(loaded.dataDirectory, 'logs'));
    assert.deepEqual(loaded.catalog, {
      engine: 'sqlite',
      file: join(loaded.dataDirectory, 'catalog.sqlite'),
    });
  });

  test('an absolute archive directory stays where it is', async () => {
    assert.equal(
      (await load({ archive: { directory: '/volume1/angio' } })).archiveDirectory,
      '/volume1/angio',
    );
  });

  test('a peer may do everything unless the file says less', async () => {
    const { config } = await load({ peers: [peer, { ...peer, aeTitle: 'DSA', may: ['store'] }] });
    assert.deepEqual(config.peers[0]?.may, ['store', 'query', 'retrieve']);
    assert.deepEqual(config.peers[1]?.may, ['store']);
  });

  test('blanks around an AE title do not count (PS3.5 §6.2)', async () => {
    assert.equal((await load({ aeTitle: ' ANGIO ' })).config.aeTitle, 'ANGIO');
  });

  test('a byte order mark before the settings is passed over', async () => {
    assert.equal((await load('\uFEFF{"aeTitle": "BOM"}')).config.aeTitle, 'BOM');
  });
});

describe('precedence', () => {
  test('the command line goes before the file, the file before the defaults', async () => {
    const { config } = await load(
      { aeTitle: 'FILE', dimse: { port: 104 }, unknownCallers: 'all' },
      { aeTitle: 'LINE', httpPort: 0 },
    );
    assert.equal(config.aeTitle, 'LINE');
    assert.deepEqual(config.dimse, { host: '0.0.0.0', port: 104, maxAssociations: 100 });
    assert.equal(config.http.port, 0);
    assert.equal(config.unknownCallers, 'all');
  });

  test('a peer of the command line takes the place of one with its title in the file', async () => {
    const commitment = { report: 'new-association' as const };
    const line = { ...peer, host: '::1', may: ['query' as const], commitment };
    const { config } = await load({ peers: [peer, { ...peer, aeTitle: 'OTHER' }] }, { peers: [line] });
    assert.deepEqual(config.peers.map(({ aeTitle, host }) => `${aeTitle} ${host}`).sort(), [
      'OTHER 10.0.0.2',
      'WS ::1',
    ]);
  });

  test('a file named explicitly is read instead of config.json', async () => {
    const dataDirectory = await dataWith({ aeTitle: 'IGNORED' });
    const configFile = join(await dataWith({ aeTitle: 'NAMED' }), 'config.json');
    const { config } = await loadConfig({ dataDirectory, configFile, overrides: { peers: [] } });
    assert.equal(config.aeTitle, 'NAMED');
  });

  test('a file named explicitly has to exist', async () => {
    const options = { dataDirectory: root, configFile: join(root, 'none.json'), overrides: { peers: [] } };
    await assert.rejects(loadConfig(options), { message: /^--config: wants an existing file/ });
  });
});

describe('a wrong configuration gets one line that names the key and what it wants', () => {
  const cases: [unknown, RegExp][] = [
    [{ dimse: { prot: 1 } }, /^dimse\.prot: unknown setting; wants one of host, port, maxAssociations, tls$/],
    [{ aetitle: 'X' }, /^aetitle: unknown setting; wants one of version, aeTitle, /],
    [{ dimse: { port: '11112' } }, /^dimse\.port: wants a whole number from 0 to 65535, not "11112"$/],
    [{ dimse: { port: 65536 } }, /^dimse\.port: wants a whole number from 0 to 65535, not 65536$/],
    [{ dimse: { port: 1.5 } }, /^dimse\.port: wants a whole number/],
    [{ dimse: 11112 }, /^dimse: wants a group of settings in braces, not 11112$/],
    [{ dimse: { maxAssociations: 0 } }, /^dimse\.maxAssociations: wants a whole number from 1/],
    [{ dimse: { host: '300.1.1.1' } }, /^dimse\.host: wants a host name or IP address/],
    [
      { http: { host: '0.0.0.0.0' } },
      /^http\.host: wants a host name or IP address, such as 192\.168\.1\.20, not "0\.0\.0\.0\.0"$/,
    ],
    [{ aeTitle: '' }, /^aeTitle: wants an AE title: 1 to 16 ASCII characters/],
    [{ aeTitle: '    ' }, /^aeTitle: wants an AE title/],
    [{ aeTitle: 'SEVENTEEN LETTERS' }, /^aeTitle: wants an AE title/],
    [{ aeTitle: 'BACK\\SLASH' }, /^aeTitle: wants an AE title/],
    [{ aeTitle: 'NEW\nLINE' }, /^aeTitle: wants an AE title.*"NEW\\nLINE"$/],
    [{ aeTitle: '名前' }, /^aeTitle: wants an AE title/],
    [{ catalog: 'postgres://x' }, /^catalog: wants sqlite:FILE or mariadb:/],
    [{ archive: { directory: '' } }, /^archive\.directory: wants a path/],
    [
      { archive: { reserveBytes: '2 GB' } },
      /^archive\.reserveBytes: wants a whole number of bytes, or "auto"/,
    ],
    [{ archive: { reserveBytes: -1 } }, /^archive\.reserveBytes: wants/],
    [{ peers: {} }, /^peers: wants a list of peers/],
    [{ peers: ['WS@h:1'] }, /^peers\[0\]: wants a peer: \{"aeTitle"/],
    [{ peers: [peer, { host: 'h', port: 1 }] }, /^peers\[1\]\.aeTitle: wants an AE title.*, is missing$/],
    [{ peers: [{ ...peer, port: 0 }] }, /^peers\[0\]\.port: wants a whole number from 1 to 65535, not 0$/],
    [
      { peers: [{ ...peer, may: ['move'] }] },
      /^peers\[0\]\.may\[0\]: wants one of store, query, retrieve, not "move"$/,
    ],
    [
      { peers: [{ ...peer, characterSet: ['latin1'] }] },
      /^peers\[0\]\.characterSet\[0\]: wants terms of PS3\.3/,
    ],
    [{ peers: [peer, { ...peer, host: 'b' }] }, /^peers\[1\]\.aeTitle: wants a title that no other peer has/],
    [{ unknownCallers: 'maybe' }, /^unknownCallers: wants one of refuse, echo, all, not "maybe"$/],
    [{ log: { level: 'verbose' } }, /^log\.level: wants one of error, warn, info, debug/],
    [{ log: { patientNames: 'yes' } }, /^log\.patientNames: wants true or false, not "yes"$/],
    [[], /^wants settings in braces/],
    ['"text"', /^wants settings in braces.*not "text"$/],
    ['null', /^wants settings in braces.*not null$/],
    ['{"aeTitle": }', /^is not JSON: /],
    ['{\n"a": 1,\n}', /^is not JSON: /],
    [' '.repeat(1 << 21), /^is larger than 1048576 bytes/],
    [{ version: 2 }, /^version: 2 was written by a newer AngioVault; this one reads up to 1$/],
    [{ version: 'one' }, /^version: wants a whole number from 1 to 1$/],
  ];
  for (const [content, expected] of cases) {
    test(JSON.stringify(content).slice(0, 60), async () => assert.match(await refusal(content), expected));
  }

  test('the password in a catalogue address is not repeated', async () => {
    assert.doesNotMatch(await refusal({ catalog: 'mariadb://angio:secret@nas' }), /secret/);
  });

  test('a file that cannot be read is named, with the reason', async () => {
    const dataDirectory = await dataWith();
    await mkdir(join(dataDirectory, 'config.json'));
    await assert.rejects(loadConfig({ dataDirectory, overrides: { peers: [] } }), {
      message: /config\.json: cannot be read: EISDIR/,
    });
  });

  test('one port cannot serve both, wherever the two settings come from', async () => {
    const message = 'http.port: wants another port than dimse.port, both are 11112';
    await assert.rejects(load({ http: { port: 11112 } }), { message });
    await assert.rejects(load({}, { httpPort: 11112 }), { message });
  });
});

describe('an older file is brought forward', () => {
  const migrations = [({ title, ...rest }: Record<string, unknown>) => ({ ...rest, aeTitle: title })];

  test('it is written in the new form, the old one is kept beside it, byte for byte', async () => {
    const dataDirectory = await dataWith('{"version":1,   "title":"OLD"}');
    const loaded = await loadConfig({ dataDirectory, overrides: { peers: [], aeTitle: 'LINE' }, migrations });
    assert.equal(loaded.config.aeTitle, 'LINE');
    const [file, backup] = [
      join(dataDirectory, 'config.json'),
      join(dataDirectory, 'config.json.version-1.bak'),
    ];
    assert.equal(loaded.backup, backup);
    assert.equal(await readFile(backup, 'utf8'), '{"version":1,   "title":"OLD"}');
    const { version, aeTitle } = JSON.parse(await readFile(file, 'utf8'));
    assert.deepEqual(
      { version, aeTitle },
      { version: 2, aeTitle: 'OLD' },
      'the command line is not written down',
    );
    assert.deepEqual((await readdir(dataDirectory)).sort(), ['config.json', 'config.json.version-1.bak']);
  });

  test('the second start finds a current file and does nothing', async () => {
    const dataDirectory = await dataWith({ version: 1, title: 'OLD' });
    await loadConfig({ dataDirectory, overrides: { peers: [] }, migrations });
    const again = await loadConfig({ dataDirectory, overrides: { peers: [] }, migrations });
    assert.equal(again.backup, undefined);
    assert.equal(again.config.aeTitle, 'OLD');
  });

  test('what a step makes of it is checked; when it does not fit, the file stays as it was', async () => {
    const dataDirectory = await dataWith({ version: 1, title: 'MUCH TOO LONG A TITLE' });
    const loading = loadConfig({ dataDirectory, overrides: { peers: [] }, migrations });
    await assert.rejects(loading, { message: /aeTitle: wants an AE title/ });
    assert.deepEqual(await readdir(dataDirectory), ['config.json']);
    assert.match(await readFile(join(dataDirectory, 'config.json'), 'utf8'), /MUCH TOO LONG/);
  });
});
