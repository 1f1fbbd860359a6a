// The package file: the same bytes again, and the one for ARM with the same JavaScript and a Node that runs there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');

interface Place {
  readonly root: string;
  readonly umask: string;
  readonly env: NodeJS.ProcessEnv;
}

/** One for all, whatever is committed meanwhile. */
const SOURCE_DATE_EPOCH = execFileSync('git', ['log', '-1', '--format=%ct'], {
  cwd: ROOT,
  encoding: 'utf8',
}).trim();
const HERE: Place = { root: ROOT, umask: '022', env: { SOURCE_DATE_EPOCH } };

function build(folder: TempFolder, name: string, architecture: string, place = HERE): string {
  const out = join(folder.path, name);
  const args = [
    'spk/build/main.ts',
    '--arch',
    architecture,
    '--version',
    '0.1.0-0001',
    '--compression',
    '0',
    '--out',
    out,
  ];
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', ...args];
  execFileSync('sh', ['-c', 'umask "$0"; exec "$@"', place.umask, ...command], {
    cwd: place.root,
    env: { ...process.env, ...place.env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(out, `AngioVault-${architecture}-0.1.0-0001.spk`);
}

/** The same files in a folder of another name, for somebody with other habits. */
function elsewhere(folder: TempFolder): Place {
  const root = join(folder.path, 'another folder', 'deeper');
  mkdirSync(root, { recursive: true });
  const list = 'git ls-files -z --cached --others --exclude-standard -- . ":!node_modules"';
  const copy = `${list} | tar -c --null -T - | tar -x -C "$0"`;
  execFileSync('sh', ['-c', copy, root], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
  symlinkSync(realpathSync(join(ROOT, 'node_modules')), join(root, 'node_modules'));
  const env = { TZ: 'Asia/Shanghai', LC_ALL: 'C.UTF-8', HOME: folder.path, SOURCE_DATE_EPOCH };
  return { root, umask: '077', env };
}

function unpacked(folder: TempFolder, file: string, name: string): string {
  const target = join(folder.path, name);
  mkdirSync(target);
  execFileSync('sh', ['-c', 'tar -xOf "$0" package.tgz | tar -xJ -C "$1"', file, target]);
  return target;
}

const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

let folder: TempFolder;
let intelPackage: string;
before(async () => {
  folder = await tempFolder('build');
  intelPackage = build(folder, 'once', 'x86_64');
});
after(() => folder[Symbol.asyncDispose]());

test('the same commit gives the same bytes: in another folder, with another umask, time zone and locale', () => {
  assert.equal(sha256(build(folder, 'again', 'x86_64', elsewhere(folder))), sha256(intelPackage));
});

test('armv8: everything but Node is the same, and Node runs the program on that processor', () => {
  const intel = unpacked(folder, intelPackage, 'intel-files');
  const arm = unpacked(folder, build(folder, 'arm', 'armv8'), 'arm-files');
  const differing = globSync('**/*', { cwd: intel, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(intel.length + 1))
    .filter((file) => sha256(join(intel, file)) !== sha256(join(arm, file)));
  assert.deepEqual(differing, ['bin/node']);
  assert.match(execFileSync('file', [join(arm, 'bin/node')], { encoding: 'utf8' }), /ARM aarch64/);
  const emulated = [
    '-L',
    '/usr/aarch64-linux-gnu',
    join(arm, 'bin/node'),
    join(arm, 'app/main.js'),
    '--version',
  ];
  assert.equal(execFileSync('qemu-aarch64-static', emulated, { encoding: 'utf8' }).trim(), '0.1.0-0001');
});
