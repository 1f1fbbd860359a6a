// The administrator's name and password, needed wherever the archive answers on the network.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { put } from '../api/client.ts';
import { session as sessionQuery } from '../api/queries.ts';
import type { Session } from '../api/types.ts';
import { Panel } from './panel.tsx';
import { ProblemNote } from './problem-note.tsx';

interface Fields {
  readonly user: string;
  readonly password: string;
  readonly oldPassword?: string;
}

export function PasswordForm({ session }: { session: Session }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const save = useMutation({
    mutationFn: (fields: Fields) => put('/account', fields),
    onSuccess: async () => {
      form.resetFields(['password', 'oldPassword']);
      void message.success(t('account.saved'));
      await client.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
  const needed = [{ required: true, message: t('login.needed') }];
  return (
    <Panel title={t('account.title')}>
      <p className="soft">{t(session.mode === 'open' ? 'account.open' : 'account.text')}</p>
      <Form<Fields>
        form={form}
        layout="vertical"
        initialValues={{ user: session.user }}
        onFinish={(fields) => save.mutate(fields)}
      >
        <Form.Item name="user" label={t('login.user')} rules={needed}>
          <Input autoComplete="username" />
        </Form.Item>
        {session.mode === 'password' && (
          <Form.Item name="oldPassword" label={t('account.old')} rules={needed}>
            <Input.Password autoComplete="current-password" />
          </Form.Item>
        )}
        <Form.Item name="password" label={t('account.new')} rules={needed}>
          <Input.Password autoComplete="new-password" />
        </Form.Item>
        {save.error && <ProblemNote error={save.error} />}
        <Button htmlType="submit" loading={save.isPending}>
          {t('common.save')}
        </Button>
      </Form>
    </Panel>
  );
}
