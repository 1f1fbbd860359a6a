// How much room there is, and for how long it lasts at the present pace.

export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly reserveBytes: number;
  /** ISO date; left out when it is more than ten years away or nothing comes. */
  readonly fullOn?: string;
  readonly level: 'ok' | 'warning' | 'full';
}

const DAY_MS = 86_400_000;
const PACE_DAYS = 30;
const WARN_DAYS = 60;
const WARN_SHARE = 0.1;
const LONGEST_DAYS = 3650;

/** `recent` holds what came on each of the last 30 days, as far as anything did. */
export function spaceOf(
  volume: { totalBytes: number; freeBytes: number; reserveBytes: number },
  recent: readonly { day: string; bytes: number }[],
  now: Date,
): Space {
  const usable = volume.freeBytes - volume.reserveBytes;
  const since = new Date(now.getTime() - PACE_DAYS * DAY_MS).toISOString().slice(0, 10);
  const days = recent.filter(({ day }) => day > since);
  // An archive of three days says more by those three than by a month of mostly nothing.
  const firstDay = days.map(({ day }) => day).toSorted()[0];
  const span =
    firstDay === undefined ? 1 : Math.max(1, Math.ceil((now.getTime() - Date.parse(firstDay)) / DAY_MS));
  const perDay = days.reduce((sum, { bytes }) => sum + bytes, 0) / span;
  const left = perDay > 0 ? usable / perDay : Number.POSITIVE_INFINITY;
  const isLow = usable < volume.totalBytes * WARN_SHARE || left < WARN_DAYS;
  return {
    ...volume,
    ...(left < LONGEST_DAYS
      ? { fullOn: new Date(now.getTime() + Math.max(0, left) * DAY_MS).toISOString().slice(0, 10) }
      : {}),
    level: usable <= 0 ? 'full' : isLow ? 'warning' : 'ok',
  };
}
