// The frame of every page: look and language, who is let in, the daemon's events.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, ConfigProvider, App as Messages } from 'antd';
import type { Locale } from 'antd/es/locale';
import { useEffect, useLayoutEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from './api/client.ts';
import { useEvents } from './api/events.ts';
import { session } from './api/queries.ts';
import { speak } from './i18n/language.ts';
import { LoginPage } from './pages/login.tsx';
import { Loading } from './parts/loading.tsx';
import { Statement } from './parts/statement.tsx';
import { isLanguage, type Language, useDark } from './preferences.ts';
import { Shell } from './shell.tsx';
import { themeOf } from './theme.ts';

export function App({ antdWords }: { antdWords: Locale }) {
  const dark = useDark();
  const [locale, setLocale] = useState(antdWords);
  const { i18n } = useTranslation();
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  }, [dark]);
  const speakTo = async (language: Language) => setLocale(await speak(language));
  return (
    <ConfigProvider
      locale={locale}
      theme={themeOf(dark)}
      button={{ autoInsertSpace: false }}
      form={{ requiredMark: false }}
    >
      <Messages component={false} message={{ maxCount: 3 }} notification={{ placement: 'bottomRight' }}>
        <Door
          language={isLanguage(i18n.language) ? i18n.language : 'en'}
          onLanguage={(language) => void speakTo(language)}
        />
      </Messages>
    </ConfigProvider>
  );
}

interface DoorProps {
  language: Language;
  onLanguage: (language: Language) => void;
}

/** What DSM's desktop says of who is not let in; everything else is silence. */
function refusalOf(error: Error) {
  const code = error instanceof Problem ? error.code : undefined;
  return code === 'not-administrator' || code === 'not-logged-in' || code === 'not-running'
    ? code
    : 'unreachable';
}

/** Lets in who may come in; everybody else gets the login page. */
function Door({ language, onLanguage }: DoorProps) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const known = useQuery({
    ...session,
    retry: false,
    refetchInterval: ({ state }) => (state.error ? 5000 : false),
  });
  const inside = known.data?.authenticated === true;
  useEvents(inside);
  // A session that ended is noticed by the first refused request, whichever it is.
  useEffect(
    () =>
      client.getQueryCache().subscribe(({ query }) => {
        const { error } = query.state;
        if (error instanceof Problem && error.status === 401 && query.queryKey[0] !== 'session') {
          query.reset();
          void client.invalidateQueries({ queryKey: session.queryKey });
        }
      }),
    [client],
  );
  if (known.data === undefined) {
    if (known.error === null) return <Loading />;
    return (
      <main className="alone">
        <Statement level="unknown" title={t('problem.title')} detail={t(`problem.${refusalOf(known.error)}`)}>
          <Button onClick={() => void known.refetch()}>{t('common.again')}</Button>
        </Statement>
      </main>
    );
  }
  if (!inside) return <LoginPage session={known.data} language={language} onLanguage={onLanguage} />;
  return <Shell session={known.data} language={language} onLanguage={onLanguage} />;
}
