// The icon of the product in every size that DSM asks for. What is small is rendered from the drawing that the app itself
// shows, what is large from the same with more branches.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What ui/config names as `images/angiovault_{0}.png`. */
export const APP_ICON_SIZES = [16, 24, 32, 48, 64, 72, 120, 128, 256] as const;

export function icon(root: string, size: number): Buffer {
  const drawing = join(root, size < 40 ? 'ui/public/icon.svg' : 'spk/icons/angiovault.svg');
  return execFileSync('rsvg-convert', ['--width', `${size}`, '--height', `${size}`, drawing]);
}
