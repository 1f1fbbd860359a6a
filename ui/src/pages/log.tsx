// What the program wrote down, and who changed what.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Input, Segmented, Select } from 'antd';
import { type ReactNode, useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { audit, log } from '../api/queries.ts';
import type { AuditEntry, LogLine } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { QueryTable } from '../parts/query-table.tsx';
import type { Column } from '../parts/table.tsx';
import { spaced, useUserWords, useWords } from '../words.ts';

const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const COLOURS: Readonly<Record<string, string>> = {
  error: 'bad',
  warn: 'warn',
  info: 'quiet',
  debug: 'quiet',
};

export default function LogPage() {
  const { t } = useTranslation();
  const [view, setView] = useState<'log' | 'audit'>('log');
  return (
    <>
      <PageHead title={t('nav.log')} lead={t(`log.lead.${view}`)}>
        <Segmented
          aria-label={t('nav.log')}
          value={view}
          options={[
            { value: 'log', label: t('log.program') },
            { value: 'audit', label: t('log.changes') },
          ]}
          onChange={setView}
        />
      </PageHead>
      {view === 'log' ? <Lines /> : <Changes />}
    </>
  );
}

/** `key=value` of what came with a line, shortest first sight. */
function fieldsOf(fields: LogLine['fields']): string {
  return Object.entries(fields ?? {})
    .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('  ');
}

function Lines() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const [level, setLevel] = useState<string>();
  const [q, setQ] = useState('');
  const known = useQuery({ ...log(level, useDeferredValue(q)), placeholderData: keepPreviousData });
  const columns: Column<LogLine>[] = [
    {
      key: 'at',
      title: t('log.at'),
      cell: ({ at }) => <span className="num nowrap">{format.second(at)}</span>,
    },
    {
      key: 'level',
      title: t('log.level'),
      cell: (line) => (
        <span className={`badge ${COLOURS[line.level] ?? 'quiet'}`}>
          {words(`log.levelName.${line.level}`, line.level)}
        </span>
      ),
    },
    {
      key: 'message',
      title: t('log.message'),
      lead: true,
      cell: ({ message, fields }) => (
        <>
          {message}
          <div className="soft mono log-fields">{fieldsOf(fields)}</div>
        </>
      ),
    },
  ];
  return (
    <section className="panel">
      <div className="log-filter">
        <Input.Search
          allowClear
          aria-label={t('log.search')}
          placeholder={t('log.search')}
          value={q}
          onChange={({ target }) => setQ(target.value)}
        />
        <Select
          allowClear
          aria-label={t('log.level')}
          placeholder={t('log.all')}
          value={level ?? null}
          options={LEVELS.map((value) => ({ value, label: t(`log.levels.${value}`) }))}
          onChange={(value) => setLevel(value ?? undefined)}
        />
      </div>
      <QueryTable
        query={known}
        label={t('nav.log')}
        columns={columns}
        rowKey={({ id }) => String(id)}
        empty={t('log.none')}
      />
    </section>
  );
}

/** What was changed: its own name where it has one; for the archive and its tasks there are words. */
function useTargetWords(): (target: string) => ReactNode {
  const words = useWords();
  return (target) => {
    // The words of the action say these already.
    if (target === 'config') return undefined;
    const patient = /^patient (.+)$/.exec(target)?.[1];
    if (patient !== undefined) return <b className="mono">{patient}</b>;
    const [, kind = '', job = ''] = /^([a-z]+) (\d+)$/.exec(target) ?? [];
    if (kind !== '') return <b>{`${words(`jobs.kind.${kind}`, kind)} ${job}`}</b>;
    const named = words(`log.target.${target}`, '');
    return named === '' ? <b className="mono">{target}</b> : <b>{named}</b>;
  };
}

function Changes() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const userWords = useUserWords();
  const targetWords = useTargetWords();
  const known = useQuery(audit);
  const columns: Column<AuditEntry>[] = [
    {
      key: 'at',
      title: t('log.at'),
      cell: ({ at }) => <span className="num nowrap">{format.instant(at)}</span>,
    },
    {
      key: 'user',
      title: t('log.user'),
      cell: ({ user }) => <span className="nowrap">{userWords(user)}</span>,
    },
    {
      key: 'what',
      title: t('log.what'),
      lead: true,
      cell: ({ action, target, before, after }) => (
        <>
          {spaced(words(`log.action.${action}`, action))}
          {target && targetWords(target)}
          {(before !== undefined || after !== undefined) && (
            <div className="soft mono log-fields">
              {[before, after]
                .map((value) => (value === undefined ? '–' : JSON.stringify(value)))
                .join(' → ')}
            </div>
          )}
        </>
      ),
    },
  ];
  return (
    <section className="panel">
      <QueryTable
        query={known}
        label={t('log.changes')}
        columns={columns}
        rowKey={({ id }) => String(id)}
        empty={t('log.noChanges')}
      />
    </section>
  );
}
