// Numbers, sizes, times and names as people read them, in the language of the app.
import { useTranslation } from 'react-i18next';
import type { PersonName } from './api/types.ts';

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'] as const;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;

/** 1.2 GB: decimal units, as disks are sold; three figures are enough. */
export function bytesIn(language: string, bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  const text = new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
  return `${text} ${UNITS[unit]}`;
}

/** `20240131` and `2024-01-31` alike; undefined when it is no day. */
export function dayOf(date: string | undefined): Date | undefined {
  const parts = /^(\d{4})[-.]?(\d{2})[-.]?(\d{2})/.exec(date ?? '');
  if (parts === null) return undefined;
  const day = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]));
  return Number.isNaN(day.getTime()) ? undefined : day;
}

/** `081500.000` and `08:15:00` alike as hours and minutes. */
export function clockOf(time: string | undefined): string | undefined {
  const parts = /^(\d{2}):?(\d{2})/.exec(time ?? '');
  return parts === null ? undefined : `${parts[1]}:${parts[2]}`;
}

/** `WANG^XIAO DONG` as `WANG, XIAO DONG`; Chinese characters without anything between (PS3.5 §6.2.1). */
export function readableName(name: PersonName): { readonly main: string; readonly other?: string } {
  const characters = (name.ideographic ?? '').replaceAll('^', '').trim();
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = (name.alphabetic ?? '').split('^');
  const first = [prefix, given, middle, suffix].filter((part) => part !== '').join(' ');
  const letters = [family.trim(), first.trim()].filter((part) => part !== '').join(', ');
  if (characters !== '') return letters === '' ? { main: characters } : { main: characters, other: letters };
  // Many a Chinese machine writes the characters where the letters belong.
  return { main: /^[\p{Script=Han}, ]+$/u.test(letters) ? letters.replace(/[, ]/g, '') : letters };
}

export interface Format {
  number(value: number): string;
  bytes(value: number): string;
  /** a day of DICOM or an instant */
  day(date: string | undefined): string;
  /** day and time of an instant */
  instant(at: string | undefined): string;
  /** an instant to the second */
  second(at: string): string;
  /** `3 minutes ago`, `in 2 days` */
  relative(at: string): string;
  /** `1.2 s`, `3 min` */
  span(milliseconds: number): string;
  months(at: string): string;
}

export function formatFor(language: string): Format {
  const numbers = new Intl.NumberFormat(language);
  // As hospitals write: in Chinese with figures alone, the hours from 0 to 23 as in DICOM.
  const day =
    language === 'zh-CN'
      ? ({ year: 'numeric', month: '2-digit', day: '2-digit' } as const)
      : ({ year: 'numeric', month: 'short', day: 'numeric' } as const);
  const minute = { ...day, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const days = new Intl.DateTimeFormat(language, day);
  const instants = new Intl.DateTimeFormat(language, minute);
  const seconds = new Intl.DateTimeFormat(language, { ...minute, second: '2-digit' });
  const monthNames = new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long' });
  const relatives = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const span = (value: number, unit: string, digits: number) =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
    }).format(value);
  return {
    number: (value) => numbers.format(value),
    bytes: (value) => bytesIn(language, value),
    day: (date) => {
      const day = date?.includes('T') ? new Date(date) : dayOf(date);
      return day === undefined ? (date ?? '') : days.format(day);
    },
    instant: (at) => (at === undefined ? '' : instants.format(new Date(at))),
    second: (at) => seconds.format(new Date(at)),
    months: (at) => monthNames.format(dayOf(at) ?? new Date(at)),
    relative: (at) => {
      const seconds = (new Date(at).getTime() - Date.now()) / 1000;
      const away = Math.abs(seconds);
      if (away < MINUTE_S) return relatives.format(0, 'second');
      if (away < HOUR_S) return relatives.format(Math.round(seconds / MINUTE_S), 'minute');
      if (away < DAY_S) return relatives.format(Math.round(seconds / HOUR_S), 'hour');
      return relatives.format(Math.round(seconds / DAY_S), 'day');
    },
    span: (milliseconds) => {
      const seconds = milliseconds / 1000;
      if (seconds < 1) return span(Math.max(1, Math.round(milliseconds)), 'millisecond', 0);
      if (seconds < MINUTE_S) return span(seconds, 'second', seconds < 10 ? 1 : 0);
      if (seconds < HOUR_S) return span(Math.round(seconds / MINUTE_S), 'minute', 0);
      return span(seconds / HOUR_S, 'hour', 1);
    },
  };
}

const formats = new Map<string, Format>();

export function useFormat(): Format {
  const { language } = useTranslation().i18n;
  let format = formats.get(language);
  if (format === undefined) {
    format = formatFor(language);
    formats.set(language, format);
  }
  return format;
}
