// The configuration as a file: take it away, bring it back.
import { DownloadOutlined, UploadOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { address, post } from '../api/client.ts';
import type { ConfigChanged } from '../api/types.ts';
import { Panel } from './panel.tsx';
import { ProblemNote } from './problem-note.tsx';

export function ConfigBackup() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { message } = App.useApp();
  const input = useRef<HTMLInputElement>(null);
  const restore = useMutation({
    mutationFn: async (file: File) =>
      post<ConfigChanged>('/config/restore', JSON.parse(await file.text()) as unknown),
    onSuccess: async ({ applied }) => {
      await client.invalidateQueries();
      void message.success(t(`settings.applied.${applied}`));
    },
  });
  return (
    <Panel title={t('backup.title')}>
      <p className="soft">{t('backup.text')}</p>
      <div className="buttons">
        <Button
          icon={<DownloadOutlined aria-hidden />}
          href={address('/config/backup')}
          download="config.json"
        >
          {t('backup.save')}
        </Button>
        <Button
          icon={<UploadOutlined aria-hidden />}
          loading={restore.isPending}
          onClick={() => input.current?.click()}
        >
          {t('backup.restore')}
        </Button>
        <input
          ref={input}
          type="file"
          accept=".json,application/json"
          hidden
          aria-label={t('backup.restore')}
          onChange={({ target }) => {
            const file = target.files?.[0];
            if (file) restore.mutate(file);
            target.value = '';
          }}
        />
      </div>
      {restore.error && <ProblemNote error={restore.error} />}
    </Panel>
  );
}
