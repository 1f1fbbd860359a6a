// What the daemon or another machine said in English, for whoever looks after the archive: below the words of the app.
import { useTranslation } from 'react-i18next';
import { spaced } from '../words.ts';

export function Details({ text }: { text: string | undefined }) {
  const { t } = useTranslation();
  if (!text) return null;
  return (
    <div className="soft details">
      {spaced(t('common.details'))}
      <span lang="en">{text}</span>
    </div>
  );
}
