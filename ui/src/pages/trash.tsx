// What was deleted and can still be brought back.
import { ArrowLeftOutlined, UndoOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client.ts';
import { trash } from '../api/queries.ts';
import type { TrashItem } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { PageHead } from '../parts/page-head.tsx';
import { PatientName } from '../parts/person-name.tsx';
import { QueryTable } from '../parts/query-table.tsx';
import type { Column } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { useProblemWords, useUserWords } from '../words.ts';

export default function TrashPage() {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const { message } = App.useApp();
  const problemWords = useProblemWords();
  const userWords = useUserWords();
  const known = useQuery(trash);
  const restore = useMutation({
    mutationFn: (id: string) => post(`/trash/${encodeURIComponent(id)}/restore`),
    onSuccess: () => message.success(t('delete.undone')),
    onError: (error) => message.error(problemWords(error)),
    onSettled: () =>
      Promise.all(['trash', 'studies', 'status'].map((key) => client.invalidateQueries({ queryKey: [key] }))),
  });
  const columns: Column<TrashItem>[] = [
    {
      key: 'patient',
      title: t('trash.patient'),
      lead: true,
      cell: ({ patient }) => (
        <>
          <PatientName patient={patient} />
          <div className="soft">{patient.id}</div>
        </>
      ),
    },
    {
      key: 'what',
      title: t('trash.what'),
      cell: ({ level, description, instances, bytes }) => (
        <>
          {t(`trash.level.${level}`)} {description}
          <div className="soft">
            {t('count.images', { count: instances })} · {format.bytes(bytes)}
          </div>
        </>
      ),
    },
    {
      key: 'when',
      title: t('trash.when'),
      cell: ({ deletedAt, by, reason }) => (
        <>
          {format.instant(deletedAt)}
          <div className="soft">{[userWords(by), reason].filter(Boolean).join(' · ')}</div>
        </>
      ),
    },
    { key: 'until', title: t('trash.until'), cell: ({ expiresAt }) => format.day(expiresAt) },
    {
      key: 'do',
      title: '',
      align: 'end',
      cell: ({ trashId }) => (
        <Button
          icon={<UndoOutlined aria-hidden />}
          loading={restore.isPending && restore.variables === trashId}
          onClick={() => restore.mutate(trashId)}
        >
          {t('trash.restore')}
        </Button>
      ),
    },
  ];
  return (
    <>
      <a className="back" href={linkTo('studies')}>
        <ArrowLeftOutlined aria-hidden /> {t('nav.studies')}
      </a>
      <PageHead title={t('nav.trash')} lead={t('trash.text')} />
      <section className="panel">
        <QueryTable
          query={known}
          label={t('nav.trash')}
          columns={columns}
          rowKey={({ trashId }) => trashId}
          empty={t('trash.none')}
        />
      </section>
    </>
  );
}
