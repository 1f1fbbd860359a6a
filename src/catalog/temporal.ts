// Dates and times (PS3.5 §6.2 DA, TM, DT) as texts of fixed width that sort by time, and ranges of them
// (PS3.4 §C.2.2.2.5).

/** Both ends belong to it; undefined is open. */
export interface Interval {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export type TemporalVr = 'DA' | 'TM' | 'DT';

export function isTemporalVr(vr: string): vr is TemporalVr {
  return vr === 'DA' || vr === 'TM' || vr === 'DT';
}

/** The moment a value names, or undefined when it is not of that VR's form. */
export function foldMoment(vr: TemporalVr, value: string): string | undefined {
  return span(vr, value.trim())?.from;
}

/** The interval a key value names; undefined when it is neither a moment nor a range. A moment of reduced
 *  precision is all of its hour, minute or second. */
export function parseInterval(vr: TemporalVr, key: string): Interval | undefined {
  const text = key.trim();
  const single = span(vr, text);
  if (single !== undefined) return single;
  for (let dash = text.indexOf('-'); dash >= 0; dash = text.indexOf('-', dash + 1)) {
    const left = text.slice(0, dash).trim();
    const right = text.slice(dash + 1).trim();
    if (left === '' && right === '') continue;
    const from = left === '' ? undefined : span(vr, left);
    const to = right === '' ? undefined : span(vr, right);
    if ((left !== '' && from === undefined) || (right !== '' && to === undefined)) continue;
    return { from: from?.from, to: to?.to };
  }
  return undefined;
}

/** One range out of a date range and a time range (PS3.4 §C.2.2.2.5.3). */
export function combineIntervals(date: Interval, time: Interval): Interval {
  return {
    from: date.from === undefined ? undefined : date.from + (time.from ?? FIRST_TIME),
    to: date.to === undefined ? undefined : date.to + (time.to ?? LAST_TIME),
  };
}

export function isWithin(moment: string, interval: Interval): boolean {
  return (
    (interval.from === undefined || moment >= interval.from) &&
    (interval.to === undefined || moment <= interval.to)
  );
}

export const FIRST_TIME = '000000000000';
const LAST_TIME = '235959999999';

interface Span {
  readonly from: string;
  readonly to: string;
}

function span(vr: TemporalVr, text: string): Span | undefined {
  switch (vr) {
    case 'DA':
      return dateSpan(text);
    case 'TM':
      return timeSpan(text);
    case 'DT':
      return dateTimeSpan(text);
  }
}

// Deviation (PS3.5 §6.2): accepts yyyy.mm.dd because ACR-NEMA and early DICOM wrote dates so.
const DATE = /^(\d{4})(?:(\d{2})(\d{2})|\.(\d{2})\.(\d{2}))$/;

function dateSpan(text: string): Span | undefined {
  const found = DATE.exec(text);
  if (found === null) return undefined;
  const date = `${found[1]}${found[2] ?? found[4]}${found[3] ?? found[5]}`;
  return { from: date, to: date };
}

// Deviation (PS3.5 §6.2): accepts hh:mm:ss because ACR-NEMA and early DICOM wrote times so.
const TIME = /^(\d{2})(?::?(\d{2})(?::?(\d{2})(?:\.(\d{1,6}))?)?)?$/;

function timeSpan(text: string): Span | undefined {
  const found = TIME.exec(text);
  if (found === null) return undefined;
  const digits = `${found[1]}${found[2] ?? ''}${found[3] ?? ''}${found[4] ?? ''}`;
  return fill(digits, FIRST_TIME, LAST_TIME);
}

const DATE_TIME = /^(\d{4}(?:\d{2}){0,5})(?:\.(\d{1,6}))?([+-](?:0\d|1[0-4])[0-5]\d)?$/;

function dateTimeSpan(text: string): Span | undefined {
  const found = DATE_TIME.exec(text);
  if (found === null || (found[2] !== undefined && found[1]?.length !== 14)) return undefined;
  const digits = `${found[1]}${found[2] ?? ''}`;
  const filled = fill(digits, `00000101${FIRST_TIME}`, `99991231${LAST_TIME}`);
  const offset = found[3];
  // Without an offset both sides are taken as the same clock, as most equipment writes it.
  return offset === undefined ? filled : { from: toUtc(filled.from, offset), to: toUtc(filled.to, offset) };
}

/** What is not given is the least in the start and the most in the end. */
function fill(digits: string, least: string, most: string): Span {
  return { from: digits + least.slice(digits.length), to: digits + most.slice(digits.length) };
}

function toUtc(moment: string, offset: string): string {
  const part = (from: number, to: number): number => Number(moment.slice(from, to));
  const minutes =
    (offset.startsWith('-') ? 1 : -1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3)));
  const time = new Date(0);
  time.setUTCFullYear(part(0, 4), part(4, 6) - 1, part(6, 8));
  time.setUTCHours(part(8, 10), part(10, 12) + minutes, part(12, 14), part(14, 17));
  const digits = time.toISOString().replace(/\D/g, '');
  // Years outside 0–9999 get six digits; such a moment stays as it is written.
  return digits.length === 17 ? digits + moment.slice(17) : moment;
}
