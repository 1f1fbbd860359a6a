// Settings: the address to print, every setting of the daemon (read from its own schema), language, backup.
import { PrinterOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Collapse, Form, Segmented, Select } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Fault, Problem, patch } from '../api/client.ts';
import { config, status } from '../api/queries.ts';
import type { Config, ConfigChanged, SettingSchema } from '../api/types.ts';
import { AddressCard } from '../parts/address-card.tsx';
import { ConfigBackup } from '../parts/config-backup.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Panel } from '../parts/panel.tsx';
import { PasswordForm } from '../parts/password-form.tsx';
import { ProblemNote } from '../parts/problem-note.tsx';
import { SettingInput } from '../parts/setting-input.tsx';
import {
  APPEARANCES,
  keepAppearance,
  keepLanguage,
  LANGUAGES,
  type Language,
  useAppearance,
} from '../preferences.ts';
import { type Field, fieldsOf, isAdvanced, patchOf, valueAt } from '../settings-paths.ts';
import type { PageProps } from '../shell.tsx';
import { useFaultWords, useWords } from '../words.ts';

export default function SettingsPage({ language, onLanguage, session }: PageProps) {
  const { t } = useTranslation();
  const now = useQuery(status);
  const settings = useQuery(config);
  return (
    <>
      <PageHead title={t('nav.settings')} />
      <div className="columns settings">
        <div>
          <Loaded query={settings}>{(known) => <SettingsForm config={known} />}</Loaded>
        </div>
        <div>
          <Panel className="card-panel" title={t('address.panel')}>
            <Loaded query={now}>{(known) => <AddressCard status={known} />}</Loaded>
            <Button icon={<PrinterOutlined aria-hidden />} onClick={() => window.print()}>
              {t('address.print')}
            </Button>
          </Panel>
          <Look language={language} onLanguage={onLanguage} />
          {session.mode !== 'relay' && <PasswordForm session={session} />}
          <ConfigBackup />
        </div>
      </div>
    </>
  );
}

function Look({ language, onLanguage }: Pick<PageProps, 'language' | 'onLanguage'>) {
  const { t } = useTranslation();
  const appearance = useAppearance();
  return (
    <Panel title={t('look.title')}>
      <div className="look-form">
        <Select<Language>
          aria-label={t('look.language')}
          value={language}
          options={Object.entries(LANGUAGES).map(([value, label]) => ({ value: value as Language, label }))}
          onChange={(value) => {
            keepLanguage(value);
            onLanguage(value);
          }}
        />
        <Segmented
          aria-label={t('look.title')}
          value={appearance}
          options={APPEARANCES.map((value) => ({ value, label: t(`look.${value}`) }))}
          onChange={keepAppearance}
        />
      </div>
    </Panel>
  );
}

/** Everything changed and not saved yet is held here, by path. */
function SettingsForm({ config: known }: { config: Config }) {
  const { t } = useTranslation();
  const words = useWords();
  const client = useQueryClient();
  const { message } = App.useApp();
  const faultWords = useFaultWords();
  const [changes, setChanges] = useState<ReadonlyMap<string, unknown>>(new Map());
  const fields = useMemo(() => fieldsOf(known.schema), [known.schema]);
  const save = useMutation({
    mutationFn: () => patch<ConfigChanged>('/config', patchOf(changes)),
    onSuccess: async ({ applied }) => {
      setChanges(new Map());
      await client.invalidateQueries();
      if (applied === 'restart-needed') void message.warning(t('settings.applied.restart-needed'), 8);
      else void message.success(t(`settings.applied.${applied}`));
    },
  });
  const mistakes = new Map(
    save.error instanceof Problem ? save.error.errors.map((fault) => [fault.path, fault]) : [],
  );
  const change = (path: string, value: unknown) => {
    const next = new Map(changes);
    if (JSON.stringify(value) === JSON.stringify(valueAt(known.values, path))) next.delete(path);
    else next.set(path, value);
    setChanges(next);
  };
  const mistakeWords = (fault: Fault, { minimum, maximum }: SettingSchema) =>
    minimum === undefined || maximum === undefined
      ? faultWords(fault)
      : t('fault.range', { minimum, maximum });
  const row = ({ path, schema }: Field) => {
    const id = `setting-${path}`;
    const mistake = mistakes.get(path);
    return (
      <Form.Item
        key={path}
        htmlFor={id}
        label={words(`setting.${path}.title`, schema.title ?? path)}
        extra={words(`setting.${path}.description`, schema.description ?? '')}
        {...(mistake === undefined
          ? {}
          : { validateStatus: 'error' as const, help: mistakeWords(mistake, schema) })}
      >
        <SettingInput
          id={id}
          path={path}
          schema={schema}
          value={changes.has(path) ? changes.get(path) : valueAt(known.values, path)}
          onChange={(value) => change(path, value)}
        />
      </Form.Item>
    );
  };
  const groups = Map.groupBy(
    fields.filter(({ path }) => !isAdvanced(path)),
    ({ path }) => (path.includes('.') ? (path.split('.')[0] ?? '') : 'general'),
  );
  // The port belongs beside the title: both are what other machines have to be told.
  const general = [...(groups.get('general') ?? []), ...(groups.get('dimse') ?? [])];
  const others = [...groups].filter(([group]) => group !== 'general' && group !== 'dimse');
  return (
    <Form layout="vertical" component="form" onFinish={() => save.mutate()} className="settings-form">
      <Panel title={t('settings.group.general')}>{general.map(row)}</Panel>
      {others.map(([group, inGroup]) => (
        <Panel
          key={group}
          title={words(`settings.group.${group}`, known.schema.properties?.[group]?.title ?? group)}
        >
          {inGroup.map(row)}
        </Panel>
      ))}
      <Collapse
        className="advanced"
        items={[
          {
            key: 'advanced',
            label: t('settings.group.advanced'),
            children: fields.filter(({ path }) => isAdvanced(path)).map(row),
          },
        ]}
      />
      {save.error && <ProblemNote error={save.error} inForm />}
      {changes.size > 0 && (
        <div className="save-bar">
          <span>{t('settings.unsaved', { count: changes.size })}</span>
          <Button onClick={() => setChanges(new Map())}>{t('settings.undo')}</Button>
          <Button type="primary" htmlType="submit" loading={save.isPending}>
            {t('common.save')}
          </Button>
        </div>
      )}
    </Form>
  );
}
