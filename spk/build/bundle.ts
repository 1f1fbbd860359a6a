// The program as plain JavaScript, one file per entry point: the program, every thread, the CGI relay.

import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { build, type Plugin } from 'esbuild';

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
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    entryNames: '[name]',
    outdir: outDirectory,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    minify: true,
    // Names appear in the log.
    keepNames: true,
    legalComments: 'none',
    charset: 'utf8',
    metafile: true,
    banner: { js: BANNER },
    logLevel: 'warning',
    logOverride: { 'empty-import-meta': 'error' },
    plugins: [besideEachOther(source, outDirectory), packageVersion(version)],
  });
  return { packages: packagesIn(Object.keys(metafile.inputs)) };
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
    setup({ onLoad }) {
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
