// Delete, with a reason if one is given; it goes to the trash, and a press brings it back.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post, remove } from '../api/client.ts';
import type { Series, StudyDetails } from '../api/types.ts';
import { useProblemWords } from '../words.ts';
import { ProblemNote } from './problem-note.tsx';

const UNDO_S = 12;
const STALE = ['studies', 'patient-studies', 'trash', 'status'];

interface Props {
  readonly study: StudyDetails;
  /** only this one of it */
  readonly series?: Series;
  readonly onClose: () => void;
  readonly onDeleted: () => void;
}

export function DeleteDialog({ study, series, onClose, onDeleted }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { notification, message } = App.useApp();
  const problemWords = useProblemWords();
  const [reason, setReason] = useState('');
  const path = `/studies/${study.studyUid}${series ? `/series/${series.seriesUid}` : ''}`;
  const refresh = () =>
    Promise.all(
      // What is left of a study is read again; of one that is gone there is nothing to ask.
      [...STALE, ...(series ? ['study'] : [])].map((key) => client.invalidateQueries({ queryKey: [key] })),
    );
  const undo = async (trashId: string) => {
    notification.destroy(trashId);
    try {
      await post(`/trash/${encodeURIComponent(trashId)}/restore`);
      void message.success(t('delete.undone'));
    } catch (error) {
      void message.error(problemWords(error));
    }
    await refresh();
  };
  const drop = useMutation({
    mutationFn: () => remove<{ trashId: string }>(path, reason === '' ? {} : { reason }),
    onSuccess: async ({ trashId }) => {
      notification.success({
        key: trashId,
        title: t('delete.done'),
        description: t('delete.doneText'),
        duration: UNDO_S,
        actions: <Button onClick={() => void undo(trashId)}>{t('delete.undo')}</Button>,
      });
      onDeleted();
      await refresh();
    },
  });
  const count = series?.instances ?? study.instances;
  return (
    <Modal
      open
      title={t(series ? 'delete.seriesTitle' : 'delete.title')}
      onCancel={onClose}
      footer={
        <>
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button danger type="primary" loading={drop.isPending} onClick={() => drop.mutate()}>
            {t('delete.do')}
          </Button>
        </>
      }
    >
      <p>{t('delete.text', { count })}</p>
      <Input
        aria-label={t('delete.reason')}
        placeholder={t('delete.reason')}
        maxLength={200}
        value={reason}
        onChange={({ target }) => setReason(target.value)}
      />
      {drop.error && <ProblemNote error={drop.error} />}
    </Modal>
  );
}
