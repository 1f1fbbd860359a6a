// The program as plain JavaScript, one file per entry point: the program, every thread, the CGI relay.

import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** A thread is started from its own file; the architecture test knows the same form. */
const THREAD = /new URL\('(?<path>[^']+)\.ts', import\.meta\.url\)/g;
/** A codec is read from its package. Both lines go, so that the bundler sees an ordinary `require`. */
const OWN_REQUIRE = /^[ \t]*const require = createRequire\(import\.meta\.url\);$/gm;
const RESOLVED = /require\.resolve\('(?<name>[^']+)'\)/g;

/** What CommonJS packages still ask for at run time are modules of Node; codecs also ask where they are. */
const BANNER = `import { createRequire as createRequireOfNode } from 'node:module';
const require = createRequireOfNode(import.meta.url);
const __dirname = import.meta.dirname;`;

export interface Bundle {
  /** Names of the npm packages of which something is inside. */
  readonly packages: readonly string[];
}

/** Packages that a thread asks for only when it needs them, and that are large: files of their own, read then. */
const ASKED_FOR_LATER = ['pinyin-pro'];

/** What is run from a script of the package, beside the threads. */
const PROGRAMS = ['main.ts', 'main/package.ts', 'main/relay.ts'];

/** Bundles the programs and threads of `root`/src into `outDirectory`. */
export async function bundle(root: string, version: string, outDirectory: string): Promise<Bundle> {
  const source = join(root, 'src');
  const entryPoints = [...PROGRAMS.map((program) => join(source, program)), ...threadsOf(source)];
  const twice = entryPoints.find(
    (file, at) => entryPoints.findIndex((other) => basename(other) === basename(file)) < at,
  );
  if (twice !== undefined)
    throw new Error(`${twice}: another entry point has this name; both end up in one folder`);
  mkdirSync(outDirectory, { recursive: true });
  const common = {
    absWorkingDir: root,
    entryNames: '[name]',
    outdir: outDirectory,
    bundle: true,
    platform: 'node',
    target: 'node24',
    minify: true,
    // Names appear in the log.
    keepNames: true,
    legalComments: 'none',
    // A source with one character beyond Latin-1 takes two bytes for each of its characters, in every thread.
    charset: 'ascii',
    metafile: true,
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error' },
  } satisfies BuildOptions;
  const programs = await build({
    ...common,
    entryPoints,
    format: 'esm',
    banner: { js: BANNER },
    plugins: [
      besideEachOther(source, outDirectory),
      packageVersion(version),
      tablesAsText(),
      englishOnly(),
      httpRequired(),
    ],
  });
  const later = await build({
    ...common,
    entryPoints: Object.fromEntries(
      ASKED_FOR_LATER.map((name) => [name, createRequire(join(source, 'main.ts')).resolve(name)]),
    ),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
  });
  return {
    packages: packagesIn([programs, later].flatMap(({ metafile }) => Object.keys(metafile.inputs))),
  };
}

function threadsOf(source: string): string[] {
  const files = globSync('**/*.ts', { cwd: source }).sort();
  const threads = files.flatMap((file) =>
    [...readFileSync(join(source, file), 'utf8').matchAll(THREAD)].map(({ groups }) =>
      join(source, file, '..', `${groups?.path}.ts`),
    ),
  );
  return [...new Set(threads)];
}

/** In the bundle every thread and every codec lies beside the file that starts it. */
function besideEachOther(source: string, outDirectory: string): Plugin {
  const { resolve } = createRequire(join(source, 'main.ts'));
  return {
    name: 'beside-each-other',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /./ }, ({ path, kind }) =>
        kind === 'require-call' && ASKED_FOR_LATER.includes(path)
          ? { path: `./${path}.cjs`, external: true }
          : undefined,
      );
      // Character sets of the east: as source they would take a megabyte in each thread, whoever sends.
      onResolve({ filter: /^\.\/tables\/[\w-]+\.json$/ }, ({ path, resolveDir }) => {
        if (!resolveDir.endsWith('iconv-lite/encodings')) return undefined;
        copyFileSync(join(resolveDir, path), join(outDirectory, basename(path)));
        return { path: `./${basename(path)}`, external: true };
      });
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!path.startsWith(source)) return undefined;
        const contents = readFileSync(path, 'utf8')
          .replace(THREAD, (_, thread: string) => `new URL('./${basename(thread)}.js', import.meta.url)`)
          .replace(OWN_REQUIRE, '')
          .replace(RESOLVED, (_, name: string) => {
            const file = resolve(name);
            copyFileSync(file, join(outDirectory, basename(file)));
            return `new URL('./${basename(file)}', import.meta.url)`;
          });
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** package.json is read for its version alone; the one of the package is longer. */
function packageVersion(version: string): Plugin {
  return {
    name: 'package-version',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]package\.json$/ }, ({ path }) =>
        path.includes('node_modules') ? undefined : { contents: JSON.stringify({ version }), loader: 'json' },
      );
    },
  };
}

/** Large tables: an object literal is kept as source, as code and as values, a text that is parsed as values alone. Of
 *  the dictionary only what the program reads. */
function tablesAsText(): Plugin {
  return {
    name: 'tables-as-text',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]mime-db[\\/]db\.json$/ }, ({ path }) => ({
        contents: `module.exports = ${parsing(JSON.parse(readFileSync(path, 'utf8')))};`,
        loader: 'js',
      }));
      onLoad({ filter: /[\\/]dcmjs[\\/]generate[\\/]dictionary\.mjs$/ }, async ({ path }) => {
        const { default: dictionary } = (await import(path)) as { default: Record<string, DictionaryEntry> };
        const entries = Object.entries(dictionary).map(([key, { vr, name }]) => [key, { vr, name }]);
        return { contents: `export default ${parsing(Object.fromEntries(entries))};`, loader: 'js' };
      });
    },
  };
}

interface DictionaryEntry {
  readonly vr?: string;
  readonly name?: string;
}

const parsing = (table: object) => `JSON.parse(${JSON.stringify(JSON.stringify(table))})`;

/** zod brings its messages in fifty languages; the program asks for none of them. */
function englishOnly(): Plugin {
  return {
    name: 'english-only',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js';",
        loader: 'js',
      }));
    },
  };
}

/** An `import` of node:http reads every one of its exports, so that Node loads its web client (undici) and HTTP/2, which
 *  nobody needs here; `require` does not. */
function httpRequired(): Plugin {
  return {
    name: 'http-required',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /^(?:node:)?http$/ }, ({ kind }) =>
        kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'required' }, () => ({
        contents: "module.exports = require('node:http');",
      }));
    },
  };
}

/** The packages to which files under node_modules belong. */
export function packagesIn(files: readonly string[]): string[] {
  const names = files.flatMap((file) => {
    const inside = file.split('node_modules/').at(-1);
    if (inside === undefined || inside === file) return [];
    return [inside.split('/', inside.startsWith('@') ? 2 : 1).join('/')];
  });
  return [...new Set(names)].sort();
}

export function hashOf(algorithm: 'md5' | 'sha512', bytes: Uint8Array, encoding: 'hex' | 'base64'): string {
  return createHash(algorithm).update(bytes).digest(encoding);
}
