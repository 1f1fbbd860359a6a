// Words for what the daemon names by a code. It may name more than this app knows: then its own English is shown.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type Fault, Problem } from './api/client.ts';
import { config } from './api/queries.ts';
import type { Params } from './api/types.ts';
import { useFormat } from './format.ts';
import { fieldsOf } from './settings-paths.ts';

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

/** What a setting is called, by its path: English from the schema that the daemon sends. */
export function useSettingTitle(): (path: string) => string {
  const words = useWords();
  const schema = useQuery(config).data?.schema;
  return (path) => {
    const titles = schema === undefined ? [] : fieldsOf(schema);
    const title = titles.find((field) => field.path === path)?.schema.title;
    return words(`setting.${path}.title`, title ?? path);
  };
}

/** Who did something; the daemon has one name of its own, for whoever sits at its machine. */
export function useUserWords(): (user: string | undefined) => string {
  const { t } = useTranslation();
  return (user) => (user === 'this machine' ? t('common.thisMachine') : (user ?? ''));
}

/** What went wrong, for people; `faults: false` where each stands beside its field already. */
export function useProblemWords(): (error: unknown, options?: { faults: boolean }) => string {
  const { t } = useTranslation();
  const words = useWords();
  const faultWords = useFaultWords();
  return (error, { faults } = { faults: true }) => {
    if (!(error instanceof Problem)) return t('problem.unreachable');
    const said = words(`problem.${error.code}`, error.message, error.params);
    return [said, ...(faults ? error.errors.map(faultWords) : [])].join(' ');
  };
}

/** What is wrong with one value, by the name of its field: `modality[0]` is a fault of `modality`. */
export function useFaultWords(): (fault: Fault) => string {
  const words = useWords();
  return ({ path, message }) => {
    const name = path.replaceAll(/\[\d+\]/g, '').replace(/^.*\./, '');
    return words(`fault.${name}`, [path, message].filter(Boolean).join(': '));
  };
}

/** A text that something follows: with a blank, unless it ends in punctuation that is as wide as two. */
export function spaced(text: string): string {
  return /[。：，；！？）]$/.test(text) ? text : `${text} `;
}
