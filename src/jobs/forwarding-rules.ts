// Where an instance goes from here, by what it says of itself: the rules of the configuration.

import { firstText, TAG } from '../catalog/attributes.ts';
import type { InstanceRecord } from '../catalog/catalog.ts';
import type { Route } from '../catalog/delivery-store.ts';

/** Every condition given must hold; one without conditions is for everything. */
export interface ForwardingRule {
  readonly destination: string;
  /** AE titles of which one has sent it. */
  readonly source?: readonly string[] | undefined;
  readonly sopClass?: readonly string[] | undefined;
  readonly modality?: readonly string[] | undefined;
  /** Pattern for the description of the study or of the series, with * and ?; case does not count. */
  readonly description?: string | undefined;
  /** One by one as they come, or a whole study when nothing more of it came for a while. */
  readonly unit: 'study' | 'instance';
  readonly quietSeconds: number;
}

/** Each destination once; the shortest wait counts. `archives` get everything at once. */
export function routesOf(
  record: InstanceRecord,
  rules: readonly ForwardingRule[],
  archives: readonly string[],
): Route[] {
  const routes = new Map<string, Route>();
  for (const rule of rules) {
    const { destination, unit, quietSeconds } = rule;
    if (record.location.sourceAeTitle === destination || !isMeant(rule, record)) continue;
    const quietS = unit === 'study' ? quietSeconds : 0;
    const before = routes.get(destination)?.quietS ?? Number.POSITIVE_INFINITY;
    routes.set(destination, { destination, quietS: Math.min(before, quietS) });
  }
  for (const destination of archives) routes.set(destination, { destination, quietS: 0 });
  return [...routes.values()];
}

function isMeant(
  { source, sopClass, modality, description }: ForwardingRule,
  record: InstanceRecord,
): boolean {
  const { study, series, instance, location } = record;
  const isOneOf = (list: readonly string[] | undefined, value: string) =>
    list === undefined || list.includes(value);
  return (
    isOneOf(source, location.sourceAeTitle) &&
    isOneOf(sopClass, instance.sopClassUid) &&
    isOneOf(modality, firstText(series.attributes, TAG.Modality)) &&
    (description === undefined ||
      isLike(firstText(study.attributes, STUDY_DESCRIPTION), description) ||
      isLike(firstText(series.attributes, SERIES_DESCRIPTION), description))
  );
}

const STUDY_DESCRIPTION = '00081030';
const SERIES_DESCRIPTION = '0008103E';

/** Both ends of each part between asterisks are looked for from left to right: no pattern takes long. */
function isLike(text: string, pattern: string): boolean {
  const folded = (value: string) => value.normalize('NFKC').toUpperCase();
  const [first = '', ...rest] = folded(pattern).split('*');
  const last = rest.pop();
  const value = folded(text);
  if (last === undefined) return value.length === first.length && fits(value, 0, first);
  if (value.length < first.length + last.length || !fits(value, 0, first)) return false;
  const end = value.length - last.length;
  if (!fits(value, end, last)) return false;
  let at = first.length;
  for (const part of rest) {
    while (at + part.length <= end && !fits(value, at, part)) at += 1;
    if (at + part.length > end) return false;
    at += part.length;
  }
  return true;
}

function fits(value: string, at: number, part: string): boolean {
  for (let i = 0; i < part.length; i += 1) {
    if (part[i] !== '?' && part[i] !== value[at + i]) return false;
  }
  return true;
}
