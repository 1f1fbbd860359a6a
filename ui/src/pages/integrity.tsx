// Is everything as it was received? Runs, findings with what can be done, the second archive.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Progress } from 'antd';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client.ts';
import { findings, integrity, status } from '../api/queries.ts';
import type { Finding, Integrity, IntegrityRun, SafetyLevel, Status } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { Details } from '../parts/details.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Panel } from '../parts/panel.tsx';
import { TablePanel } from '../parts/query-table.tsx';
import { Statement } from '../parts/statement.tsx';
import { type Column, Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { spaced, useProblemWords, useWords } from '../words.ts';

export default function IntegrityPage() {
  const { t } = useTranslation();
  const known = useQuery(integrity);
  return (
    <>
      <PageHead title={t('nav.integrity')} lead={t('integrity.lead')} />
      <Loaded query={known}>
        {(now) => (
          <>
            <State integrity={now} />
            <Findings />
            <div className="columns">
              <Runs runs={now.runs} />
              <Second />
            </div>
          </>
        )}
      </Loaded>
    </>
  );
}

function levelOf(open: number | undefined, runs: readonly IntegrityRun[]): SafetyLevel {
  if (open === undefined) return 'unknown';
  if (open > 0) return 'danger';
  return runs.some(({ endedAt }) => endedAt !== undefined) ? 'safe' : 'unknown';
}

function State({ integrity: { running, runs } }: { integrity: Integrity }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const { message } = App.useApp();
  const problemWords = useProblemWords();
  const now = useQuery(status).data;
  const run = useMutation({
    mutationFn: () => post('/integrity/runs'),
    onError: (error) => message.error(problemWords(error)),
    onSettled: () => client.invalidateQueries({ queryKey: ['integrity'] }),
  });
  const level = levelOf(now?.integrity.openFindings, runs);
  const next = now?.integrity.nextRunAt;
  return (
    <Statement
      level={level}
      title={t(`integrity.level.${level}`, { count: now?.integrity.openFindings ?? 0 })}
      detail={
        running === undefined ? (
          <p>
            {next === undefined
              ? t('integrity.byItself')
              : t('integrity.next', { when: format.relative(next) })}
          </p>
        ) : (
          <>
            <p>
              {t('integrity.running', {
                done: format.number(running.done),
                total: format.number(running.total),
                size: format.bytes(running.bytes),
              })}
            </p>
            <Progress
              percent={running.total === 0 ? 0 : (100 * running.done) / running.total}
              showInfo={false}
              size="small"
              aria-label={t('integrity.progress')}
            />
          </>
        )
      }
    >
      <Button loading={run.isPending} disabled={running !== undefined} onClick={() => run.mutate()}>
        {t('integrity.runNow')}
      </Button>
    </Statement>
  );
}

/** The words for these say all that is known; of the others there are numbers, another UID, the disk's own error. */
const SAY_ENOUGH: ReadonlySet<string> = new Set(['missing', 'permissions', 'not-a-file', 'unknown']);

const FROM_SECOND = 'restore-second-archive';

function Findings() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const problemWords = useProblemWords();
  const known = useQuery(findings('open'));
  const hasSecond = useQuery(status).data?.secondArchive !== undefined;
  const act = useMutation({
    mutationFn: ({ id, action }: { id: string; action: string }) =>
      post<Finding>(`/integrity/findings/${encodeURIComponent(id)}/actions`, { action }),
    onSuccess: ({ state }) =>
      state === 'open' ? message.warning(t('finding.stillOpen'), 8) : message.success(t('finding.acted')),
    onError: (error) => message.error(problemWords(error)),
    onSettled: () =>
      Promise.all(
        ['findings', 'integrity', 'status'].map((key) => client.invalidateQueries({ queryKey: [key] })),
      ),
  });
  const columns: Column<Finding>[] = [
    {
      key: 'what',
      title: t('finding.what'),
      lead: true,
      cell: ({ kind, path, reason }) => (
        <>
          <b>{words(`finding.kind.${kind}.title`, kind)}</b>
          <div className="soft">{words(`finding.kind.${kind}.text`, '')}</div>
          {SAY_ENOUGH.has(kind) || <Details text={reason} />}
          <FilePath path={path} />
        </>
      ),
    },
    {
      key: 'found',
      title: t('finding.found'),
      cell: ({ foundAt }) => <span className="nowrap">{format.relative(foundAt)}</span>,
    },
    {
      key: 'do',
      title: t('finding.do'),
      align: 'end',
      cell: ({ id, actions }) => (
        <div className="finding-do">
          {actions
            .filter((action) => hasSecond || action !== FROM_SECOND)
            .map((action) => (
              <Button
                key={action}
                size="small"
                title={words(`finding.action.${action}.text`, action)}
                loading={act.isPending && act.variables.id === id && act.variables.action === action}
                onClick={() => act.mutate({ id, action })}
              >
                {words(`finding.action.${action}.title`, action)}
              </Button>
            ))}
        </div>
      ),
    },
  ];
  return (
    <TablePanel
      title={t('finding.title')}
      query={known}
      columns={columns}
      rowKey={({ id }) => id}
      empty={t('finding.none')}
    />
  );
}

/** The place of a file; it leads to its study when it is a stored instance. */
function FilePath({ path }: { path: string }) {
  const studyUid = /^studies\/(?:\d{4}\/\d{2}|undated)\/([\d.]+)\//.exec(path)?.[1];
  if (studyUid === undefined) return <span className="hash">{path}</span>;
  return (
    <a className="hash" href={linkTo('studies', studyUid)}>
      {path}
    </a>
  );
}

function Runs({ runs }: { runs: readonly IntegrityRun[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useWords();
  const columns: Column<IntegrityRun>[] = [
    {
      key: 'when',
      title: t('integrity.when'),
      lead: true,
      cell: ({ startedAt }) => format.instant(startedAt),
    },
    {
      key: 'took',
      title: t('integrity.took'),
      cell: ({ startedAt, endedAt }) =>
        endedAt === undefined ? '–' : format.span(Date.parse(endedAt) - Date.parse(startedAt)),
    },
    {
      key: 'read',
      title: t('integrity.read'),
      align: 'end',
      cell: ({ files, bytes }) => (
        <>
          {t('count.images', { count: files })} · {format.bytes(bytes)}
        </>
      ),
    },
    {
      key: 'outcome',
      title: t('integrity.outcome'),
      align: 'end',
      cell: ({ findings: count, outcome, endedAt }) =>
        count > 0 ? (
          <span className="badge bad">{t('integrity.found', { count })}</span>
        ) : endedAt === undefined ||
          (outcome !== undefined && outcome !== 'done' && outcome !== 'completed') ? (
          <span className="badge quiet">
            {words(`integrity.outcomes.${outcome}`, outcome ?? t('integrity.goingOn'))}
          </span>
        ) : (
          <span className="badge good">{t('integrity.clean')}</span>
        ),
    },
  ];
  return (
    <Panel title={t('integrity.history')}>
      <Table
        label={t('integrity.history')}
        columns={columns}
        rows={runs}
        rowKey={({ startedAt }) => startedAt}
        empty={t('integrity.noRuns')}
      />
    </Panel>
  );
}

function Second() {
  const { t } = useTranslation();
  const known = useQuery(status);
  return (
    <Panel title={t('second.title')}>
      <Loaded query={known}>{({ secondArchive }) => <SecondState second={secondArchive} />}</Loaded>
    </Panel>
  );
}

function SecondState({ second }: { second: Status['secondArchive'] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (second === undefined) {
    return (
      <p className="soft">
        {spaced(t('second.none'))}
        <a href={linkTo('devices')}>{t('nav.devices')}</a>
      </p>
    );
  }
  const { aeTitle, lagging } = second;
  return (
    <dl className="facts">
      <div>
        <dt>{t('second.name')}</dt>
        <dd className="mono">{aeTitle}</dd>
      </div>
      <div>
        <dt>{t('second.lagging')}</dt>
        <dd>{lagging === 0 ? t('second.complete') : format.number(lagging)}</dd>
      </div>
    </dl>
  );
}
