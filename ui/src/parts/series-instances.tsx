// The instances of a series, with pictures.
import { DownloadOutlined } from '@ant-design/icons';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { address } from '../api/client.ts';
import { instances } from '../api/queries.ts';
import type { Instance } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { Loading } from './loading.tsx';
import { MoreButton } from './more-button.tsx';
import { ProblemNote } from './problem-note.tsx';
import { Thumbnail } from './thumbnail.tsx';

export function SeriesInstances({ studyUid, seriesUid }: { studyUid: string; seriesUid: string }) {
  const { t } = useTranslation();
  const known = useInfiniteQuery(instances(studyUid, seriesUid));
  if (known.data === undefined) {
    return known.error === null ? (
      <Loading />
    ) : (
      <ProblemNote error={known.error} onAgain={() => void known.refetch()} />
    );
  }
  return (
    <>
      <ul className="instances" aria-label={t('study.images')}>
        {known.data.pages
          .flatMap(({ items }) => items)
          .map((one) => (
            <InstanceCard key={one.sopInstanceUid} one={one} />
          ))}
      </ul>
      <MoreButton query={known} />
    </>
  );
}

function InstanceCard({ one }: { one: Instance }) {
  const { t } = useTranslation();
  const format = useFormat();
  const name = t('study.imageNumber', { number: one.number ?? '–' });
  const frames = one.frames !== undefined && one.frames > 1 ? t('count.frames', { count: one.frames }) : '';
  const size = one.rows !== undefined && one.columns !== undefined ? `${one.columns} × ${one.rows}` : '';
  const about = [
    one.sopClass.name,
    one.transferSyntax.name,
    one.source && t('study.sentBy', { name: one.source }),
    format.instant(one.receivedAt),
  ];
  return (
    <li className="instance" title={about.filter(Boolean).join('\n')}>
      <Thumbnail sopInstanceUid={one.sopInstanceUid} label={t('study.picture', { name })} />
      <span className="instance-name">
        {name}
        <a
          href={address(`/instances/${encodeURIComponent(one.sopInstanceUid)}/file`)}
          download={`${one.sopInstanceUid}.dcm`}
          aria-label={t('study.downloadImage', { name })}
          title={t('study.downloadImage', { name })}
        >
          <DownloadOutlined aria-hidden />
        </a>
      </span>
      <span className="soft">
        {[frames, size, format.bytes(one.bytes)].filter((fact) => fact !== '').join(' · ')}
      </span>
    </li>
  );
}
