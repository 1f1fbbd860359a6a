// The form of a result, and the few statistics that it needs.
import type { ContestantName } from './contestants.ts';

export interface Measure {
  readonly part: string;
  /** what was measured, for people */
  readonly name: string;
  readonly unit: string;
  /** which way is better */
  readonly better: 'higher' | 'lower';
  readonly values: Partial<Record<ContestantName, number>>;
  /** how many times better than this peer we must be */
  readonly required?: Partial<Record<ContestantName, number>>;
  /** bound on our own value, in the unit */
  readonly limit?: number;
}

/** The value in the middle: one disturbed round does not move it. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** Nearest-rank percentile. */
export function percentile(values: readonly number[], rank: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)] ?? Number.NaN;
}

/** How many times better we are than a peer. */
export function ratioTo(measure: Measure, peer: ContestantName): number | undefined {
  const ours = measure.values.ours;
  const theirs = measure.values[peer];
  if (ours === undefined || theirs === undefined || peer === 'ours') return undefined;
  return measure.better === 'higher' ? ours / theirs : theirs / ours;
}

/** undefined when nothing is required or one of the two was not measured */
export function isMet(measure: Measure): boolean | undefined {
  const verdicts = Object.entries(measure.required ?? {}).map(([peer, least]) => {
    const ratio = ratioTo(measure, peer as ContestantName);
    return ratio === undefined ? undefined : ratio >= least;
  });
  const ours = measure.values.ours;
  if (measure.limit !== undefined && ours !== undefined) verdicts.push(ours <= measure.limit);
  const known = verdicts.filter((verdict) => verdict !== undefined);
  return known.length === 0 ? undefined : known.every(Boolean);
}
