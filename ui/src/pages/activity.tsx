// What goes on now: associations with their rates, jobs with their progress.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client.ts';
import { associations, jobs } from '../api/queries.ts';
import type { Job, JobState, LiveAssociation } from '../api/types.ts';
import { readableName, useFormat } from '../format.ts';
import { deviceOf, JobTrouble } from '../parts/job-trouble.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { TablePanel } from '../parts/query-table.tsx';
import { JobProgress } from '../parts/send-dialog.tsx';
import type { Column } from '../parts/table.tsx';
import { useProblemWords, useWords } from '../words.ts';

const STATES: readonly JobState[] = ['waiting', 'running', 'done', 'failed', 'cancelled'];
const COLOURS: Readonly<Record<JobState, string>> = {
  waiting: 'quiet',
  running: '',
  done: 'good',
  failed: 'bad',
  cancelled: 'quiet',
};

export default function ActivityPage() {
  const { t } = useTranslation();
  return (
    <>
      <PageHead title={t('nav.activity')} lead={t('activity.lead')} />
      <Associations />
      <Jobs />
    </>
  );
}

function Associations() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const live = useQuery(associations);
  const columns: Column<LiveAssociation>[] = [
    {
      key: 'who',
      title: t('activity.who'),
      lead: true,
      cell: ({ direction, calling, called, address }) => (
        <>
          <b className="mono">{direction === 'in' ? calling : called}</b>{' '}
          <span className="soft mono">{address}</span>
        </>
      ),
    },
    {
      key: 'doing',
      title: t('activity.doing'),
      cell: ({ doing, direction }) => (
        <>
          {words(`doing.${doing}`, doing)}{' '}
          <span className="soft">{t(`activity.direction.${direction}`)}</span>
        </>
      ),
    },
    { key: 'since', title: t('activity.since'), cell: ({ since }) => format.relative(since) },
    {
      key: 'instances',
      title: t('activity.images'),
      align: 'end',
      cell: ({ instances }) => format.number(instances),
    },
    {
      key: 'bytes',
      title: t('activity.moved'),
      align: 'end',
      cell: ({ bytesIn, bytesOut }) => format.bytes(bytesIn + bytesOut),
    },
    {
      key: 'rate',
      title: t('activity.rate'),
      align: 'end',
      cell: ({ ratePerSecond }) => t('activity.perSecond', { size: format.bytes(ratePerSecond) }),
    },
  ];
  return (
    <TablePanel
      title={t('activity.now')}
      query={live}
      columns={columns}
      rowKey={({ id }) => id}
      empty={t('overview.nobody')}
    />
  );
}

/** What a job is about, from what its kind keeps of it. */
function subjectOf(job: Job): string {
  const { patientName, studyUid, seriesUid } = job.subject;
  const name = typeof patientName === 'string' ? readableName({ alphabetic: patientName }).main : '';
  return [deviceOf(job), name || (studyUid ?? seriesUid)]
    .filter((part) => typeof part === 'string')
    .join(' · ');
}

function Jobs() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const problemWords = useProblemWords();
  const [state, setState] = useState<JobState>();
  const known = useQuery(jobs(state));
  const act = useMutation({
    mutationFn: ({ id, what }: { id: string; what: 'cancel' | 'restart' }) =>
      post(`/jobs/${encodeURIComponent(id)}/${what}`),
    onError: (error) => message.error(problemWords(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
  const columns: Column<Job>[] = [
    {
      key: 'what',
      title: t('jobs.what'),
      lead: true,
      cell: (job) => (
        <>
          <b>{words(`jobs.kind.${job.kind}`, job.kind)}</b>
          <div className="soft">{subjectOf(job)}</div>
          {job.error && <JobTrouble job={job} />}
        </>
      ),
    },
    {
      key: 'state',
      title: t('jobs.state'),
      cell: (job) => <span className={`badge ${COLOURS[job.state]}`}>{t(`jobs.states.${job.state}`)}</span>,
    },
    {
      key: 'progress',
      title: t('jobs.progress'),
      cell: (job) => (
        <div className="job-progress">
          <JobProgress job={job} />
          {job.attempts > 1 && <span className="soft">{t('jobs.attempts', { count: job.attempts })}</span>}
        </div>
      ),
    },
    { key: 'when', title: t('jobs.changed'), cell: ({ updatedAt }) => format.relative(updatedAt) },
    {
      key: 'do',
      title: '',
      align: 'end',
      cell: ({ id, state: now, cancellable }) => (
        <>
          {cancellable && (
            <Button size="small" onClick={() => act.mutate({ id, what: 'cancel' })}>
              {t('common.cancel')}
            </Button>
          )}
          {now === 'failed' && (
            <Button size="small" onClick={() => act.mutate({ id, what: 'restart' })}>
              {t('jobs.again')}
            </Button>
          )}
        </>
      ),
    },
  ];
  return (
    <TablePanel
      title={t('jobs.title')}
      extra={
        <Select
          allowClear
          className="filter"
          aria-label={t('jobs.state')}
          placeholder={t('jobs.all')}
          value={state ?? null}
          options={STATES.map((value) => ({ value, label: t(`jobs.states.${value}`) }))}
          onChange={(value) => setState(value ?? undefined)}
        />
      }
      query={known}
      columns={columns}
      rowKey={({ id }) => id}
      empty={t('jobs.none')}
    />
  );
}
