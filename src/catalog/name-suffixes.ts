// Endings of names as search keys: what a name holds anywhere is what one of its endings begins with, so that a pattern
// with a leading wild card (PS3.4 §C.2.2.2.4) is one range of keys like every other.

import { TRUNCATED } from './normalise.ts';
import { type KeyRange, prefixRange } from './wild-card.ts';

/** Of an ending, in code points; few literals are longer. */
const MAX_LENGTH = 16;
/** Of a component group, in code points (PS3.5 §6.2, PN). */
const MAX_GROUP = 64;
/** Of one patient: all component groups of one name of the greatest length. */
const MAX_KEYS = 3 * MAX_GROUP;

/** Endings of folded component groups, from every character that is neither caret nor blank. TRUNCATED stands for those
 *  that are left out. */
export function suffixKeys(groups: readonly string[]): string[] {
  const keys = new Set<string>();
  for (const group of groups) {
    const characters = Array.from(group);
    for (const [at, character] of characters.slice(0, MAX_GROUP).entries()) {
      if (character !== '^' && character !== ' ') keys.add(characters.slice(at, at + MAX_LENGTH).join(''));
    }
    if (characters.length > MAX_GROUP || keys.size > MAX_KEYS) {
      return [...[...keys].slice(0, MAX_KEYS), TRUNCATED];
    }
  }
  return [...keys];
}

/** Where the names are that hold all of these literals, by the longest; undefined when none of them is in the keys. */
export function rangesHolding(literals: readonly string[]): KeyRange[] | undefined {
  const beginnings = literals.map((literal) =>
    Array.from(literal.replace(/^[\^ ]+/, ''))
      .slice(0, MAX_LENGTH)
      .join(''),
  );
  const longest = beginnings.reduce((best, next) => (next.length > best.length ? next : best), '');
  if (longest === '') return undefined;
  return [prefixRange(longest), { from: TRUNCATED, to: `${TRUNCATED}\0` }];
}
