// Add or change a device: pick what it is, fill in three fields, try it before saving.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Checkbox, Collapse, Drawer, Form, Input, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem, post, put } from '../api/client.ts';
import { peers, presets, status } from '../api/queries.ts';
import type { EchoAnswer, Peer, PeerEntry, Permission, Preset } from '../api/types.ts';
import { useFaultWords, useWords } from '../words.ts';
import { type Called, EchoResult, useEcho } from './echo-result.tsx';
import { ProblemNote } from './problem-note.tsx';

const PERMISSIONS: readonly Permission[] = ['store', 'query', 'retrieve'];
/** Those that department machines really use without saying so (PS3.3 C.12.1.1.2). */
const CHARACTER_SETS = ['GB18030', 'GBK', 'ISO_IR 192', 'ISO_IR 100', 'ISO_IR 13', 'ISO_IR 144'];
const DEFAULT_PORT = 104;

interface Props {
  /** the device to change; none: a new one */
  readonly peer?: Peer;
  /** what is known already of a new one */
  readonly known?: { readonly aeTitle: string; readonly host: string };
  readonly onClose: () => void;
}

interface Fields {
  readonly preset?: string;
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  readonly may: Permission[];
  readonly characterSet?: string;
  readonly tls?: boolean;
  readonly secondArchive?: boolean;
  readonly note?: string;
}

/** What this form does not show stays as it is. */
function entryOf(
  { preset, characterSet, tls, secondArchive, note, ...rest }: Fields,
  before: Peer | undefined,
): PeerEntry {
  const {
    lastContact: _contact,
    preset: _preset,
    characterSet: _set,
    ...others
  } = before ?? ({} as Partial<Peer>);
  const { tls: _tls, role: _role, note: _note, ...kept } = others;
  return {
    ...kept,
    ...rest,
    aeTitle: rest.aeTitle.trim(),
    host: rest.host.trim(),
    ...(preset ? { preset } : {}),
    ...(characterSet ? { characterSet: characterSet.split('\\') } : {}),
    ...(tls ? { tls } : {}),
    ...(secondArchive ? { role: 'second-archive' as const } : {}),
    ...(note ? { note } : {}),
  };
}

function fieldsOf({ role, characterSet, ...peer }: Peer): Partial<Fields> {
  const { preset, note } = peer;
  return {
    aeTitle: peer.aeTitle,
    host: peer.host,
    port: peer.port,
    may: [...peer.may],
    tls: peer.tls === true,
    secondArchive: role === 'second-archive',
    ...(preset ? { preset } : {}),
    ...(note ? { note } : {}),
    ...(characterSet ? { characterSet: characterSet.join('\\') } : {}),
  };
}

export function PeerForm({ peer, known, onClose }: Props) {
  const { t } = useTranslation();
  const words = useWords();
  const faultWords = useFaultWords();
  const client = useQueryClient();
  const [form] = Form.useForm<Fields>();
  const [answer, setAnswer] = useState<{ called: Called; answer: EchoAnswer }>();
  const kinds = useQuery(presets).data ?? [];
  const own = useQuery(status).data;
  const preset = Form.useWatch('preset', form);
  const picked = kinds.find(({ id }) => id === preset);
  const echo = useEcho((got) => {
    const { aeTitle, host, port } = form.getFieldsValue();
    setAnswer({ called: { aeTitle, host, port }, answer: got });
  });
  const save = useMutation({
    mutationFn: (fields: Fields) => {
      const entry = entryOf(fields, peer);
      return peer === undefined
        ? post('/peers', entry)
        : put(`/peers/${encodeURIComponent(peer.aeTitle)}`, entry);
    },
    onSuccess: async () => {
      await Promise.all(
        [peers.queryKey, ['unknown-callers'], ['config']].map((queryKey) =>
          client.invalidateQueries({ queryKey }),
        ),
      );
      onClose();
    },
    onError: (error) => {
      if (!(error instanceof Problem)) return;
      form.setFields(
        error.errors
          .map((fault) => ({
            name: fault.path.replace(/^.*\./, '') as keyof Fields,
            errors: [faultWords(fault)],
          }))
          .filter(({ name }) => form.getFieldInstance(name) !== undefined),
      );
    },
  });
  const pick = ({ port, may }: Preset) => form.setFieldsValue({ ...(port ? { port } : {}), may: [...may] });
  const tryIt = async () =>
    form.validateFields(['aeTitle', 'host', 'port', 'tls']).then((called) => echo.mutate(called));
  const needed = [{ required: true, message: t('devices.needed') }];
  return (
    <Drawer
      open
      size={460}
      title={peer === undefined ? t('devices.add') : t('devices.change', { name: peer.aeTitle })}
      onClose={onClose}
      footer={
        <div className="drawer-foot">
          <Button onClick={() => void tryIt().catch(() => undefined)} loading={echo.isPending}>
            {t('devices.echo')}
          </Button>
          <span className="grow" />
          <Button onClick={onClose}>{t('common.cancel')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>
            {t('common.save')}
          </Button>
        </div>
      }
    >
      <Form<Fields>
        form={form}
        layout="vertical"
        initialValues={
          peer === undefined ? { port: DEFAULT_PORT, may: PERMISSIONS, ...known } : fieldsOf(peer)
        }
        onFinish={(fields) => save.mutate(fields)}
      >
        <Form.Item name="preset" label={t('devices.kind')}>
          <Select
            allowClear
            placeholder={t('devices.kindUnknown')}
            options={kinds.map(({ id, title }) => ({ value: id, label: words(`preset.${id}`, title) }))}
            onChange={(id) => {
              const kind = kinds.find((one) => one.id === id);
              if (kind) pick(kind);
            }}
          />
        </Form.Item>
        {picked && picked.hints.length > 0 && (
          <ul className="hints">
            {picked.hints.map((hint) => (
              <li key={hint}>{words(`hint.${hint}`, hint, { own: own?.aeTitle ?? '' })}</li>
            ))}
          </ul>
        )}
        <Form.Item
          name="aeTitle"
          label={t('devices.aeTitle')}
          extra={t('devices.aeTitleText')}
          rules={needed}
        >
          <Input className="mono" maxLength={16} autoComplete="off" spellCheck={false} />
        </Form.Item>
        <div className="form-row">
          <Form.Item name="host" label={t('devices.host')} rules={needed} className="grow">
            <Input className="mono" placeholder="192.168.1.20" autoComplete="off" spellCheck={false} />
          </Form.Item>
          <Form.Item name="port" label={t('devices.port')} rules={needed}>
            <InputNumber min={1} max={65535} controls={false} />
          </Form.Item>
        </div>
        {answer && <EchoResult {...answer} peer={answer.called} own={own} />}
        <Form.Item name="may" label={t('devices.may')}>
          <Checkbox.Group
            className="permissions"
            options={PERMISSIONS.map((value) => ({ value, label: t(`may.${value}`) }))}
          />
        </Form.Item>
        <Collapse
          ghost
          size="small"
          items={[
            {
              key: 'more',
              label: t('devices.moreFields'),
              forceRender: true,
              children: (
                <>
                  <Form.Item
                    name="characterSet"
                    label={t('devices.characterSet')}
                    extra={t('devices.characterSetText')}
                  >
                    <Select
                      allowClear
                      placeholder={t('devices.asLabelled')}
                      options={CHARACTER_SETS.map((value) => ({ value, label: t(`characterSet.${value}`) }))}
                    />
                  </Form.Item>
                  <Form.Item name="tls" valuePropName="checked" extra={t('devices.tlsText')}>
                    <Checkbox>{t('devices.tls')}</Checkbox>
                  </Form.Item>
                  <Form.Item
                    name="secondArchive"
                    valuePropName="checked"
                    extra={t('devices.secondArchiveText')}
                  >
                    <Checkbox>{t('devices.secondArchive')}</Checkbox>
                  </Form.Item>
                  <Form.Item name="note" label={t('devices.note')}>
                    <Input maxLength={200} placeholder={t('devices.noteExample')} />
                  </Form.Item>
                </>
              ),
            },
          ]}
        />
        {save.error && <ProblemNote error={save.error} inForm />}
      </Form>
    </Drawer>
  );
}
