// Upgrading, repairing, downgrading, uninstalling and installing again: what stays, and what never goes unasked.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { foundUids, storeOnce } from '../support/archive-state.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { ROOT_PASSWORD } from './maria-db.ts';
import {
  addressOf,
  changedPackage,
  echoes,
  makeNas,
  type Nas,
  NEW,
  OLD,
  packageOf,
  UPGRADE,
  until,
} from './support.ts';

const CONFIG = 'volume1/@appdata/AngioVault/config.json';
const ARCHIVE = 'volume1/angio/archive';
const older = packageOf(OLD);
const newer = packageOf(NEW);

/** The newer package, with a change of the schema that comes to this in its middle. */
function withChange(middle: string): string {
  const up = `async db=>{const{schema}=db;
    await schema.alterTable("study").addColumn("note","text").execute();
    await db.deleteFrom("search_key").execute();
    ${middle};
    await schema.alterTable("series").dropColumn("received_at").execute()}`;
  const step = `,{version:2,changes:["study","series","search_key"],makes:[],up:${up}}]`;
  const first = /(\{version:1,changes:\[\],makes:\[\],up:\w+\})\]/;
  let changed = 0;
  const program = (text: string) =>
    text.replace(first, (_, was) => {
      changed += 1;
      return `${was}${step}`;
    });
  const info = (text: string) => text.replace(/^checksum=.*\n/m, '');
  const file = changedPackage(newer, { program, info });
  assert.ok(changed > 0, 'the first version of the schema is not where it was');
  return file;
}

/** What makes each table of the catalogue. */
function schema(nas: Nas): Promise<[name: string, made: string][]> {
  return nas.mariaDb.asRoot(async (root) => {
    await root.query('use angiovault');
    const tables = (await root.query<object[]>('show tables')).flatMap((row) => Object.values(row)).sort();
    const made: [string, string][] = [];
    for (const table of tables) {
      const [row] = await root.query<Record<string, string>[]>(`show create table ${table}`);
      made.push([table, (row?.['Create Table'] ?? '').replace(/ AUTO_INCREMENT=\d+/, '')]);
    }
    return made;
  });
}

async function installed(nas: Nas, file = older): Promise<void> {
  const outcome = await nas.center.install(file, { wizard: nas.wizard });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
}

describe('upgrade', () => {
  let nas: Nas;
  const instance = madeInstance();
  const isFound = async () => (await foundUids(addressOf(nas), [instance.sopInstanceUid])).size === 1;
  const config = () => readFileSync(nas.machine.path(CONFIG), 'utf8');
  before(async () => {
    nas = await makeNas();
    await installed(nas);
    assert.equal(await storeOnce(addressOf(nas), instance), 0);
  });
  after(() => nas[Symbol.asyncDispose]());

  test('another shared folder is refused, and the old version runs again', async () => {
    const outcome = await nas.center.install(newer, { wizard: { ...UPGRADE, wizard_share: 'other' } });
    assert.equal(outcome.error?.code, 277);
    assert.match(outcome.message, /lies in the shared folder "angio"/);
    assert.equal(nas.center.installed?.version, OLD);
    assert.equal(await nas.center.status(), 0);
    assert.equal(await isFound(), true);
  });

  test('without the dialog it is refused', async () => {
    const outcome = await nas.center.install(newer, { wizard: {} });
    assert.equal(outcome.error?.code, 277);
    assert.match(outcome.message, /Package Center, not from the command line/);
    assert.equal(await nas.center.status(), 0);
  });

  test('a catalogue that cannot be brought forward: refused, the old version runs again', async () => {
    await nas.mariaDb.asRoot((root) =>
      root.query('update angiovault.schema_version set version = version + 1000'),
    );
    const outcome = await nas.center.install(newer, { wizard: UPGRADE, language: 'chs' });
    assert.equal(outcome.error?.code, 277);
    const preupgrade = outcome.scripts.find(({ type }) => type === 'preupgrade');
    assert.match(preupgrade?.message ?? '', /目录数据库无法升级到新版本.*schema version 100\d/);
    assert.equal(nas.center.installed?.version, OLD);
    await nas.mariaDb.asRoot((root) =>
      root.query('update angiovault.schema_version set version = version - 1000'),
    );
    assert.equal((await nas.center.start()).success, true);
    assert.equal(await isFound(), true);
  });

  test('a change of the schema that fails in its middle: put back, the old version runs, everything is found', async () => {
    const was = await schema(nas);
    const outcome = await nas.center.install(withChange('throw new Error("out of luck")'), {
      wizard: UPGRADE,
    });
    assert.equal(outcome.error?.code, 277);
    assert.match(outcome.message, /brought to the new version: .*out of luck\. It is as it was/);
    assert.equal(nas.center.installed?.version, OLD);
    assert.equal(await nas.center.status(), 0);
    assert.deepEqual(await schema(nas), was);
    assert.equal(await isFound(), true);
    const another = madeInstance();
    assert.equal(await storeOnce(addressOf(nas), another), 0);
    assert.equal((await foundUids(addressOf(nas), [another.sopInstanceUid])).size, 1);
  });

  test('the power goes in the middle of a change of the schema: the start of the old version puts it back', async () => {
    const was = await schema(nas);
    const half = nas.center.install(withChange('await new Promise(()=>setInterval(()=>0,9))'), {
      wizard: UPGRADE,
    });
    await until(async () => (await schema(nas)).some(([, made]) => made.includes('`note`')));
    await nas.machine.powerCut();
    assert.equal((await half).error?.code, 277);
    await nas.center.boot();
    assert.equal((await nas.center.start()).success, true);
    assert.equal(await isFound(), true);
    assert.deepEqual(await schema(nas), was);
  });

  test('settings, catalogue and archive stay; it runs again, because it ran', async () => {
    const settings = config();
    const outcome = await nas.center.install(newer, { wizard: UPGRADE });
    assert.equal(outcome.stage, 'installed_and_started', outcome.message);
    const order = outcome.scripts.map(({ type }) => type);
    assert.deepEqual(order, [
      'prestop',
      'stop',
      'preupgrade',
      'preuninst',
      'postuninst',
      'preinst',
      'postinst',
      'postupgrade',
      'prestart',
      'start',
    ]);
    assert.equal(nas.center.installed?.version, NEW);
    assert.equal(config(), settings);
    assert.equal(await isFound(), true);
  });

  test('a downgrade is refused with the reason', async () => {
    const outcome = await nas.center.install(older, { wizard: UPGRADE });
    assert.equal(outcome.error?.code, 277);
    assert.match(outcome.message, /Version 0\.2\.0-0002 is installed, and this file is older/);
    assert.equal(await nas.center.status(), 0);
  });

  test('repair is an upgrade over itself; what was stopped stays stopped', async () => {
    await nas.center.stop();
    const outcome = await nas.center.repair(newer, { wizard: UPGRADE });
    assert.equal(outcome.stage, 'installed', outcome.message);
    assert.equal(await nas.center.status(), 3);
    assert.equal((await nas.center.start()).success, true);
    assert.equal(await isFound(), true);
  });

  test('the dialog names the folder that is in use', async () => {
    const script = '/var/packages/AngioVault/WIZARD_UIFILES/upgrade_uifile_chs.sh';
    const dialog = await nas.machine.run(['/bin/sh', '-c', `${script} && cat "$SYNOPKG_TEMP_LOGFILE"`], {
      as: nas.center.installed?.user ?? assert.fail(),
      env: { SYNOPKG_PKGNAME: 'AngioVault', SYNOPKG_TEMP_LOGFILE: '/tmp/dialog' },
    });
    const [step] = JSON.parse(dialog.stdout) as {
      items: { subitems: { key: string; defaultValue: unknown }[] }[];
    }[];
    assert.equal(step?.items[0]?.subitems[0]?.defaultValue, 'angio');
  });

  test('a version whose program does not run here is refused before the old one goes', async () => {
    const spoilt = changedPackage(newer, {
      spoil: 'bin/node',
      info: (text) => text.replace(NEW, '0.3.0-0003').replace(/^checksum=.*\n/m, ''),
    });
    const outcome = await nas.center.install(spoilt, { wizard: UPGRADE });
    assert.equal(outcome.error?.code, 277);
    assert.match(outcome.message, /cannot run on this NAS/);
    assert.equal(await nas.center.status(), 0);
  });
});

describe('uninstallation', () => {
  let nas: Nas;
  const instance = madeInstance();
  before(async () => {
    nas = await makeNas();
    await installed(nas);
    assert.equal(await storeOnce(addressOf(nas), instance), 0);
  });
  after(() => nas[Symbol.asyncDispose]());

  for (const [what, wizard, words] of [
    [
      'one tick of two to delete the archive',
      { wizard_delete_archive: 'true' },
      /only one of the two boxes is ticked/,
    ],
    [
      'dropping the database without the password',
      { wizard_drop_database: 'true' },
      /password of MariaDB's user root is needed/,
    ],
    [
      'dropping the database with a wrong one',
      { wizard_drop_database: 'true', wizard_mariadb_root_password: 'no' },
      /does not accept the password/,
    ],
  ] as const) {
    test(`${what} is refused; the package stays and runs`, async () => {
      const outcome = await nas.center.uninstall({ wizard });
      assert.equal(outcome.success, false);
      assert.match(outcome.message, words);
      assert.equal(await nas.center.status(), 0);
      assert.equal(existsSync(nas.machine.path(ARCHIVE)), true);
    });
  }

  test('without a tick everything stays, and an installation finds it again', async () => {
    assert.equal((await nas.center.uninstall()).success, true);
    assert.equal(existsSync(nas.machine.path('var/packages/AngioVault')), false);
    assert.equal(existsSync(nas.machine.path(ARCHIVE)), true);
    assert.equal(existsSync(nas.machine.path(CONFIG)), true);
    assert.deepEqual(await nas.mariaDb.databases(), ['angiovault']);
    assert.equal(await echoes(nas), false);
    await installed(nas, newer);
    assert.equal((await foundUids(addressOf(nas), [instance.sopInstanceUid])).size, 1);
  });

  test('every tick: archive, database and settings go, the shared folder stays', async () => {
    const outcome = await nas.center.uninstall({
      wizard: {
        wizard_delete_settings: 'true',
        wizard_drop_database: 'true',
        wizard_mariadb_root_password: ROOT_PASSWORD,
        wizard_delete_archive: 'true',
        wizard_delete_archive_really: 'true',
      },
    });
    assert.equal(outcome.success, true, outcome.message);
    assert.equal(existsSync(nas.machine.path(ARCHIVE)), false);
    assert.equal(existsSync(nas.machine.path('volume1/angio')), true);
    assert.equal(existsSync(nas.machine.path(CONFIG)), false);
    assert.deepEqual(await nas.mariaDb.databases(), []);
  });
});

test('where DSM names no folder of the old package in preupgrade, it is found all the same', async () => {
  await using nas = await makeNas({ varInPreupgrade: false });
  await installed(nas);
  const outcome = await nas.center.install(newer, { wizard: { ...UPGRADE, wizard_share: 'other' } });
  assert.match(outcome.message, /lies in the shared folder "angio"/);
});
