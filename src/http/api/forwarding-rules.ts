// The rules by which instances go on from here: shown, added, changed, removed. A rule has no name; it is known by what
// it says, so that nobody changes one that somebody else has just changed.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { LiveConfig } from '../../config/live-config.ts';
import type { Settings } from '../../config/migrate.ts';
import { forwardingRule } from '../../config/schema.ts';
import { userOf } from '../caller.ts';
import { ApiError, invalid, notFound } from '../problem.ts';
import { type Route, route } from '../route.ts';
import type { ChangeConfig } from './change-config.ts';

type Rule = z.output<typeof forwardingRule>;

const MAX_RULES = 100;
const shownRule = z.intersection(forwardingRule, z.object({ id: z.string() }));
const named = z.object({ id: z.string().regex(/^[0-9a-f]{16}$/) });

export interface ForwardingRuleRoutesOptions {
  readonly config: LiveConfig;
  readonly change: ChangeConfig;
}

export function forwardingRuleRoutes({ config, change }: ForwardingRuleRoutesOptions): Route[] {
  const rules = () => config.current.forwarding;
  const find = (id: string) => {
    const found = rules().find((rule) => idOf(rule) === id);
    if (found === undefined) throw notFound('This rule is not there any more; somebody has changed it.');
    return found;
  };
  const fits = (rule: Rule) => {
    if (config.current.peers.every(({ aeTitle }) => aeTitle !== rule.destination)) {
      const message = `wants the AE title of a peer; ${rule.destination} is none`;
      throw invalid(422, [{ path: 'destination', message }]);
    }
    if (rules().some((one) => idOf(one) === idOf(rule)))
      throw new ApiError(409, 'rule-exists', 'There is a rule that says the same already.');
  };

  return [
    route({
      method: 'GET',
      path: '/api/forwarding/rules',
      summary: 'The rules by which instances go to other machines by themselves',
      answer: z.object({ items: z.array(shownRule) }),
      handle: () => ({ items: rules().map(shown) }),
    }),
    route({
      method: 'POST',
      path: '/api/forwarding/rules',
      summary: 'Add a rule; it counts for what comes from now on',
      body: forwardingRule,
      status: 201,
      answer: shownRule,
      handle: async ({ body, caller }) => {
        fits(body);
        if (rules().length >= MAX_RULES)
          throw new ApiError(409, 'too-many-rules', `There are ${MAX_RULES} rules; remove one first.`);
        await change(userOf(caller), 'forwarding-added', body.destination, edited(undefined, body));
        return shown(body);
      },
    }),
    route({
      method: 'PUT',
      path: '/api/forwarding/rules/:id',
      summary: 'Change a rule; what is due by the old one still goes',
      params: named,
      body: forwardingRule,
      answer: shownRule,
      handle: async ({ params: { id }, body, caller }) => {
        find(id);
        if (idOf(body) === id) return shown(body);
        fits(body);
        await change(userOf(caller), 'forwarding-changed', body.destination, edited(id, body));
        return shown(body);
      },
    }),
    route({
      method: 'DELETE',
      path: '/api/forwarding/rules/:id',
      summary: 'Remove a rule; what is due by it still goes',
      params: named,
      handle: async ({ params: { id }, caller }) => {
        const { destination } = find(id);
        await change(userOf(caller), 'forwarding-removed', destination, edited(id, undefined));
      },
    }),
  ];
}

/** The same for a rule that is written with its defaults or without. */
function idOf(rule: z.input<typeof forwardingRule>): string {
  const whole = JSON.stringify(forwardingRule.parse(rule));
  return createHash('sha256').update(whole).digest('hex').slice(0, 16);
}

const shown = (rule: Rule) => ({ ...rule, id: idOf(rule) });

/** The settings with one rule in the place of another, at the end, or gone. */
function edited(id: string | undefined, by: Rule | undefined) {
  return (before: Settings): Settings => {
    const rules = (before.forwarding as Rule[] | undefined) ?? [];
    const at = rules.findIndex((rule) => idOf(rule) === id);
    const place = at === -1 ? rules.length : at;
    return { ...before, forwarding: rules.toSpliced(place, 1, ...(by === undefined ? [] : [by])) };
  };
}
