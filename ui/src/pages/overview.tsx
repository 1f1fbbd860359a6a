// Safe or not, and why; what came today, who is here, how long the space lasts.
import { useQuery } from '@tanstack/react-query';
import { Alert, Progress } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { associations, intake, peers, status } from '../api/queries.ts';
import type { Coded, LiveAssociation, Notice, Peer, Status } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { Details } from '../parts/details.tsx';
import { IntakeChart } from '../parts/intake-chart.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Panel } from '../parts/panel.tsx';
import { Statement } from '../parts/statement.tsx';
import { linkTo } from '../route.ts';
import { useSettingTitle, useWords } from '../words.ts';
import { Welcome } from './welcome.tsx';

const CHART_DAYS = 90;

export function OverviewPage() {
  const known = useQuery(status);
  const devices = useQuery(peers);
  return (
    <Loaded query={known}>
      {(now) => <Loaded query={devices}>{(list) => <Overview status={now} peers={list} />}</Loaded>}
    </Loaded>
  );
}

function Overview({ status: now, peers: list }: { status: Status; peers: readonly Peer[] }) {
  const { t } = useTranslation();
  // Decided when the page opens, so that the last step stays in sight after it succeeded.
  const [welcome, setWelcome] = useState(
    () => now.counts.instances === 0 && !list.some((peer) => peer.lastContact?.ok),
  );
  if (welcome) return <Welcome status={now} peers={list} onDone={() => setWelcome(false)} />;
  return (
    <>
      <PageHead title={t('nav.overview')} />
      <Safety status={now} />
      {now.notices.map((notice) => (
        <NoticeLine key={notice.id} notice={notice} />
      ))}
      <div className="tiles">
        <Today status={now} />
        <Space space={now.space} />
        <Kept status={now} />
      </div>
      <div className="columns">
        <Intake />
        <Connected />
      </div>
    </>
  );
}

function Reason({ reason }: { reason: Coded }) {
  const words = useWords();
  return <li>{words(`safety.reason.${reason.code}`, reason.code, reason.params)}</li>;
}

function Safety({ status: { safety } }: { status: Status }) {
  const { t } = useTranslation();
  const goal = safety.level === 'safe' || safety.level === 'unknown' ? undefined : linkTo('integrity');
  return (
    <Statement
      level={safety.level}
      title={t(`safety.level.${safety.level}`)}
      detail={
        <ul className="reasons">
          {safety.reasons.map((reason) => (
            <Reason key={reason.code} reason={reason} />
          ))}
        </ul>
      }
    >
      {goal && <a href={goal}>{t('safety.more')}</a>}
    </Statement>
  );
}

function NoticeLine({ notice }: { notice: Notice }) {
  const words = useWords();
  const format = useFormat();
  const settingTitle = useSettingTitle();
  const { settings, reason } = notice.params ?? {};
  const titles =
    settings === undefined ? {} : { settings: `${settings}`.split(', ').map(settingTitle).join(', ') };
  return (
    <Alert
      className="notice"
      type={notice.level}
      showIcon
      title={words(`notice.${notice.code}`, notice.code, { ...notice.params, ...titles })}
      description={
        <>
          {format.relative(notice.at)}
          <Details text={reason === undefined ? undefined : `${reason}`} />
        </>
      }
    />
  );
}

interface TileProps {
  readonly title: string;
  readonly value: ReactNode;
  readonly children?: ReactNode;
}

function Tile({ title, value, children }: TileProps) {
  return (
    <section className="tile">
      <h2>{title}</h2>
      <p className="tile-value">{value}</p>
      <div className="tile-more">{children}</div>
    </section>
  );
}

function Today({ status: { today, pendingInstances } }: { status: Status }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Tile title={t('overview.today')} value={t('count.images', { count: today.instances })}>
      {today.instances === 0 ? t('overview.nothingToday') : format.bytes(today.bytes)}
      {pendingInstances > 0 && <> · {t('overview.pending', { count: pendingInstances })}</>}
    </Tile>
  );
}

const SPACE_COLOURS = { ok: 'var(--accent)', warning: 'var(--warn)', full: 'var(--bad)' };

function Space({ space }: { space: Status['space'] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const used = space.totalBytes === 0 ? 0 : 100 * (1 - space.freeBytes / space.totalBytes);
  return (
    <Tile title={t('overview.space')} value={t('overview.free', { size: format.bytes(space.freeBytes) })}>
      <Progress
        percent={used}
        showInfo={false}
        size="small"
        strokeColor={SPACE_COLOURS[space.level]}
        aria-label={t('overview.used')}
      />
      {space.fullOn === undefined
        ? t(space.level === 'full' ? 'overview.isFull' : 'overview.lastsLong')
        : t('overview.fullOn', { when: format.months(space.fullOn) })}
    </Tile>
  );
}

function Kept({ status: { counts, secondArchive } }: { status: Status }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <Tile title={t('overview.kept')} value={t('count.studies', { count: counts.studies })}>
      {t('count.images', { count: counts.instances })} · {format.bytes(counts.bytes)}
      {secondArchive && (
        <div>
          {secondArchive.lagging === 0
            ? t('overview.secondComplete', { name: secondArchive.aeTitle })
            : t('overview.secondLagging', { name: secondArchive.aeTitle, count: secondArchive.lagging })}
        </div>
      )}
    </Tile>
  );
}

function Intake() {
  const { t } = useTranslation();
  const days = useQuery(intake(CHART_DAYS));
  return (
    <Panel title={t('overview.intake')}>
      <Loaded query={days}>{(items) => <IntakeChart days={items} />}</Loaded>
    </Panel>
  );
}

function Connected() {
  const { t } = useTranslation();
  const live = useQuery(associations);
  return (
    <Panel title={t('overview.connected')} extra={<a href={linkTo('activity')}>{t('nav.activity')}</a>}>
      <Loaded query={live}>
        {(items) =>
          items.length === 0 ? (
            <p className="empty">{t('overview.nobody')}</p>
          ) : (
            <ul className="plain-list">
              {items.map((one) => (
                <Caller key={one.id} one={one} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}

function Caller({ one }: { one: LiveAssociation }) {
  const format = useFormat();
  const words = useWords();
  const { t } = useTranslation();
  return (
    <li>
      <b className="mono">{one.direction === 'in' ? one.calling : one.called}</b>{' '}
      {words(`doing.${one.doing}`, one.doing)}
      {one.ratePerSecond > 0 && <> · {t('activity.perSecond', { size: format.bytes(one.ratePerSecond) })}</>}
    </li>
  );
}
