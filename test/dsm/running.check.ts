// Starting, stopping, status, crashes: what DSM asks of a running package, and what the supervisor does by itself.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { echoes, makeNas, type Nas, OLD, packageOf, until } from './support.ts';

const file = packageOf(OLD);
const VAR = 'volume1/@appdata/AngioVault';
let nas: Nas;
const pidOf = (name: string) => Number(readFileSync(nas.machine.path(`${VAR}/run/${name}.pid`), 'utf8'));
/** Process numbers are those inside. */
const kill = (pid: number) =>
  nas.machine.run(['/bin/sh', '-c', `kill -9 ${pid}`], { as: { name: 'root', uid: 0, gid: 0 } });
const processes = () => nas.machine.processesOf(nas.center.installed?.user ?? assert.fail('not installed'));

before(async () => {
  nas = await makeNas();
  const outcome = await nas.center.install(file, { wizard: nas.wizard });
  assert.equal(outcome.stage, 'installed_and_started', outcome.message);
});
after(() => nas[Symbol.asyncDispose]());

test('start returns when the archive answers', async () => {
  assert.equal(await nas.center.status(), 0);
  assert.equal(await echoes(nas), true);
});

test('daemon and supervisor together hold 110 MB at most when idle', async (t) => {
  const megabytesOf = async (name: string) => {
    const status = await nas.machine.run(['/bin/cat', `/proc/${pidOf(name)}/status`], {
      as: { name: 'root', uid: 0, gid: 0 },
    });
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status.stdout)?.[1]) / 1024;
  };
  // As an upgrade or the NAS's next boot finds it: what is compiled is kept from the first start.
  assert.equal((await nas.center.stop()).success && (await nas.center.start()).success, true);
  const [daemon, supervisor] = [await megabytesOf('daemon'), await megabytesOf('supervisor')];
  t.diagnostic(`daemon ${daemon.toFixed(0)} MB, supervisor ${supervisor.toFixed(0)} MB`);
  assert.ok(daemon + supervisor <= 110, `${daemon} + ${supervisor} MB`);
});

test('start of what runs changes nothing', async () => {
  const pid = pidOf('daemon');
  assert.equal((await nas.center.start()).success, true);
  assert.equal(pidOf('daemon'), pid);
});

test('unknown verbs end with 0', async () => {
  for (const verb of ['prestart', 'prestop', 'log', 'something-new'])
    assert.equal(await nas.center.verb(verb), 0);
});

test('stop leaves no process; status 3', async () => {
  assert.equal((await nas.center.stop()).success, true);
  assert.deepEqual(processes(), []);
  assert.equal(await nas.center.status(), 3);
  assert.equal(await echoes(nas), false);
  assert.equal((await nas.center.stop()).success, true, 'again');
  assert.equal((await nas.center.start()).success, true);
});

test('a daemon that is killed is started again by itself', async () => {
  const pid = pidOf('daemon');
  await kill(pid);
  await until(async () => (await nas.center.status()) === 0 && pidOf('daemon') !== pid);
  assert.equal(await echoes(nas), true);
  assert.match(readFileSync(nas.machine.path(`${VAR}/run/supervisor.log`), 'utf8'), /ended with code 137/);
});

test('status 1 when the supervisor was killed too; start mends it', async () => {
  await kill(pidOf('supervisor'));
  await kill(pidOf('daemon'));
  assert.equal(await nas.center.status(), 1);
  assert.equal((await nas.center.start()).success, true);
  assert.equal(await nas.center.status(), 0);
});

test('status 1 while the daemon lives and its supervisor does not; start takes it over', async () => {
  await kill(pidOf('supervisor'));
  assert.equal(await nas.center.status(), 1);
  assert.equal((await nas.center.start()).success, true);
  assert.equal(await nas.center.status(), 0);
  assert.equal(processes().filter((line) => line.includes('main.js serve')).length, 1);
});

test('status 150 when the program is incomplete, and start says: repair', async () => {
  await nas.center.stop();
  const program = nas.machine.path('volume1/@appstore/AngioVault/app/main.js');
  const text = readFileSync(program);
  rmSync(program);
  assert.equal(await nas.center.status(), 150);
  writeFileSync(program, text);
  assert.equal(await nas.center.status(), 3);
});

describe('a start that fails says why, and leaves nothing running', () => {
  before(() => nas.center.stop());

  const failing = async (words: RegExp) => {
    const outcome = await nas.center.start();
    assert.equal(outcome.error?.code, 272);
    assert.match(outcome.message, words);
    assert.deepEqual(processes(), []);
    assert.equal(await nas.center.status(), 3);
  };

  test('the port is taken', async () => {
    const holder = createServer().listen(nas.port, '0.0.0.0');
    await failing(/Another program uses its port[\s\S]*dimse\.port/).finally(() => holder.close());
  });

  test('MariaDB is stopped', async () => {
    await nas.mariaDb.stop();
    await failing(/is the package MariaDB 10 running/).finally(() => nas.mariaDb.start());
  });

  test('the share is gone', async () => {
    const config = nas.machine.path(`${VAR}/config.json`);
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('/shares/angio/', '/shares/gone/'));
    await failing(/Its shared folder cannot be used/).finally(() => writeFileSync(config, text));
  });

  test('a setting is wrong', async () => {
    const config = nas.machine.path(`${VAR}/config.json`);
    const text = readFileSync(config, 'utf8');
    writeFileSync(config, text.replace('"VAULT"', '"a title that is too long"'));
    await failing(/A setting is wrong[\s\S]*aeTitle/).finally(() => writeFileSync(config, text));
  });

  test('and afterwards it starts', async () => {
    assert.equal((await nas.center.start()).success, true);
  });
});

test('a setting that became wrong is given up at once, visibly, with a notification', async () => {
  const notified = nas.machine.path('usr/syno/bin/synodsmnotify');
  const told = `${VAR}/run/notified`;
  writeFileSync(notified, `#!/bin/sh\necho "$@" >/${told}\n`, { mode: 0o755 });
  const config = nas.machine.path(`${VAR}/config.json`);
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace('"VAULT"', '"a title that is too long"'));
  try {
    await kill(pidOf('daemon'));
    await until(() => processes().length === 0);
    assert.equal(await nas.center.status(), 1);
    assert.match(
      readFileSync(nas.machine.path(told), 'utf8'),
      /@administrators AngioVault:notification:title AngioVault:notification:stopped/,
    );
  } finally {
    writeFileSync(config, text);
  }
  assert.equal((await nas.center.start()).success, true);
});

test('what needs a person is told by DSM: the space runs out', async () => {
  await nas.center.stop();
  const told = `${VAR}/run/notified`;
  writeFileSync(nas.machine.path('usr/syno/bin/synodsmnotify'), `#!/bin/sh\necho "$@" >>/${told}\n`, {
    mode: 0o755,
  });
  rmSync(nas.machine.path(told), { force: true });
  const config = nas.machine.path(`${VAR}/config.json`);
  const text = readFileSync(config, 'utf8');
  const settings = JSON.parse(text) as { archive: object };
  const archive = { ...settings.archive, reserveBytes: 1e15 };
  writeFileSync(config, JSON.stringify({ ...settings, archive }));
  try {
    assert.equal((await nas.center.start()).success, true);
    await until(() => existsSync(nas.machine.path(told)));
    assert.equal(
      readFileSync(nas.machine.path(told), 'utf8'),
      '-c SYNO.SDS.AngioVault.Application @administrators AngioVault:notification:title AngioVault:notification:space\n',
    );
  } finally {
    await nas.center.stop();
    writeFileSync(config, text);
  }
  assert.equal((await nas.center.start()).success, true);
});
