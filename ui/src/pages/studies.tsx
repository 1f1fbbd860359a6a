// Studies: search as you type, newest first; one of them when the address names it.
import { DeleteOutlined, SearchOutlined } from '@ant-design/icons';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Button, Input, Select } from 'antd';
import { useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type StudySearch, studies } from '../api/queries.ts';
import type { StudyRow } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { Loading } from '../parts/loading.tsx';
import { MoreButton } from '../parts/more-button.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PatientFacts, PatientName } from '../parts/person-name.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { linkTo } from '../route.ts';
import type { PageProps } from '../shell.tsx';
import { ProofPage } from './proof.tsx';
import { StudyPage } from './study.tsx';

const MODALITIES = ['XA', 'RF', 'CT', 'MR', 'US', 'DX', 'CR', 'PT', 'NM', 'IVUS', 'OT'];

export default function StudiesPage({ rest: [uid, part] }: PageProps) {
  if (uid === undefined) return <StudySearchPage />;
  return part === 'proof' ? <ProofPage uid={uid} /> : <StudyPage key={uid} uid={uid} />;
}

function StudySearchPage() {
  const { t } = useTranslation();
  const [search, setSearch] = useState<StudySearch>({});
  const asked = useDeferredValue(search);
  const set = (part: StudySearch) => setSearch({ ...search, ...part });
  return (
    <>
      <PageHead title={t('nav.studies')}>
        <Button type="text" icon={<DeleteOutlined aria-hidden />} href={linkTo('trash')}>
          {t('nav.trash')}
        </Button>
      </PageHead>
      <search className="study-search">
        <Input
          allowClear
          className="grow"
          size="large"
          prefix={<SearchOutlined aria-hidden />}
          aria-label={t('study.search')}
          placeholder={t('study.searchText')}
          value={search.q ?? ''}
          onChange={({ target }) => set({ q: target.value })}
        />
        <Select
          allowClear
          size="large"
          aria-label={t('study.modality')}
          placeholder={t('study.modality')}
          value={search.modality ?? null}
          options={MODALITIES.map((value) => ({ value, label: value }))}
          onChange={(modality) => set({ modality: modality ?? '' })}
        />
        <div className="dates">
          <Input
            type="date"
            size="large"
            aria-label={t('study.from')}
            title={t('study.from')}
            onChange={({ target }) => set({ dateFrom: target.value })}
          />
          <span aria-hidden="true">–</span>
          <Input
            type="date"
            size="large"
            aria-label={t('study.to')}
            title={t('study.to')}
            onChange={({ target }) => set({ dateTo: target.value })}
          />
        </div>
      </search>
      <Results search={asked} />
    </>
  );
}

function Results({ search }: { search: StudySearch }) {
  const { t } = useTranslation();
  const found = useInfiniteQuery({ ...studies(search), placeholderData: keepPreviousData });
  if (found.data === undefined) {
    return found.error === null ? (
      <Loading />
    ) : (
      <ProblemNote error={found.error} onAgain={() => void found.refetch()} />
    );
  }
  const rows = found.data.pages.flatMap(({ items }) => items);
  const narrowed = Object.values(search).some((value) => value !== undefined && value !== '');
  if (rows.length === 0 && !found.hasNextPage)
    return <p className="empty">{t(narrowed ? 'study.noneFound' : 'study.none')}</p>;
  return (
    <>
      <ul className={found.isPlaceholderData ? 'studies old' : 'studies'} aria-label={t('nav.studies')}>
        {rows.map((row) => (
          <StudyLine key={row.studyUid} row={row} />
        ))}
      </ul>
      <MoreButton query={found} />
    </>
  );
}

function StudyLine({ row }: { row: StudyRow }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <li>
      <a className="study-line" href={linkTo('studies', row.studyUid)}>
        <span className="study-who">
          <PatientName patient={row.patient} />
          <span className="soft">
            <PatientFacts patient={row.patient} />
          </span>
        </span>
        <span className="study-what">
          <span>{row.description || t('study.noDescription')}</span>
          <span className="soft">
            {t('count.series', { count: row.series })} · {t('count.images', { count: row.instances })} ·{' '}
            {format.bytes(row.bytes)}
          </span>
        </span>
        <span className="study-kind">
          {row.modalities.map((modality) => (
            <span key={modality} className="badge">
              {modality}
            </span>
          ))}
        </span>
        <span className="study-day num">{row.date ? format.day(row.date) : t('study.noDate')}</span>
      </a>
    </li>
  );
}
