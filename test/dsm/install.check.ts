// Installing: what Package Center refuses, what the package refuses and says, and what is there afterwards.
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { changedPackage, makeNas, type Nas, OLD, packageOf } from './support.ts';
import { filesOf, ownersBelow } from './traces.ts';

const file = packageOf(OLD);

describe('Package Center refuses', () => {
  let nas: Nas;
  before(async () => {
    nas = await makeNas();
  });
  after(() => nas[Symbol.asyncDispose]());
  const refusals: readonly [what: string, change: Parameters<typeof changedPackage>[1], code: number][] = [
    ['a compressed outer archive', { gzip: true }, 263],
    ['INFO without a required key', { info: (text) => text.replace(/^maintainer=.*\n/m, '') }, 261],
    ['another major version of DSM', { info: (text) => text.replace('7.2-64561', '8.0-80000') }, 261],
    ['another processor', { info: (text) => text.replace('arch="x86_64"', 'arch="armv8"') }, 261],
    ['a life cycle script that is missing', { remove: 'scripts/preupgrade' }, 261],
    ['conf/privilege that is missing', { remove: 'conf/privilege' }, 319],
    ['a wrong checksum', { info: (text) => text.replace(/checksum="../, 'checksum="zz') }, 263],
    [
      'a package on which it depends and that is missing',
      { info: (text) => text.replace('"MariaDB10"', '"PostgreSQL"') },
      261,
    ],
  ];
  for (const [what, change, code] of refusals) {
    test(what, async () => {
      const before = filesOf(nas.machine);
      const outcome = await nas.center.install(changedPackage(file, change), { wizard: nas.wizard });
      assert.equal(outcome.error?.code, code, outcome.error?.description);
      assert.deepEqual(filesOf(nas.machine), before, 'something was left');
    });
  }
});

test('the package as it is built is taken, and every resource worker in it is known', async () => {
  await using nas = await makeNas();
  const outcome = await nas.center.install(file, { wizard: nas.wizard, start: false });
  assert.equal(outcome.stage, 'installed', outcome.error?.description ?? '');
  assert.deepEqual(
    outcome.scripts.map(({ type, code }) => [type, code]),
    [
      ['preinst', 0],
      ['postinst', 0],
    ],
  );
  assert.match(outcome.message, /AE title VAULT, port \d+/);
  assert.equal(await nas.center.status(), 3);
});

describe('preinst says what is wrong, in the language of whoever asks, and nothing is left', () => {
  let nas: Nas;
  before(async () => {
    nas = await makeNas();
  });
  after(() => nas[Symbol.asyncDispose]());
  const cases: readonly [what: string, change: Record<string, string>, language: string, words: RegExp][] = [
    [
      'MariaDB password',
      { wizard_mariadb_root_password: 'wrong' },
      'enu',
      /does not accept the password of its user root/,
    ],
    [
      'MariaDB password, in Chinese',
      { wizard_mariadb_root_password: 'wrong' },
      'chs',
      /MariaDB 不接受 root 用户的密码/,
    ],
    ['weak password', { wizard_database_password: 'short' }, 'enu', /at least 10 characters/],
    ['AE title', { wizard_ae_title: 'much too long a title' }, 'enu', /AE title "much too long a title"/],
    ['port below 1024', { wizard_port: '104' }, 'enu', /port "104"/],
    ['share', { wizard_share: 'my images' }, 'enu', /shared folder "my images"/],
  ];
  for (const [what, change, language, words] of cases) {
    test(what, async () => {
      const before = filesOf(nas.machine);
      const outcome = await nas.center.install(file, { wizard: { ...nas.wizard, ...change }, language });
      assert.equal(outcome.success, false);
      assert.match(outcome.message, words);
      assert.deepEqual(filesOf(nas.machine), before);
      assert.deepEqual(await nas.mariaDb.databases(), []);
    });
  }

  test('no wizard, as from the command line', async () => {
    // The flags unset: DSM makes no database, so that the package comes to say it.
    const outcome = await nas.center.install(file, { wizard: { wizard_share: 'angio' } });
    assert.equal(outcome.success, false);
    assert.match(outcome.message, /in Package Center, not from the command line/);
  });

  test('port taken', async () => {
    const holder = createServer().listen(nas.port, '0.0.0.0');
    try {
      const outcome = await nas.center.install(file, { wizard: nas.wizard });
      assert.match(outcome.message, new RegExp(`already uses port ${nas.port}`));
      assert.equal(nas.center.installed, undefined);
    } finally {
      holder.close();
    }
  });

  test('MariaDB stopped: DSM refuses before the package is asked', async () => {
    await nas.mariaDb.stop();
    const outcome = await nas.center.install(file, { wizard: nas.wizard });
    assert.equal(outcome.error?.code, 278);
    assert.equal(nas.center.installed, undefined);
  });
});

test('a folder that DSM makes only at the first start is no obstacle', async () => {
  await using nas = await makeNas({ habits: { sharesAppear: 'before start' } });
  const outcome = await nas.center.install(file, { wizard: nas.wizard });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
});

test('no file of the package belongs to root, nothing is written outside its folders and the share', async () => {
  await using nas = await makeNas();
  const before = filesOf(nas.machine);
  const outcome = await nas.center.install(file, { wizard: nas.wizard });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
  await nas.center.stop();
  const added = filesOf(nas.machine).filter((path) => !before.includes(path));
  const own =
    /^(?:volume1\/(?:@app(?:store|data|conf|home|temp)\/AngioVault|angio)|var\/packages\/AngioVault)(?:\/|$)/;
  const byDsm =
    /^(?:volume1\/@(?:app\w+|tmp(?:\/synopkg)?)$|usr\/local\/etc\/services\.d\/AngioVault\.sc|usr\/syno\/synoman\/webman\/3rdparty\/AngioVault$|volume1\/@database\/)/;
  assert.deepEqual(
    added.filter((path) => !own.test(path) && !byDsm.test(path)),
    [],
  );
  const user = nas.center.installed?.user.uid;
  for (const folder of ['@appstore', '@appdata', '@apphome']) {
    assert.deepEqual(ownersBelow(nas.machine, `volume1/${folder}/AngioVault`), new Set([user]));
  }
  assert.deepEqual(ownersBelow(nas.machine, 'volume1/angio/archive'), new Set([user]));
});
