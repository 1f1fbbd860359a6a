// The settings: read, changed, backed up and brought back.
import { z } from 'zod';
import type { LiveConfig } from '../../config/live-config.ts';
import { mergePatch } from '../../config/merge-patch.ts';
import type { Settings } from '../../config/migrate.ts';
import { type Config, configSchema } from '../../config/schema.ts';
import { RESTART_KEYS, settingsSchema } from '../../config/settings-words.ts';
import { userOf } from '../caller.ts';
import { faultsOf, invalid } from '../problem.ts';
import { Raw, type Route, route } from '../route.ts';
import { blanked, withSecret } from '../secret-settings.ts';
import type { ChangeConfig } from './change-config.ts';

const settings = z.record(z.string(), z.unknown()) as z.ZodType<Settings>;
const APPLIED = { now: 'now', listeners: 'listeners-restarted', restart: 'restart-needed' } as const;
const outcome = z.object({
  values: z.unknown(),
  applied: z.enum(['now', 'listeners-restarted', 'restart-needed']),
});

export function configRoutes(config: LiveConfig, change: ChangeConfig): Route[] {
  const secretOf = () => config.current.catalog;
  return [
    route({
      method: 'GET',
      path: '/api/config',
      summary: 'Every setting with its value and its words; passwords as ***',
      answer: z.object({ values: z.unknown(), schema: z.unknown(), restart: z.array(z.string()) }),
      handle: () => ({ values: blanked(config.current), schema: settingsSchema, restart: [...RESTART_KEYS] }),
    }),
    route({
      method: 'PATCH',
      path: '/api/config',
      summary: 'Change settings (JSON merge patch); what can be is applied at once',
      body: settings,
      maxBodyBytes: 1 << 20,
      answer: outcome,
      handle: async ({ body, caller }) => {
        const patch = withSecret(body, secretOf());
        fits(mergePatch(config.current, patch));
        const { after, applied } = await change(userOf(caller), 'settings-changed', 'config', (before) =>
          mergePatch(before, patch),
        );
        return { values: blanked(after), applied: APPLIED[applied] };
      },
    }),
    route({
      method: 'GET',
      path: '/api/config/backup',
      summary: 'The settings as a file, passwords as ***',
      media: 'application/json',
      handle: () =>
        new Raw('application/json', `${JSON.stringify(blanked(config.current), undefined, 2)}\n`, {
          headers: { 'Content-Disposition': 'attachment; filename="angiovault-config.json"' },
        }),
    }),
    route({
      method: 'POST',
      path: '/api/config/restore',
      summary: 'Take the settings of such a file; a password shown as *** stays as it is',
      body: settings,
      maxBodyBytes: 1 << 20,
      answer: outcome,
      handle: async ({ body, caller }) => {
        const restored = withSecret(body, secretOf());
        const { after, applied } = await change(userOf(caller), 'settings-restored', 'config', restored);
        return { values: blanked(after), applied: APPLIED[applied] };
      },
    }),
  ];
}

/** Every fault with its key, not only the first as at the start of the program. */
function fits(next: Settings): asserts next is Settings & Config {
  const result = configSchema.safeParse(next);
  if (!result.success) throw invalid(422, faultsOf(result.error));
}
