// Is everything kept so far safe? Never better than the truth: without a finished check the answer is "unknown".

/** So many instances that a machine lacks, or has not confirmed. */
export interface Behind {
  readonly aeTitle: string;
  readonly count: number;
}

export interface SafetyFacts {
  readonly instances: number;
  /** Of the last check that looked at everything; undefined when there was none. */
  readonly lastCheckAt?: Date | undefined;
  readonly openFindings: number;
  /** Files that are missing or altered, and somebody has accepted that. */
  readonly acceptedFindings: number;
  readonly space: 'ok' | 'warning' | 'full';
  readonly freeBytes: number;
  readonly pendingInstances: number;
  /** Sent by rules and not confirmed there; of a second archive that is part of its lag. */
  readonly uncommitted?: readonly Behind[] | undefined;
  readonly lagging?: Behind | undefined;
}

export type SafetyLevel = 'safe' | 'attention' | 'danger' | 'unknown';

export interface Reason {
  readonly code: string;
  readonly params: Readonly<Record<string, string | number>>;
}

export interface Safety {
  readonly level: SafetyLevel;
  readonly reasons: readonly Reason[];
}

/** Every instance is read again within 30 days; a week of grace for an archive that was switched off. */
const CHECK_DAYS = 37;
const DAY_MS = 86_400_000;

export function safetyOf(facts: SafetyFacts, now: Date): Safety {
  const { lastCheckAt, openFindings, acceptedFindings, instances, lagging, uncommitted = [] } = facts;
  const found: [SafetyLevel, Reason][] = [];
  const add = (level: SafetyLevel, code: string, params: Reason['params'] = {}) =>
    found.push([level, { code, params }]);
  if (openFindings > 0) add('danger', 'open-findings', { count: openFindings });
  if (facts.space === 'full') add('danger', 'space-full');
  if (instances > 0 && lastCheckAt === undefined) add('unknown', 'never-verified');
  if (lastCheckAt !== undefined) {
    const days = Math.floor((now.getTime() - lastCheckAt.getTime()) / DAY_MS);
    if (days > CHECK_DAYS) add('attention', 'verification-old', { days });
    else if (openFindings === 0 && acceptedFindings === 0)
      add('safe', 'all-verified', { at: lastCheckAt.toISOString() });
  }
  if (acceptedFindings > 0) add('attention', 'accepted-findings', { count: acceptedFindings });
  if (facts.space === 'warning') add('attention', 'space-low', { freeBytes: facts.freeBytes });
  if (lagging !== undefined && lagging.count > 0) {
    add('attention', 'second-archive-lagging', { aeTitle: lagging.aeTitle, count: lagging.count });
  }
  // Many a workstation cannot confirm anything: what is kept here is none the less safe.
  if (uncommitted.length > 0) {
    const aeTitle = uncommitted.map((one) => one.aeTitle).join(', ');
    add('safe', 'uncommitted', { aeTitle, count: sum(uncommitted) });
  }
  if (facts.pendingInstances > 0) add('safe', 'pending', { count: facts.pendingInstances });
  if (instances === 0) add('safe', 'empty');
  const levels = found.map(([level]) => level);
  const level = (['danger', 'unknown', 'attention'] as const).find((one) => levels.includes(one)) ?? 'safe';
  return { level, reasons: found.map(([, reason]) => reason) };
}

/** Over all of them. */
export function sum(behind: readonly Behind[]): number {
  return behind.reduce((total, { count }) => total + count, 0);
}

/** When the catalogue or the volume does not answer, nobody knows more than that. */
export function safetyUnknown(code: 'catalogue-away' | 'volume-away'): Safety {
  return { level: 'danger', reasons: [{ code, params: {} }] };
}
