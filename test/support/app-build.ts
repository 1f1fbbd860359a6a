// The app as the daemon serves it: built when it is missing or older than what it is made of.
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '../..');
const BUILT = join(ROOT, 'ui/dist/index.html');

export function buildApp(): void {
  const sources = globSync('ui/{src,public}/**/*', { cwd: ROOT }).concat(
    'ui/index.html',
    'ui/vite.config.ts',
  );
  const newest = Math.max(...sources.map((file) => statSync(join(ROOT, file)).mtimeMs));
  if (existsSync(BUILT) && statSync(BUILT).mtimeMs >= newest) return;
  execFileSync(join(ROOT, 'node_modules/.bin/vite'), ['build', 'ui', '--logLevel', 'error'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
