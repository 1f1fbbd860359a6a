// Proof of integrity of a study, made to be printed: every instance with its hash, when and from whom it came,
// and when it was last read and found unchanged.
import { ArrowLeftOutlined, PrinterOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { proof, status } from '../api/queries.ts';
import type { ProofInstance, StudyProof } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PatientFacts, PatientName } from '../parts/person-name.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { spaced } from '../words.ts';

export function ProofPage({ uid }: { uid: string }) {
  const { t } = useTranslation();
  const known = useQuery(proof(uid));
  return (
    <>
      <a className="back" href={linkTo('studies', uid)}>
        <ArrowLeftOutlined aria-hidden /> {t('proof.back')}
      </a>
      <PageHead title={t('proof.title')} lead={t('proof.text')}>
        <Button type="primary" icon={<PrinterOutlined aria-hidden />} onClick={() => window.print()}>
          {t('proof.print')}
        </Button>
      </PageHead>
      <Loaded query={known}>{(data) => <Paper proof={data} />}</Loaded>
    </>
  );
}

function Paper({ proof: one }: { proof: StudyProof }) {
  const { t } = useTranslation();
  const format = useFormat();
  const archive = useQuery(status).data;
  const columns: Column<ProofInstance>[] = [
    {
      key: 'instance',
      title: t('proof.instance'),
      lead: true,
      cell: ({ sopInstanceUid, sha256 }) => (
        <>
          <div>{sopInstanceUid}</div>
          <div className="mono hash">{sha256}</div>
        </>
      ),
    },
    { key: 'bytes', title: t('proof.bytes'), align: 'end', cell: ({ bytes }) => format.number(bytes) },
    {
      key: 'received',
      title: t('proof.received'),
      cell: ({ receivedAt, source }) => (
        <>
          {format.instant(receivedAt)}
          {source && <div className="soft">{source}</div>}
        </>
      ),
    },
    {
      key: 'verified',
      title: t('proof.verified'),
      cell: ({ verified, verifiedAt }) => (
        <>
          <span className={verified === 'damaged' ? 'bad-words' : ''}>
            {t(`proof.state.${verified ?? 'notYet'}`)}
          </span>
          <div className="soft">{format.instant(verifiedAt)}</div>
        </>
      ),
    },
  ];
  return (
    <div className="paper panel">
      <div className="paper-head">
        <div>
          <PatientName patient={one.patient} />
          <div>
            <PatientFacts patient={one.patient} />
          </div>
        </div>
        <div>
          <b>{one.description || t('study.noDescription')}</b>
          <div>
            {format.day(one.date)} · {one.modalities.join(', ')}
          </div>
          <div className="hash">{one.studyUid}</div>
        </div>
      </div>
      <Table
        label={t('proof.title')}
        columns={columns}
        rows={one.instances}
        rowKey={({ sopInstanceUid }) => sopInstanceUid}
        empty={t('study.none')}
      />
      <p className="soft">
        {spaced(t('proof.how'))}
        {t('proof.printed', { name: archive?.aeTitle ?? '', at: format.instant(new Date().toISOString()) })}
      </p>
    </div>
  );
}
