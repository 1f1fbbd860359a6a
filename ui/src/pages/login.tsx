// Name and password, where the archive answers on the network; the first time they are set.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { post, put } from '../api/client.ts';
import { session as sessionQuery } from '../api/queries.ts';
import type { Session } from '../api/types.ts';
import { LookSwitches } from '../parts/look-switches.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import type { Language } from '../preferences.ts';

interface Props {
  readonly session: Session;
  readonly language: Language;
  readonly onLanguage: (language: Language) => void;
}

interface Entry {
  readonly user: string;
  readonly password: string;
}

export function LoginPage({ session, language, onLanguage }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const first = session.accountNeeded;
  const enter = useMutation({
    mutationFn: async ({ user, password }: Entry) => {
      if (first) await put('/account', { user, password });
      await post('/session', { user, password });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
  return (
    <main className="alone login">
      <img src="./icon.svg" alt="" width={56} height={56} />
      <h1>AngioVault</h1>
      <p>{t(first ? 'login.first' : 'login.lead')}</p>
      <Form<Entry> layout="vertical" onFinish={(entry) => enter.mutate(entry)}>
        <Form.Item
          name="user"
          label={t('login.user')}
          rules={[{ required: true, message: t('login.needed') }]}
        >
          <Input autoComplete="username" autoFocus />
        </Form.Item>
        <Form.Item
          name="password"
          label={t('login.password')}
          rules={[{ required: true, message: t('login.needed') }]}
        >
          <Input.Password autoComplete={first ? 'new-password' : 'current-password'} />
        </Form.Item>
        {enter.error && <ProblemNote error={enter.error} />}
        <Button type="primary" htmlType="submit" block loading={enter.isPending}>
          {t(first ? 'login.create' : 'login.enter')}
        </Button>
      </Form>
      <LookSwitches language={language} onLanguage={onLanguage} />
    </main>
  );
}
