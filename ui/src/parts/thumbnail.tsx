// One instance as a small picture; where there is none to be had, a quiet sign instead.
import { FileOutlined } from '@ant-design/icons';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { address } from '../api/client.ts';

interface Props {
  readonly sopInstanceUid: string | undefined;
  readonly label: string;
}

export function Thumbnail({ sopInstanceUid, label }: Props) {
  const { t } = useTranslation();
  const [failed, setFailed] = useState(false);
  if (sopInstanceUid === undefined || failed) {
    return (
      <span className="thumbnail none" title={t('study.noPicture')}>
        <FileOutlined aria-hidden />
      </span>
    );
  }
  return (
    <img
      className="thumbnail"
      src={address(`/instances/${encodeURIComponent(sopInstanceUid)}/thumbnail?size=160`)}
      alt={label}
      loading="lazy"
      decoding="async"
      onError={() => setFailed(true)}
    />
  );
}
