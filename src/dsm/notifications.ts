// What needs a person, told by DSM's own notification: on the desktop of the administrators, in the language of each.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { messageOf } from '../util/errors.ts';
import type { Log } from '../util/log.ts';

const PROGRAM = '/usr/syno/bin/synodsmnotify';
const APPLICATION = 'SYNO.SDS.AngioVault.Application';
/** Codes of notices, and what texts/…/strings of the package calls them. */
const TEXTS: Readonly<Record<string, string>> = {
  space: 'space',
  findings: 'findings',
  'integrity-behind': 'behind',
  'second-archive-behind': 'copies',
  'commitment-failing': 'commitment',
};
/** Of one kind not more often than that: what goes up and down says it once. */
const QUIET_MS = 12 * 3_600_000;
const PATIENCE_MS = 30_000;

interface Notice {
  readonly code: string;
  readonly level: string;
}

export interface NotificationOptions {
  readonly program?: string;
  readonly now?: () => number;
}

/** What to call with every notice that is raised. Where there is no DSM it does nothing. */
export function dsmNotifications(
  log: Log,
  { program = PROGRAM, now = () => performance.now() }: NotificationOptions = {},
): (notice: Notice) => void {
  const toldAt = new Map<string, number>();
  return ({ code, level }) => {
    const text = TEXTS[code];
    if (text === undefined || level === 'info' || !existsSync(program)) return;
    const last = toldAt.get(code);
    if (last !== undefined && now() - last < QUIET_MS) return;
    toldAt.set(code, now());
    const words = ['AngioVault:notification:title', `AngioVault:notification:${text}`];
    execFile(program, ['-c', APPLICATION, '@administrators', ...words], { timeout: PATIENCE_MS }, (error) => {
      if (error !== null) log.warn(`DSM took no notification of ${code}: ${messageOf(error)}`);
    });
  };
}
