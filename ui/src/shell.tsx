// Navigation and the page that is open. A column on wide screens, a rail in the DSM window, a bar on phones.
import {
  AppstoreOutlined,
  DesktopOutlined,
  FileSearchOutlined,
  HomeOutlined,
  ProfileOutlined,
  SafetyCertificateOutlined,
  SettingOutlined,
  SwapOutlined,
} from '@ant-design/icons';
import { type ComponentType, lazy, Suspense, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Session } from './api/types.ts';
import { OverviewPage } from './pages/overview.tsx';
import { Loading } from './parts/loading.tsx';
import { LookSwitches } from './parts/look-switches.tsx';
import { PageFault } from './parts/page-fault.tsx';
import type { Language } from './preferences.ts';
import { linkTo, useRoute } from './route.ts';

export interface PageProps {
  readonly rest: readonly string[];
  readonly session: Session;
  readonly language: Language;
  readonly onLanguage: (language: Language) => void;
}

interface PageEntry {
  readonly icon: ComponentType<{ 'aria-hidden'?: boolean }>;
  readonly page: ComponentType<PageProps>;
  /** stands behind `More` on a phone */
  readonly behindMore?: true;
  /** is reached from other pages only */
  readonly below?: string;
}

/** In the order of the navigation. All but the first are loaded when they are opened. */
const PAGES = {
  overview: { icon: HomeOutlined, page: OverviewPage },
  studies: { icon: FileSearchOutlined, page: lazy(() => import('./pages/studies.tsx')) },
  devices: { icon: DesktopOutlined, page: lazy(() => import('./pages/devices.tsx')) },
  activity: { icon: SwapOutlined, page: lazy(() => import('./pages/activity.tsx')) },
  integrity: {
    icon: SafetyCertificateOutlined,
    page: lazy(() => import('./pages/integrity.tsx')),
    behindMore: true,
  },
  log: { icon: ProfileOutlined, page: lazy(() => import('./pages/log.tsx')), behindMore: true },
  settings: { icon: SettingOutlined, page: lazy(() => import('./pages/settings.tsx')), behindMore: true },
  trash: { icon: FileSearchOutlined, page: lazy(() => import('./pages/trash.tsx')), below: 'studies' },
  more: { icon: AppstoreOutlined, page: MorePage, below: 'more' },
} as const satisfies Readonly<Record<string, PageEntry>>;
type PageName = keyof typeof PAGES;

const ENTRIES = Object.entries(PAGES) as [PageName, PageEntry][];
const isPage = (name: string): name is PageName => name in PAGES;

export function Shell(props: Omit<PageProps, 'rest'>) {
  const { t } = useTranslation();
  const { page: asked, rest } = useRoute();
  const name = isPage(asked) ? asked : 'overview';
  const { page: Page, below, behindMore }: PageEntry = PAGES[name];
  const main = useRef<HTMLElement>(null);
  const where = [name, ...rest].join('/');
  useEffect(() => {
    document.title = `${t(`nav.${name}`)} · AngioVault`;
  }, [name, t]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page that is opened is read from its top
  useEffect(() => {
    main.current?.scrollTo(0, 0);
  }, [where]);
  const open = below ?? name;
  return (
    <div className="shell">
      <a className="skip" href={linkTo(name, ...rest)} onClick={() => main.current?.focus()}>
        {t('nav.skip')}
      </a>
      <nav className="nav" aria-label={t('nav.label')}>
        <div className="brand">
          <img src="./icon.svg" alt="" width={28} height={28} />
          <span>AngioVault</span>
        </div>
        <div className="nav-links">
          {ENTRIES.filter(([, entry]) => entry.below === undefined).map(([key, entry]) => (
            <NavLink
              key={key}
              name={key}
              icon={entry.icon}
              open={open === key}
              behindMore={entry.behindMore}
            />
          ))}
          <span className="only-phone">
            <NavLink name="more" icon={AppstoreOutlined} open={open === 'more' || behindMore === true} />
          </span>
        </div>
        <div className="nav-foot">
          <LookSwitches {...props} />
        </div>
      </nav>
      <main className="page" ref={main} tabIndex={-1}>
        <PageFault key={where}>
          <Suspense fallback={<Loading />}>
            <Page rest={rest} {...props} />
          </Suspense>
        </PageFault>
      </main>
    </div>
  );
}

interface NavLinkProps {
  name: PageName;
  icon: ComponentType<{ 'aria-hidden'?: boolean }>;
  open: boolean;
  behindMore?: true | undefined;
}

function NavLink({ name, icon: Icon, open, behindMore }: NavLinkProps) {
  const { t } = useTranslation();
  return (
    <a
      className={behindMore ? 'nav-link behind-more' : 'nav-link'}
      href={linkTo(...(name === 'overview' ? [] : [name]))}
      aria-current={open ? 'page' : undefined}
    >
      <Icon aria-hidden />
      <span>{t(`nav.${name}`)}</span>
    </a>
  );
}

/** What has no place in the bar of a phone. */
function MorePage(props: PageProps) {
  const { t } = useTranslation();
  return (
    <>
      <header className="page-head">
        <h1>{t('nav.more')}</h1>
      </header>
      <div className="more-links">
        {ENTRIES.filter(([, entry]) => entry.behindMore).map(([key, { icon }]) => (
          <NavLink key={key} name={key} icon={icon} open={false} />
        ))}
      </div>
      <div className="more-look">
        <LookSwitches {...props} />
      </div>
    </>
  );
}
