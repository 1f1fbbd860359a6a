// Send to a device, and watch it arrive.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Modal, Progress, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client.ts';
import { jobs, peers } from '../api/queries.ts';
import type { Job } from '../api/types.ts';
import { linkTo } from '../route.ts';
import { spaced } from '../words.ts';
import { JobTrouble } from './job-trouble.tsx';
import { ProblemNote } from './problem-note.tsx';

export type Sent = { readonly studyUid: string } | { readonly seriesUid: string };

const idOf = (job: string | number | { readonly id: string | number }): string =>
  String(typeof job === 'object' ? job.id : job);

export function SendDialog({ what, onClose }: { what: Sent; onClose: () => void }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const devices = useQuery(peers).data ?? [];
  const [to, setTo] = useState<string>();
  const send = useMutation({
    mutationFn: async () =>
      idOf((await post<{ job: string | { id: string } }>('/send', { to, ...what })).job),
    onSuccess: () => client.invalidateQueries({ queryKey: ['jobs'] }),
  });
  return (
    <Modal
      open
      title={t('send.title')}
      onCancel={onClose}
      footer={
        send.data === undefined ? (
          <>
            <Button onClick={onClose}>{t('common.cancel')}</Button>
            <Button type="primary" disabled={!to} loading={send.isPending} onClick={() => send.mutate()}>
              {t('send.do')}
            </Button>
          </>
        ) : (
          <Button type="primary" onClick={onClose}>
            {t('common.close')}
          </Button>
        )
      }
    >
      {devices.length === 0 ? (
        <p>
          {spaced(t('send.noDevice'))}
          <a href={linkTo('devices')}>{t('nav.devices')}</a>
        </p>
      ) : (
        <Select
          className="wide"
          aria-label={t('send.to')}
          placeholder={t('send.to')}
          value={to ?? null}
          disabled={send.data !== undefined}
          options={devices.map(({ aeTitle, host, note }) => ({
            value: aeTitle,
            label: [aeTitle, note ?? host].join(' · '),
          }))}
          onChange={setTo}
        />
      )}
      {send.error && <ProblemNote error={send.error} />}
      {send.data !== undefined && to !== undefined && <Going id={send.data} to={to} />}
    </Modal>
  );
}

/** The job, as it goes. */
function Going({ id, to }: { id: string; to: string }) {
  const { t } = useTranslation();
  const { data = [] } = useQuery({ ...jobs(undefined), refetchInterval: 1000 });
  const job = data.find((one) => String(one.id) === id);
  if (job === undefined) return <Progress percent={0} aria-label={t('send.progress')} />;
  return (
    <div role="status" className="going">
      <JobProgress job={job} />
      {job.state === 'done' && <Alert type="success" showIcon title={t('send.done', { name: to })} />}
      {job.state === 'failed' && (
        <Alert
          type="error"
          showIcon
          title={t('send.failed', { name: to })}
          description={<JobTrouble job={job} />}
        />
      )}
      {job.state === 'waiting' && job.error !== undefined && (
        <Alert
          type="warning"
          showIcon
          title={t('send.waiting', { name: to })}
          description={<JobTrouble job={job} />}
        />
      )}
      {(job.state === 'running' || job.state === 'waiting') && <p className="soft">{t('send.goesOn')}</p>}
    </div>
  );
}

export function JobProgress({ job: { progress, state } }: { job: Pick<Job, 'progress' | 'state'> }) {
  const { t } = useTranslation();
  const percent = state === 'done' ? 100 : progress.total === 0 ? 0 : (100 * progress.done) / progress.total;
  return (
    <Progress
      percent={Math.floor(percent)}
      size="small"
      aria-label={t('send.progress')}
      status={state === 'failed' ? 'exception' : state === 'done' ? 'success' : 'normal'}
      format={() => (progress.total === 0 ? '' : `${progress.done} / ${progress.total}`)}
    />
  );
}
