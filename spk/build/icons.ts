// The icon of the product in every size that DSM asks for, rendered from the one drawing.

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** What ui/config names as `images/angiovault_{0}.png`. */
export const APP_ICON_SIZES = [16, 24, 32, 48, 64, 72, 120, 128, 256] as const;

export function icon(root: string, size: number): Buffer {
  const drawing = join(root, 'spk', 'icons', size < 40 ? 'angiovault-small.svg' : 'angiovault.svg');
  return execFileSync('rsvg-convert', ['--width', `${size}`, '--height', `${size}`, drawing]);
}
