// `make spk`: the package for Synology DSM. The same commit gives the same bytes: one time for all files, that of the
// commit; no owner, no order, no name taken from the machine.

import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { bundle, hashOf } from './bundle.ts';
import { APP_ICON_SIZES, icon } from './icons.ts';
import { licences, withDependencies } from './licences.ts';
import { ARCHITECTURES, type Architecture, nodeBinary } from './node-binary.ts';
import { type TarEntry, tar } from './tar.ts';
import { wizards } from './wizards.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
/** What the pages of the app are made of; they are built by Vite, which keeps no list. */
const APP_PACKAGES = [
  'react',
  'react-dom',
  'antd',
  '@ant-design/icons',
  '@tanstack/react-query',
  'i18next',
  'react-i18next',
];
const LIFE_CYCLE = [
  'preinst',
  'postinst',
  'preuninst',
  'postuninst',
  'preupgrade',
  'postupgrade',
  'start-stop-status',
];
/** Beyond that package managers do not show it, and somebody waits for it over a slow network. */
const MAX_BYTES = 45 << 20;

interface Options {
  readonly architecture: Architecture;
  readonly version: string;
  /** Seconds since 1970, of every file inside. */
  readonly timeS: number;
  /** A preset of xz. */
  readonly compression: string;
  readonly outDirectory: string;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      arch: { type: 'string', default: 'x86_64' },
      version: { type: 'string' },
      compression: { type: 'string', default: '9e' },
      out: { type: 'string', default: join(ROOT, 'dist') },
    },
  });
  if (!(values.arch in ARCHITECTURES)) {
    throw new Error(`ARCH: wants one of ${Object.keys(ARCHITECTURES).join(', ')}, not ${values.arch}`);
  }
  return {
    architecture: values.arch as Architecture,
    version: values.version ?? ownVersion(),
    timeS: Number(process.env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct')),
    compression: values.compression,
    outDirectory: resolve(values.out),
  };
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
}

/** 1.2.3-0042: what package.json says, and the number of commits behind it, which only grows. */
function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  return `${version}-${git('rev-list', '--count', 'HEAD').padStart(4, '0')}`;
}

/** Everything below target/ on the NAS. */
async function target({ architecture, version }: Options, work: string): Promise<TarEntry[]> {
  const app = join(work, 'app');
  const { packages } = await bundle(ROOT, version, app);
  const node = nodeBinary(ROOT, architecture, join(ROOT, 'node_modules', '.cache', 'spk'));
  const pages = appPages();
  const inside = [...packages, ...(pages.length > 0 ? withDependencies(ROOT, APP_PACKAGES) : [])];
  return [
    ...filesBelow(app, 'app/'),
    ...filesBelow(join(ROOT, 'spk', 'target'), ''),
    ...filesBelow(join(ROOT, 'spk', 'ui'), 'ui/').map((file) => ({
      ...file,
      content: withVersion(file.content, version),
    })),
    ...pages.map(withConfig),
    ...APP_ICON_SIZES.map((size) => entry(`ui/images/angiovault_${size}.png`, icon(ROOT, size))),
    { name: 'bin/node', mode: 0o755, content: readFileSync(node.file) },
    entry('licences/angiovault.txt', readFileSync(join(ROOT, 'LICENSE'))),
    entry('licences/node.txt', readFileSync(node.licence)),
    entry('licences/packages.txt', licences(ROOT, inside)),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The pages as `npm run ui:build` made them just now. */
function appPages(): TarEntry[] {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  if (scripts['ui:build'] === undefined) return [];
  execFileSync('npm', ['run', '-s', 'ui:build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  return filesBelow(join(ROOT, 'ui', 'dist'), 'ui/');
}

/** The desktop loads its parts anew when their address is another one. */
function withVersion(content: Uint8Array, version: string): Uint8Array {
  return Buffer.from(Buffer.from(content).toString('utf8').replaceAll('@VERSION@', version));
}

/** The page reads where its API is before it begins. */
function withConfig(file: TarEntry): TarEntry {
  if (file.name !== 'ui/index.html') return file;
  const text = Buffer.from(file.content).toString('utf8');
  if (!text.includes('<script'))
    throw new Error('ui/dist/index.html: there is no script before which to put another one');
  return {
    ...file,
    content: Buffer.from(text.replace('<script', '<script src="./config.js"></script><script')),
  };
}

function filesBelow(folder: string, prefix: string): TarEntry[] {
  return globSync('**/*', { cwd: folder })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort()
    .map((file) => entry(`${prefix}${file}`, readFileSync(join(folder, file))));
}

/** A file that names its interpreter is one to be run. */
function entry(name: string, content: Uint8Array | string): TarEntry {
  const bytes = Buffer.from(content);
  return { name, mode: bytes.subarray(0, 2).toString('latin1') === '#!' ? 0o755 : 0o644, content: bytes };
}

function info({ architecture, version, timeS }: Options, archive: Buffer, unpackedBytes: number): string {
  const values: Readonly<Record<string, string>> = {
    VERSION: version,
    ARCH: architecture,
    EXTRACTSIZE: `${Math.ceil(unpackedBytes / 1024)}`,
    CREATE_TIME: new Date(timeS * 1000).toISOString().replace(/^(\d+)-(\d+)-(\d+)T([\d:]+).*$/, '$1$2$3-$4'),
    CHECKSUM: hashOf('md5', archive, 'hex'),
  };
  const template = readFileSync(join(ROOT, 'INFO.template'), 'utf8');
  return template.replace(/@(\w+)@/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined) throw new Error(`INFO.template: nobody knows @${key}@`);
    return value;
  });
}

/** The members in DSM's own order; the outer archive is not compressed. */
async function spk(wanted: Options, work: string): Promise<Buffer> {
  const inner = tar(await target(wanted, work), wanted.timeS);
  const innerFile = join(work, 'package.tar');
  writeFileSync(innerFile, inner);
  const archive = execFileSync('xz', ['--stdout', '--threads=1', `-${wanted.compression}`, innerFile], {
    maxBuffer: 1 << 28,
  });
  const scripts = globSync('*', { cwd: join(ROOT, 'scripts') }).sort();
  const missing = LIFE_CYCLE.filter((name) => !scripts.includes(name));
  if (missing.length > 0) throw new Error(`scripts/: ${missing.join(', ')} missing`);
  return tar(
    [
      entry('INFO', info(wanted, archive, inner.length)),
      entry('package.tgz', archive),
      ...filesBelow(join(ROOT, 'conf'), 'conf/'),
      ...filesBelow(join(ROOT, 'scripts'), 'scripts/'),
      ...wizards().map(({ name, content }) => entry(`WIZARD_UIFILES/${name}`, content)),
      entry('PACKAGE_ICON.PNG', icon(ROOT, 64)),
      entry('PACKAGE_ICON_256.PNG', icon(ROOT, 256)),
    ],
    wanted.timeS,
  );
}

const wanted = options();
const work = mkdtempSync(join(tmpdir(), 'angiovault-spk-'));
try {
  const bytes = await spk(wanted, work);
  mkdirSync(wanted.outDirectory, { recursive: true });
  const file = join(wanted.outDirectory, `AngioVault-${wanted.architecture}-${wanted.version}.spk`);
  if (bytes.length > MAX_BYTES && wanted.compression === '9e')
    throw new Error(`${basename(file)}: ${bytes.length} bytes are more than ${MAX_BYTES}`);
  writeFileSync(file, bytes);
  process.stdout.write(`${file} ${(bytes.length / 2 ** 20).toFixed(1)} MiB\n`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
