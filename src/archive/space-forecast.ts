// When the volume will be full, by what came in during the last 90 days.

import type { IntakeOfDay, NoticeLevel } from '../catalog/upkeep.ts';
import type { Space } from '../storage/storage-area.ts';

const DAY_MS = 86_400_000;
export const FORECAST_DAYS = 90;
/** Less than that says nothing about the days to come. */
const MIN_DAYS = 7;
const WARN_DAYS = 90;
const URGENT_DAYS = 14;
const WARN_SHARE = 0.1;
const NEAR_RESERVE = 2;

export interface SpaceForecast extends Space {
  /** Mean of the days that are known. */
  readonly bytesPerDay: number;
  /** yyyy-mm-dd on which nothing more is accepted; undefined when that cannot be told or nothing comes in. */
  readonly fullOn: string | undefined;
  readonly daysLeft: number | undefined;
  /** undefined: nobody needs to do anything. */
  readonly level: Exclude<NoticeLevel, 'info'> | undefined;
}

/** `intake` of the last FORECAST_DAYS; days before the first in it do not count, the archive may be younger. */
export function forecastSpace(space: Space, intake: readonly IntakeOfDay[], now: Date): SpaceForecast {
  const first = intake[0]?.day;
  const days = first === undefined ? 0 : Math.ceil((now.getTime() - Date.parse(first)) / DAY_MS);
  const bytes = intake.reduce((sum, day) => sum + Math.max(0, day.bytes), 0);
  const bytesPerDay = days >= MIN_DAYS ? bytes / days : 0;
  const usable = Math.max(0, space.freeBytes - space.reserveBytes);
  const daysLeft = bytesPerDay > 0 ? Math.floor(usable / bytesPerDay) : undefined;
  // Beyond a thousand years a date says nothing.
  const isDate = daysLeft !== undefined && daysLeft < 365_000;
  const fullOn = isDate ? new Date(now.getTime() + daysLeft * DAY_MS).toISOString().slice(0, 10) : undefined;
  return { ...space, bytesPerDay, daysLeft, fullOn, level: levelOf(space, daysLeft) };
}

function levelOf(space: Space, daysLeft = Number.POSITIVE_INFINITY): SpaceForecast['level'] {
  if (space.freeBytes < NEAR_RESERVE * space.reserveBytes || daysLeft < URGENT_DAYS) return 'urgent';
  return space.freeBytes < WARN_SHARE * space.totalBytes || daysLeft < WARN_DAYS ? 'warning' : undefined;
}
