// Is everything kept so far safe? Never better than the truth: without a finished check the answer is "unknown".

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
  readonly uncommitted?: number | undefined;
  readonly lagging?: { readonly aeTitle: string; readonly count: number } | undefined;
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
  const { lastCheckAt, openFindings, acceptedFindings, instances, lagging, uncommitted = 0 } = facts;
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
  if (uncommitted > 0) add('attention', 'uncommitted', { count: uncommitted });
  if (facts.pendingInstances > 0) add('safe', 'pending', { count: facts.pendingInstances });
  if (instances === 0) add('safe', 'empty');
  const levels = found.map(([level]) => level);
  const level = (['danger', 'unknown', 'attention'] as const).find((one) => levels.includes(one)) ?? 'safe';
  return { level, reasons: found.map(([, reason]) => reason) };
}

/** When the catalogue or the volume does not answer, nobody knows more than that. */
export function safetyUnknown(code: 'catalogue-away' | 'volume-away'): Safety {
  return { level: 'danger', reasons: [{ code, params: {} }] };
}
