// One study: who, what, its series with pictures, the patient's other studies over the years, and what to do.
import {
  ArrowLeftOutlined,
  DeleteOutlined,
  DownloadOutlined,
  LockOutlined,
  SafetyCertificateOutlined,
  SendOutlined,
  UnlockOutlined,
} from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { address, put } from '../api/client.ts';
import { patientStudies, study } from '../api/queries.ts';
import type { Series, StudyDetails } from '../api/types.ts';
import { clockOf, dayOf, useFormat } from '../format.ts';
import { DeleteDialog } from '../parts/delete-dialog.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Panel } from '../parts/panel.tsx';
import { PatientFacts, PatientName } from '../parts/person-name.tsx';
import { SendDialog, type Sent } from '../parts/send-dialog.tsx';
import { SeriesInstances } from '../parts/series-instances.tsx';
import { Thumbnail } from '../parts/thumbnail.tsx';
import { goTo, linkTo } from '../route.ts';
import { useProblemWords } from '../words.ts';

export function StudyPage({ uid }: { uid: string }) {
  const known = useQuery(study(uid));
  return <Loaded query={known}>{(details) => <Details study={details} />}</Loaded>;
}

function Details({ study: one }: { study: StudyDetails }) {
  const { t } = useTranslation();
  const format = useFormat();
  const [sending, setSending] = useState<Sent>();
  const [deleting, setDeleting] = useState<Series | 'study'>();
  const [open, setOpen] = useState<string>();
  const when = [one.date ? format.day(one.date) : t('study.noDate'), clockOf(one.time)]
    .filter(Boolean)
    .join(', ');
  const facts = [when, one.accession && t('study.accession', { number: one.accession })]
    .filter(Boolean)
    .join(' · ');
  return (
    <>
      <a className="back" href={linkTo('studies')}>
        <ArrowLeftOutlined aria-hidden /> {t('nav.studies')}
      </a>
      <PageHead
        title={<PatientName patient={one.patient} />}
        lead={
          <>
            <PatientFacts patient={one.patient} />
            <br />
            <b>{one.description || t('study.noDescription')}</b> · {facts}
            <br />
            {t('count.series', { count: one.series.length })} · {t('count.images', { count: one.instances })}{' '}
            · {format.bytes(one.bytes)}
          </>
        }
      >
        <Button
          type="primary"
          icon={<SendOutlined aria-hidden />}
          onClick={() => setSending({ studyUid: one.studyUid })}
        >
          {t('send.do')}
        </Button>
        <Button
          icon={<DownloadOutlined aria-hidden />}
          href={address(`/studies/${one.studyUid}/download`)}
          download
        >
          {t('study.download')}
        </Button>
        <Button
          icon={<SafetyCertificateOutlined aria-hidden />}
          href={linkTo('studies', one.studyUid, 'proof')}
        >
          {t('proof.short')}
        </Button>
        <Protection study={one} />
        <Button
          danger
          icon={<DeleteOutlined aria-hidden />}
          disabled={one.protected}
          onClick={() => setDeleting('study')}
        >
          {t('delete.do')}
        </Button>
      </PageHead>
      <div className="columns study-columns">
        <div className="series-list">
          {one.series.map((series) => (
            <SeriesCard
              key={series.seriesUid}
              studyUid={one.studyUid}
              series={series}
              open={open === series.seriesUid}
              locked={one.protected}
              onOpen={() => setOpen(open === series.seriesUid ? undefined : series.seriesUid)}
              onSend={() => setSending({ seriesUid: series.seriesUid })}
              onDelete={() => setDeleting(series)}
            />
          ))}
        </div>
        <Timeline study={one} />
      </div>
      {sending && <SendDialog what={sending} onClose={() => setSending(undefined)} />}
      {deleting && (
        <DeleteDialog
          study={one}
          {...(deleting === 'study' ? {} : { series: deleting })}
          onClose={() => setDeleting(undefined)}
          onDeleted={() => {
            setDeleting(undefined);
            if (deleting === 'study' || one.series.length === 1) goTo('studies');
          }}
        />
      )}
    </>
  );
}

/** Keeps everything of the patient from being deleted, by hand or by retention. */
function Protection({ study: { patient, protected: on, studyUid } }: { study: StudyDetails }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { message } = App.useApp();
  const problemWords = useProblemWords();
  const change = useMutation({
    mutationFn: () =>
      put('/patients/protection', {
        patientId: patient.id,
        ...(patient.issuer ? { issuer: patient.issuer } : {}),
        protected: !on,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['study', studyUid] }),
    onError: (error) => message.error(problemWords(error)),
  });
  return (
    <Button
      icon={on ? <LockOutlined aria-hidden /> : <UnlockOutlined aria-hidden />}
      loading={change.isPending}
      title={t('protect.text')}
      onClick={() => change.mutate()}
    >
      {t(on ? 'protect.release' : 'protect.do')}
    </Button>
  );
}

interface SeriesProps {
  readonly studyUid: string;
  readonly series: Series;
  readonly open: boolean;
  readonly locked: boolean;
  readonly onOpen: () => void;
  readonly onSend: () => void;
  readonly onDelete: () => void;
}

function SeriesCard({ studyUid, series, open, locked, onOpen, onSend, onDelete }: SeriesProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = series.description || t('study.seriesNumber', { number: series.number ?? '–' });
  const facts = [t('count.images', { count: series.instances }), format.bytes(series.bytes), series.bodyPart]
    .filter(Boolean)
    .join(' · ');
  return (
    <article className="series" aria-label={name}>
      <div className="series-head">
        <Thumbnail sopInstanceUid={series.thumbnailInstance} label={t('study.picture', { name })} />
        <div className="grow">
          <h2>
            {name} {series.modality && <span className="badge">{series.modality}</span>}
          </h2>
          <p className="soft">
            {series.number !== undefined && <>{t('study.seriesNumber', { number: series.number })} · </>}
            {facts}
          </p>
          <div className="buttons">
            <Button size="small" aria-expanded={open} onClick={onOpen}>
              {t(open ? 'study.hideImages' : 'study.showImages')}
            </Button>
            <Button size="small" icon={<SendOutlined aria-hidden />} onClick={onSend}>
              {t('send.do')}
            </Button>
            <Button
              size="small"
              type="text"
              icon={<DeleteOutlined aria-hidden />}
              disabled={locked}
              aria-label={t('delete.series')}
              title={t('delete.series')}
              onClick={onDelete}
            />
          </div>
        </div>
      </div>
      {open && <SeriesInstances studyUid={studyUid} seriesUid={series.seriesUid} />}
    </article>
  );
}

/** Everything of this patient, oldest first, under its year. */
function Timeline({ study: one }: { study: StudyDetails }) {
  const { t } = useTranslation();
  const format = useFormat();
  const all = useQuery(patientStudies(one.patient.id, one.patient.issuer));
  return (
    <Panel title={t('study.timeline')}>
      <Loaded query={all}>
        {(rows) => (
          <ol className="timeline">
            {[...Map.groupBy(rows, ({ date }) => dayOf(date)?.getFullYear())].map(([year, inYear]) => (
              <li key={year ?? 0}>
                <h3>{year ?? t('study.noDate')}</h3>
                <ul>
                  {inYear.map((row) => (
                    <li key={row.studyUid}>
                      <a
                        href={linkTo('studies', row.studyUid)}
                        aria-current={row.studyUid === one.studyUid ? 'true' : undefined}
                      >
                        <span>{row.description || t('study.noDescription')}</span>
                        <span className="soft">
                          {[
                            format.day(row.date),
                            row.modalities.join(', '),
                            t('count.images', { count: row.instances }),
                          ]
                            .filter((fact) => fact !== '')
                            .join(' · ')}
                        </span>
                      </a>
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
    </Panel>
  );
}
