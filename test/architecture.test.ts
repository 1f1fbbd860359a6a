// The layout holds: who may import whom, no cycles, no large files, nothing at the top that has no place.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, test } from 'node:test';

const ROOT = join(import.meta.dirname, '..');

/** A folder of src imports from itself, and from these. docs/architecture.md shows the same table. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  util: [],
  config: ['util'],
  dicom: ['util'],
  ul: ['util'],
  dimse: ['ul', 'dicom', 'util'],
  storage: ['util'],
  catalog: ['dicom', 'util'],
  archive: ['storage', 'catalog', 'dicom', 'util'],
  scu: ['dimse', 'ul', 'dicom', 'util'],
  jobs: ['archive', 'catalog', 'scu', 'dicom', 'util'],
  scp: ['archive', 'jobs', 'scu', 'dimse', 'dicom', 'util'],
  http: ['archive', 'jobs', 'config', 'dicom', 'util'],
  dsm: ['config', 'util'],
};

/** The program, main.ts and main/, joins everything; nobody imports it. */
const isProgram = (path: string) => path === 'main.ts' || path.startsWith('main/');

/** Packages with one owner: what they bring stays behind its walls. */
const OWNED_PACKAGES: Readonly<Record<string, readonly string[]>> = {
  dcmjs: ['dicom'],
  kysely: ['catalog'],
  mariadb: ['catalog'],
  koa: ['http'],
  '@koa/router': ['http'],
  winston: ['util'],
  'fast-png': ['dicom'],
  yazl: ['http'],
  'pinyin-pro': ['catalog'],
  // util: for a lock that the kernel drops with the process.
  'node:sqlite': ['catalog', 'util'],
};

/** Named by package.json for code that comes next. */
const ARRIVING: readonly string[] = [];

const MAX_LINES = 500;
const MAX_MEDIAN_LINES = 150;
const MAX_P90_LINES = 400;

const TOP_LEVEL = new Set([
  ...['src', 'test', 'ui', 'spk', 'conf', 'scripts', 'docs', '.ci'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'INFO.template', 'Makefile'],
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE'],
  ...['biome.json', '.npmrc', '.gitignore'],
]);

const SPECIFIER = String.raw`(?<quote>['"])(?<specifier>[^'"\n]+)\k<quote>`;
const IMPORT_FORMS = [
  // import … from '…', export … from '…', with or without `type`
  new RegExp(String.raw`^\s*(?:import|export)\b[^;'"]*?\bfrom\s*${SPECIFIER}`, 'gm'),
  new RegExp(String.raw`^\s*import\s*${SPECIFIER}`, 'gm'),
  // import('…') as a value or as a type, require('…'), and workers: new URL('./x.ts', import.meta.url)
  new RegExp(String.raw`\b(?:import|require|resolve)\s*\(\s*${SPECIFIER}`, 'g'),
  new RegExp(String.raw`\bnew URL\(\s*${SPECIFIER},\s*import\.meta\.url`, 'g'),
];

/** Everything a source text imports, in any form. */
function specifiersIn(text: string): string[] {
  const code = text.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  return IMPORT_FORMS.flatMap((form) =>
    [...code.matchAll(form)].map((match) => match.groups?.specifier ?? ''),
  );
}

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly lines: number;
  /** Files of src, as paths from src. */
  readonly inside: readonly string[];
  readonly packages: readonly string[];
}

const files: readonly SourceFile[] = globSync('src/**/*.{ts,js,mjs,cjs}', { cwd: ROOT })
  .map((file) => relative('src', file))
  .sort()
  .map((path) => {
    const text = readFileSync(join(ROOT, 'src', path), 'utf8');
    const specifiers = specifiersIn(text);
    return {
      path,
      folder: path.split('/')[0] ?? '',
      text,
      lines: text.split('\n').length - 1,
      inside: specifiers.filter((to) => to.startsWith('.')).map((to) => normalize(join(dirname(path), to))),
      packages: specifiers.filter((to) => !to.startsWith('.')),
    };
  });

/** Edges of src that the table does not allow, as `from → to`. */
function forbiddenEdges(): string[] {
  return files
    .filter(({ path }) => !isProgram(path))
    .flatMap(({ path, folder, inside }) => {
      const allowed = [folder, ...(MAY_IMPORT[folder] ?? [])];
      return inside.filter((to) => !allowed.includes(to.split('/')[0] ?? '')).map((to) => `${path} → ${to}`);
    });
}

/** The first ring of imports found, as the files along it. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of edges.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle !== undefined) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of edges.keys()) {
    const cycle = visit(path, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

describe('the reader of imports sees every form', () => {
  const forms: [string, string[]][] = [
    ["import { a } from './a.ts';", ['./a.ts']],
    ["import type { A } from '../ul/a.ts';", ['../ul/a.ts']],
    ["import {\n  a,\n  type B,\n} from './b.ts';", ['./b.ts']],
    ["import './side-effect.ts';", ['./side-effect.ts']],
    ['import a from "dcmjs";', ['dcmjs']],
    ["export { a } from './a.ts';\nexport type * from './b.ts';", ['./a.ts', './b.ts']],
    ["const { a } = await import('./lazy.ts');", ['./lazy.ts']],
    ["let a: import('./type.ts').A;", ['./type.ts']],
    ["new Worker(new URL('./x-worker.ts', import.meta.url));", ['./x-worker.ts']],
    ["const codec = require('codec');", ['codec']],
    ["// import { a } from './comment.ts';\n/** import('./doc.ts') */", []],
    ["export const text = 'x';\nimport { a } from './late.ts';", ['./late.ts']],
  ];
  for (const [text, expected] of forms) {
    test(text.replaceAll('\n', ' '), () => assert.deepEqual(specifiersIn(text), expected));
  }
  test('and finds a ring', () => {
    const ring = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', []],
      ['d', ['b']],
    ]);
    assert.deepEqual(findCycle(ring), ['b', 'd', 'b']);
    assert.equal(findCycle(new Map([['a', ['b']]])), undefined);
  });
});

describe('imports', () => {
  test('every folder of src stands in the table', () => {
    const unknown = files
      .filter(({ path, folder }) => !isProgram(path) && !(folder in MAY_IMPORT))
      .map(({ folder }) => folder);
    assert.deepEqual([...new Set(unknown)], []);
  });

  test('no edge that the table does not allow', () => assert.deepEqual(forbiddenEdges(), []));

  test('no import leads out of src, or nowhere', () => {
    const known = new Set(files.map(({ path }) => path));
    const lost = files
      .flatMap(({ path, inside }) => inside.map((to) => [path, to] as const))
      .filter(([path, to]) => !known.has(to) && !(isProgram(path) && to === '../package.json'));
    assert.deepEqual(lost, []);
  });

  test('no cycle', () => {
    assert.equal(findCycle(new Map(files.map(({ path, inside }) => [path, inside])))?.join(' → '), undefined);
  });

  test('packages with one owner are imported by nobody else', () => {
    const strays = files
      .filter(({ path }) => !isProgram(path))
      .flatMap(({ path, folder, packages }) =>
        packages
          .filter((name) => OWNED_PACKAGES[name] !== undefined && !OWNED_PACKAGES[name].includes(folder))
          .map((name) => `${path} → ${name}`),
      );
    assert.deepEqual(strays, []);
  });

  test('every package imported is one that package.json names, and the other way round', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const packageOf = (name: string) => name.split('/', name.startsWith('@') ? 2 : 1).join('/');
    const used = new Set(
      files.flatMap(({ packages }) => packages.filter((name) => !name.startsWith('node:')).map(packageOf)),
    );
    for (const name of ARRIVING) used.add(name);
    assert.deepEqual([...used].sort(), Object.keys(dependencies).sort());
  });
});

describe('size', () => {
  const sizes = files.map(({ lines }) => lines).sort((a, b) => a - b);
  const share = (part: number) => sizes[Math.floor((sizes.length - 1) * part)] ?? 0;

  test(`no file over ${MAX_LINES} lines`, () => {
    const large = files
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path}: ${lines}`);
    assert.deepEqual(large, []);
  });
  test(`median at most ${MAX_MEDIAN_LINES} lines`, () =>
    assert.ok(share(0.5) <= MAX_MEDIAN_LINES, `${share(0.5)}`));
  test(`nine of ten at most ${MAX_P90_LINES} lines`, () =>
    assert.ok(share(0.9) <= MAX_P90_LINES, `${share(0.9)}`));
});

describe('habits', () => {
  test('every file opens with its duty', () => {
    assert.deepEqual(
      files.filter(({ text }) => !text.startsWith('//')).map(({ path }) => path),
      [],
    );
  });

  test('files are named in kebab-case', () => {
    const named = files
      .filter(({ path }) => !/^([a-z0-9-]+\/)*[a-z0-9-]+(\.d)?\.ts$/.test(path))
      .map(({ path }) => path);
    assert.deepEqual(named, []);
  });

  test('nothing prints past the log', () => {
    const printing = files.filter(({ text }) => /\bconsole\.\w+\(/.test(text)).map(({ path }) => path);
    assert.deepEqual(printing, []);
  });
});

describe('what is under version control', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' })
    .split('\0')
    .filter(Boolean);

  test('every top-level entry has its place', () => {
    const entries = new Set(tracked.map((file) => file.split('/')[0] ?? ''));
    assert.deepEqual(
      [...entries].filter((entry) => !TOP_LEVEL.has(entry)),
      [],
    );
  });

  test('no file speaks of the machine on which it was written', () => {
    const homes = ['work', 'farm', 'root', 'home'].join('|');
    const path = new RegExp(String.raw`(?<![\w.-])/(?:${homes})/[a-z]|/tmp/av\b`);
    const telling = tracked
      .filter((file) => path.test(readFileSync(join(ROOT, file), 'latin1')))
      .filter((file) => file !== 'test/architecture.test.ts');
    assert.deepEqual(telling, []);
  });
});
