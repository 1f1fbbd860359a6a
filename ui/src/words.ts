// Words for what the daemon names by a code. It may name more than this app knows: then its own English is shown.
import { useTranslation } from 'react-i18next';
import { Problem } from './api/client.ts';
import type { Params } from './api/types.ts';
import { useFormat } from './format.ts';

export type Words = (key: string, fallback: string, params?: Params) => string;

/** Params as people read them: `…Bytes` as sizes, `…At`, `at` and `…On` as times, numbers with their separators. */
export function useWords(): Words {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  return (key, fallback, params = {}) => {
    const counted = typeof params.count === 'number';
    if (!i18n.exists(key, counted ? { count: params.count as number } : {})) return fallback;
    const readable = Object.entries(params).map(([name, value]): [string, string | number] => {
      if (typeof value === 'number') {
        if (/bytes$/i.test(name)) return [name, format.bytes(value)];
        return name === 'count' || name === 'port' ? [name, value] : [name, format.number(value)];
      }
      if (/(?:^at|At)$/.test(name)) return [name, format.relative(value)];
      if (/On$/.test(name)) return [name, format.day(value)];
      return [name, value];
    });
    return t(key, Object.fromEntries(readable));
  };
}

/** Who did something; the daemon has one name of its own, for whoever sits at its machine. */
export function useUserWords(): (user: string | undefined) => string {
  const { t } = useTranslation();
  return (user) => (user === 'this machine' ? t('common.thisMachine') : (user ?? ''));
}

/** What went wrong, for people. */
export function useProblemWords(): (error: unknown) => string {
  const { t } = useTranslation();
  const words = useWords();
  return (error) => {
    if (!(error instanceof Problem)) return t('problem.unreachable');
    const said = words(`problem.${error.code}`, error.message, error.params);
    const details = error.errors.map(({ path, message }) => `${path}: ${message}`);
    return [said, ...details].join(' ');
  };
}
