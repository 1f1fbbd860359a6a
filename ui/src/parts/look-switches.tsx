// Language, and light or dark.
import { GlobalOutlined, LogoutOutlined, MoonOutlined, SunOutlined } from '@ant-design/icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { remove } from '../api/client.ts';
import type { Session } from '../api/types.ts';
import {
  APPEARANCES,
  keepAppearance,
  keepLanguage,
  LANGUAGES,
  type Language,
  useAppearance,
} from '../preferences.ts';

/** Half light, half dark: as the screen is set. */
const Half = () => (
  <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" strokeWidth="1.4" />
    <path d="M8 1.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
  </svg>
);

const ICONS = { auto: <Half />, light: <SunOutlined aria-hidden />, dark: <MoonOutlined aria-hidden /> };

interface Props {
  readonly session?: Session;
  readonly language: Language;
  readonly onLanguage: (language: Language) => void;
}

export function LookSwitches({ session, language, onLanguage }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const appearance = useAppearance();
  const other: Language = language === 'en' ? 'zh-CN' : 'en';
  const next = APPEARANCES[(APPEARANCES.indexOf(appearance) + 1) % APPEARANCES.length] ?? 'auto';
  const leave = useMutation({
    mutationFn: () => remove('/session'),
    onSettled: () => client.resetQueries(),
  });
  const look = t('look.now', { look: t(`look.${appearance}`) });
  return (
    <div className="look">
      <Button
        type="text"
        size="small"
        icon={<GlobalOutlined aria-hidden />}
        lang={other}
        onClick={() => {
          keepLanguage(other);
          onLanguage(other);
        }}
      >
        {LANGUAGES[other]}
      </Button>
      <Button
        type="text"
        size="small"
        icon={ICONS[appearance]}
        aria-label={look}
        title={look}
        onClick={() => keepAppearance(next)}
      />
      {session?.mode === 'password' && (
        <Button
          type="text"
          size="small"
          icon={<LogoutOutlined aria-hidden />}
          aria-label={t('login.leave')}
          title={t('login.leave')}
          onClick={() => leave.mutate()}
        />
      )}
    </div>
  );
}
