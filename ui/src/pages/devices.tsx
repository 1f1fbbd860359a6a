// The machines this archive works with: how the last contact went, echo, full test, and who knocked unasked.
import { MoreOutlined, PlusOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Dropdown } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { post, queryOf, remove } from '../api/client.ts';
import { peers, status, unknownCallers } from '../api/queries.ts';
import type { EchoAnswer, Peer, UnknownCaller } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { EchoResult, useEcho } from '../parts/echo-result.tsx';
import { Forwarding } from '../parts/forwarding.tsx';
import { LastContact } from '../parts/last-contact.tsx';
import { Loaded } from '../parts/loaded.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { Panel } from '../parts/panel.tsx';
import { PeerForm } from '../parts/peer-form.tsx';
import { TestSteps } from '../parts/test-steps.tsx';
import { useProblemWords, useWords } from '../words.ts';

type Open = { readonly peer?: Peer; readonly known?: { aeTitle: string; host: string } };

export default function DevicesPage() {
  const { t } = useTranslation();
  const devices = useQuery(peers);
  const [open, setOpen] = useState<Open>();
  return (
    <>
      <PageHead title={t('nav.devices')} lead={t('devices.lead')}>
        <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => setOpen({})}>
          {t('devices.add')}
        </Button>
      </PageHead>
      <Callers onAdd={({ aeTitle, address }) => setOpen({ known: { aeTitle, host: address } })} />
      <Loaded query={devices}>
        {(list) =>
          list.length === 0 ? (
            <p className="empty">{t('devices.none')}</p>
          ) : (
            <>
              <ul className="peers">
                {list.map((peer) => (
                  <Device key={peer.aeTitle} peer={peer} onChange={() => setOpen({ peer })} />
                ))}
              </ul>
              <Forwarding peers={list} />
            </>
          )
        }
      </Loaded>
      {open && <PeerForm {...open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

function Device({ peer, onChange }: { peer: Peer; onChange: () => void }) {
  const { t } = useTranslation();
  const words = useWords();
  const problemWords = useProblemWords();
  const client = useQueryClient();
  const { modal, message } = App.useApp();
  const own = useQuery(status).data;
  const [answer, setAnswer] = useState<EchoAnswer>();
  const echo = useEcho(setAnswer);
  const test = useMutation({
    mutationFn: () => post<{ id: string }>(`/peers/${encodeURIComponent(peer.aeTitle)}/tests`),
    onError: (error) => message.error(problemWords(error)),
  });
  const drop = useMutation({
    mutationFn: () => remove(`/peers/${encodeURIComponent(peer.aeTitle)}`),
    onSettled: () => client.invalidateQueries({ queryKey: ['peers'] }),
    onError: (error) => message.error(problemWords(error)),
  });
  const askToDrop = () =>
    modal.confirm({
      title: t('devices.dropTitle', { name: peer.aeTitle }),
      content: t('devices.dropText'),
      okText: t('devices.drop'),
      okButtonProps: { danger: true },
      onOk: () => drop.mutateAsync(),
    });
  return (
    <li className="peer" aria-label={peer.aeTitle}>
      <div className="peer-head">
        <ContactMark peer={peer} />
        <div className="peer-name">
          <b className="mono">{peer.aeTitle}</b>
          <span className="mono soft">
            {peer.host}:{peer.port}
          </span>
          {peer.preset && peer.preset !== 'generic' && (
            <span className="soft">{words(`preset.${peer.preset}`, peer.preset)}</span>
          )}
          {peer.role === 'second-archive' && <span className="badge">{t('devices.secondArchive')}</span>}
          {peer.note && <span className="soft">{peer.note}</span>}
          <LastContact peer={peer} />
        </div>
        <div className="peer-do">
          <Button
            loading={echo.isPending}
            onClick={() => {
              setAnswer(undefined);
              echo.mutate(peer);
            }}
          >
            {t('devices.echo')}
          </Button>
          <Button loading={test.isPending} onClick={() => test.mutate()}>
            {t('devices.test')}
          </Button>
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                { key: 'change', label: t('common.change'), onClick: onChange },
                { key: 'drop', label: t('devices.drop'), danger: true, onClick: askToDrop },
              ],
            }}
          >
            <Button icon={<MoreOutlined aria-hidden />} aria-label={t('common.more')} />
          </Dropdown>
        </div>
      </div>
      {answer && <EchoResult answer={answer} peer={peer} own={own} />}
      {test.data && <TestSteps id={test.data.id} peer={peer} own={own} onClose={() => test.reset()} />}
    </li>
  );
}

/** Green, red, or grey; its words stand beside it. */
function ContactMark({ peer: { lastContact } }: { peer: Peer }) {
  const state = lastContact === undefined ? 'none' : lastContact.ok ? 'good' : 'bad';
  return <span className={`mark ${state}`} aria-hidden="true" />;
}

/** Who called and is no device yet. */
function Callers({ onAdd }: { onAdd: (caller: UnknownCaller) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const client = useQueryClient();
  const list = useQuery(unknownCallers).data ?? [];
  const forget = useMutation({
    mutationFn: ({ aeTitle, address }: UnknownCaller) =>
      remove(`/unknown-callers/${encodeURIComponent(aeTitle)}${queryOf({ address })}`),
    onSettled: () => client.invalidateQueries({ queryKey: ['unknown-callers'] }),
  });
  const words = useWords();
  if (list.length === 0) return null;
  return (
    <Panel className="callers" title={t('callers.title')}>
      <p className="soft">{t('callers.text')}</p>
      <ul className="plain-list">
        {list.map((caller) => (
          <li key={`${caller.aeTitle} ${caller.address}`} className="caller">
            <div>
              <b className="mono">{caller.aeTitle}</b> <span className="mono soft">{caller.address}</span>
              <div className="soft">
                {t('callers.tried', {
                  what: caller.tried.map((what) => words(`tried.${what}`, what)).join(', '),
                  when: format.relative(caller.lastSeenAt),
                })}
              </div>
            </div>
            <div className="peer-do">
              <Button type="primary" onClick={() => onAdd(caller)}>
                {t('callers.add')}
              </Button>
              <Button onClick={() => forget.mutate(caller)}>{t('callers.forget')}</Button>
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
