// An empty archive greets with three steps: this is my address, your first device, echo.
import { CheckOutlined, PrinterOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { EchoAnswer, Peer, Status } from '../api/types.ts';
import { AddressCard } from '../parts/address-card.tsx';
import { EchoResult, useEcho } from '../parts/echo-result.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { PeerForm } from '../parts/peer-form.tsx';

interface Props {
  readonly status: Status;
  readonly peers: readonly Peer[];
  readonly onDone: () => void;
}

export function Welcome({ status, peers, onDone }: Props) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const [answer, setAnswer] = useState<EchoAnswer>();
  const echo = useEcho(setAnswer);
  const [first] = peers;
  return (
    <>
      <PageHead title={t('welcome.title')} lead={t('welcome.lead')}>
        <Button type="link" onClick={onDone}>
          {t('welcome.skip')}
        </Button>
      </PageHead>
      <ol className="welcome">
        <Step number={1} title={t('welcome.address')} done={first !== undefined}>
          <p>{t('welcome.addressText')}</p>
          <AddressCard status={status} />
          <Button icon={<PrinterOutlined aria-hidden />} onClick={() => window.print()}>
            {t('address.print')}
          </Button>
        </Step>
        <Step number={2} title={t('welcome.device')} done={first !== undefined}>
          <p>{t('welcome.deviceText')}</p>
          {first === undefined ? (
            <Button type="primary" onClick={() => setAdding(true)}>
              {t('devices.add')}
            </Button>
          ) : (
            <p className="welcome-device">
              <b className="mono">{first.aeTitle}</b> {first.host}:{first.port}
            </p>
          )}
        </Step>
        <Step number={3} title={t('welcome.echo')} done={answer?.ok === true}>
          <p>{t('welcome.echoText')}</p>
          <Button
            {...(first !== undefined && answer?.ok !== true ? { type: 'primary' as const } : {})}
            disabled={first === undefined}
            loading={echo.isPending}
            onClick={() => first && echo.mutate(first)}
          >
            {t('devices.echo')}
          </Button>
          {answer && first && <EchoResult answer={answer} peer={first} own={status} />}
        </Step>
      </ol>
      {answer?.ok && (
        <p className="welcome-end">
          <span>{t('welcome.ready')}</span>
          <Button type="primary" onClick={onDone}>
            {t('welcome.done')}
          </Button>
        </p>
      )}
      {adding && <PeerForm onClose={() => setAdding(false)} />}
    </>
  );
}

interface StepProps {
  readonly number: number;
  readonly title: string;
  readonly done: boolean;
  readonly children: ReactNode;
}

function Step({ number, title, done, children }: StepProps) {
  return (
    <li className={done ? 'welcome-step done' : 'welcome-step'}>
      <span className="welcome-number" aria-hidden="true">
        {done ? <CheckOutlined aria-hidden /> : number}
      </span>
      <div>
        <h2>{title}</h2>
        {children}
      </div>
    </li>
  );
}
