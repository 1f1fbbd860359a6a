// One text with the licences of everything that is inside the package.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Manifest {
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

function manifestOf(root: string, name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as Manifest;
}

/** The packages and all that they depend on, as far as they are installed at the top. */
export function withDependencies(root: string, names: readonly string[]): string[] {
  const known = new Set<string>();
  const add = (name: string) => {
    if (known.has(name) || globSync(join(root, 'node_modules', name, 'package.json')).length === 0) return;
    known.add(name);
    for (const dependency of Object.keys(manifestOf(root, name).dependencies ?? {})) add(dependency);
  };
  names.forEach(add);
  return [...known];
}

export function licences(root: string, names: readonly string[]): string {
  const chapters = [...new Set(names)].sort().map((name) => {
    const { version, license } = manifestOf(root, name);
    const texts = globSync('{LICEN[CS]E,licen[cs]e,Licen[cs]e,COPYING,NOTICE}*', {
      cwd: join(root, 'node_modules', name),
    })
      .sort()
      .filter((file) => !/\.(?:js|ts|json|html)$/.test(file))
      .map((file) => readFileSync(join(root, 'node_modules', name, file), 'utf8').trim());
    if (texts.length === 0 && license === undefined)
      throw new Error(`${name}: says nothing about its licence`);
    return [`==== ${name} ${version}${license === undefined ? '' : ` (${license})`}`, ...texts].join('\n\n');
  });
  return `AngioVault contains these packages. Node.js has its own file beside this one.\n\n${chapters.join('\n\n\n')}\n`;
}
