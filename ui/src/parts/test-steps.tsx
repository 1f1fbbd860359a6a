// The full test of a device as it goes: step by step, the first that fails explained.
import {
  CheckCircleFilled,
  CloseCircleFilled,
  LoadingOutlined,
  MinusCircleOutlined,
  RightCircleOutlined,
} from '@ant-design/icons';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Button, Modal } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { remove } from '../api/client.ts';
import { peerTest } from '../api/queries.ts';
import type { PeerEntry, PeerTest, Status, StepState, TestStep } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { useWords } from '../words.ts';
import { callParams } from './echo-result.tsx';
import { Loaded } from './loaded.tsx';

const MARKS: Readonly<Record<StepState, ReactNode>> = {
  waiting: <RightCircleOutlined aria-hidden />,
  running: <LoadingOutlined aria-hidden />,
  passed: <CheckCircleFilled aria-hidden />,
  failed: <CloseCircleFilled aria-hidden />,
  skipped: <MinusCircleOutlined aria-hidden />,
};

interface Props {
  readonly id: string;
  readonly peer: PeerEntry;
  readonly own: Pick<Status, 'aeTitle' | 'addresses'> | undefined;
  readonly onClose: () => void;
}

export function TestSteps({ id, peer, own, onClose }: Props) {
  const { t } = useTranslation();
  const test = useQuery(peerTest(id));
  const cancel = useMutation({ mutationFn: () => remove(`/tests/${encodeURIComponent(id)}`) });
  const running = test.data?.state === 'running';
  return (
    <Modal
      open
      centered
      title={t('test.title', { name: peer.aeTitle })}
      onCancel={() => {
        if (running) cancel.mutate();
        onClose();
      }}
      mask={{ closable: false }}
      footer={
        running ? (
          <Button loading={cancel.isPending} onClick={() => cancel.mutate()}>
            {t('test.stop')}
          </Button>
        ) : (
          <Button type="primary" onClick={onClose}>
            {t('common.close')}
          </Button>
        )
      }
    >
      <Loaded query={test}>{(now) => <Steps test={now} peer={peer} own={own} />}</Loaded>
    </Modal>
  );
}

function Steps({ test, peer, own }: { test: PeerTest; peer: PeerEntry; own: Props['own'] }) {
  const { t } = useTranslation();
  return (
    <>
      <p className="soft">{t('test.text')}</p>
      <ol className="steps">
        {test.steps.map((step) => (
          <Step key={step.name} step={step} peer={peer} own={own} />
        ))}
      </ol>
      <p role="status" className={`test-end ${test.state}`}>
        {t(`test.state.${test.state}`, { name: peer.aeTitle })}
      </p>
    </>
  );
}

function Step({ step, peer, own }: { step: TestStep; peer: PeerEntry; own: Props['own'] }) {
  const { t } = useTranslation();
  const words = useWords();
  const format = useFormat();
  const params = { ...callParams(peer, own), ...step.params };
  // What can be wrong with a connection has its words under `echo`, what comes behind it here.
  const wrong = [
    words(`echo.${step.code}.what`, step.detail ?? '', params),
    words(`echo.${step.code}.do`, '', params),
  ];
  const why = words(`test.code.${step.code}`, wrong.join(' '), params);
  return (
    <li className={`step ${step.state}`}>
      <span className="step-mark" aria-hidden="true">
        {MARKS[step.state]}
      </span>
      <div>
        <b>{words(`test.step.${step.name}.title`, step.name)}</b>
        <span className="step-state">
          {t(`test.stepState.${step.state}`)}
          {step.ms !== undefined && step.state === 'passed' && <> · {format.span(step.ms)}</>}
        </span>
        <p className="soft">{words(`test.step.${step.name}.text`, '', params)}</p>
        {step.code !== undefined && <p className={step.state === 'failed' ? 'bad-words' : 'soft'}>{why}</p>}
      </div>
    </li>
  );
}
