// When a device was last heard of; when that failed, what was wrong.
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { status } from '../api/queries.ts';
import type { Peer } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { spaced, useWords } from '../words.ts';
import { callParams } from './echo-result.tsx';

export function LastContact({ peer }: { peer: Peer }) {
  const { t } = useTranslation();
  const own = useQuery(status).data;
  const words = useWords();
  const format = useFormat();
  const { lastContact } = peer;
  if (lastContact === undefined) return <span className="soft">{t('devices.never')}</span>;
  const { ok, direction, at, code, detail } = lastContact;
  const when = format.relative(at);
  if (ok) return <span className="soft">{t(`devices.contact.${direction}`, { when })}</span>;
  const why = words(`echo.${code}.what`, detail ?? '', callParams(peer, own));
  return (
    <span className="bad-words">
      {spaced(t('devices.contact.failed', { when }))}
      {why}
    </span>
  );
}
