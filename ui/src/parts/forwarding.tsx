// What goes to other machines by itself: the rules, and how far each destination is.
import { PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { remove } from '../api/client.ts';
import { destinations, forwardingRules } from '../api/queries.ts';
import type { Destination, ForwardingRule, Peer } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { useProblemWords } from '../words.ts';
import { ForwardingForm } from './forwarding-form.tsx';
import { TablePanel } from './query-table.tsx';
import { SOP_CLASSES } from './sop-classes.ts';
import type { Column } from './table.tsx';

export function Forwarding({ peers }: { peers: readonly Peer[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const problemWords = useProblemWords();
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const rules = useQuery(forwardingRules);
  const states = useQuery(destinations).data ?? [];
  const [open, setOpen] = useState<{ readonly rule?: ForwardingRule }>();
  const drop = useMutation({
    mutationFn: ({ id }: ForwardingRule) => remove(`/forwarding/rules/${id}`),
    onSettled: () => client.invalidateQueries({ queryKey: forwardingRules.queryKey }),
    onError: (error) => message.error(problemWords(error)),
  });
  const askToDrop = (rule: ForwardingRule) =>
    modal.confirm({
      title: t('forwarding.dropTitle', { name: rule.destination }),
      content: t('forwarding.dropText'),
      okText: t('devices.drop'),
      okButtonProps: { danger: true },
      onOk: () => drop.mutateAsync(rule),
    });
  // A second archive gets everything anyway.
  const choices = peers.filter(({ role }) => role !== 'second-archive');
  const columns: Column<ForwardingRule>[] = [
    {
      key: 'what',
      title: t('forwarding.what'),
      lead: true,
      cell: (rule) => <Conditions rule={rule} />,
    },
    {
      key: 'to',
      title: t('forwarding.to'),
      cell: ({ destination }) => <b className="mono">{destination}</b>,
    },
    {
      key: 'when',
      title: t('forwarding.when'),
      cell: ({ unit, quietSeconds }) =>
        unit === 'instance'
          ? t('forwarding.unit.instance')
          : t('forwarding.afterwards', { span: format.span(quietSeconds * 1000) }),
    },
    {
      key: 'state',
      title: t('forwarding.state'),
      cell: ({ destination }) => <State of={states.find((one) => one.destination === destination)} />,
    },
    {
      key: 'do',
      title: '',
      align: 'end',
      cell: (rule) => (
        <div className="row-do">
          <Button size="small" onClick={() => setOpen({ rule })}>
            {t('common.change')}
          </Button>
          <Button size="small" danger onClick={() => askToDrop(rule)}>
            {t('devices.drop')}
          </Button>
        </div>
      ),
    },
  ];
  return (
    <>
      <TablePanel
        title={t('forwarding.title')}
        extra={
          choices.length > 0 && (
            <Button icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({})}>
              {t('forwarding.add')}
            </Button>
          )
        }
        query={rules}
        columns={columns}
        rowKey={({ id }) => id}
        empty={t('forwarding.none')}
      />
      {open && <ForwardingForm {...open} peers={choices} onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** What a rule is for, one condition a line. */
function Conditions({ rule: { source, modality, sopClass, description } }: { rule: ForwardingRule }) {
  const { t } = useTranslation();
  const nameOf = (uid: string) => (SOP_CLASSES.has(uid) ? t(`sopClass.${SOP_CLASSES.get(uid)}`) : uid);
  const lines = [
    ...(source ? [t('forwarding.is.source', { list: source.join(', ') })] : []),
    ...(modality ? [t('forwarding.is.modality', { list: modality.join(', ') })] : []),
    ...(sopClass ? [t('forwarding.is.sopClass', { list: sopClass.map(nameOf).join(', ') })] : []),
    ...(description ? [t('forwarding.is.description', { pattern: description })] : []),
  ];
  if (lines.length === 0) return t('forwarding.everything');
  return (
    <ul className="conditions">
      {lines.map((line) => (
        <li key={line}>{line}</li>
      ))}
    </ul>
  );
}

/** How far a destination is, by all rules that send there. */
function State({ of }: { of: Destination | undefined }) {
  const { t } = useTranslation();
  if (of === undefined) return null;
  const { due, sent, refused } = of;
  if (due + sent + refused === 0) return <span className="soft">{t('forwarding.nothingOpen')}</span>;
  return (
    <>
      {due > 0 && <div>{t('forwarding.due', { count: due })}</div>}
      {sent > 0 && <div className="soft">{t('forwarding.sent', { count: sent })}</div>}
      {refused > 0 && <div className="bad-words">{t('forwarding.refused', { count: refused })}</div>}
    </>
  );
}
