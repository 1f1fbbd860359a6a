// What came of an echo: all is well, or what is wrong and what to do about it, in plain words.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert } from 'antd';
import { useTranslation } from 'react-i18next';
import { post } from '../api/client.ts';
import type { EchoAnswer, Params, PeerEntry, Status } from '../api/types.ts';
import { useFormat } from '../format.ts';
import { useProblemWords, useWords } from '../words.ts';

export type Called = Pick<PeerEntry, 'aeTitle' | 'host' | 'port' | 'tls'>;

/** Asks the daemon to echo; the answer, a refusal by the daemon included, goes to `onAnswer`. */
export function useEcho(onAnswer: (answer: EchoAnswer) => void) {
  const client = useQueryClient();
  const problemWords = useProblemWords();
  return useMutation({
    mutationFn: ({ aeTitle, host, port, tls }: Called) =>
      post<EchoAnswer>('/echo', { aeTitle, host, port, ...(tls ? { tls } : {}) }),
    onSuccess: onAnswer,
    onError: (error) => onAnswer({ ok: false, code: '', detail: problemWords(error) }),
    onSettled: () => client.invalidateQueries({ queryKey: ['peers'] }),
  });
}

type Own = Pick<Status, 'aeTitle' | 'addresses'> | undefined;

/** What the words of a diagnosis may name. */
export const callParams = ({ aeTitle, host, port }: Called, own: Own): Params => ({
  aeTitle,
  host,
  port,
  own: own?.aeTitle ?? '',
  ownAddress: own?.addresses[0] ?? '',
});

interface Props {
  readonly answer: EchoAnswer;
  readonly peer: Called;
  readonly own: Own;
}

export function EchoResult({ answer, peer, own }: Props) {
  const { t } = useTranslation();
  const words = useWords();
  const format = useFormat();
  if (answer.ok) {
    return (
      <Alert
        className="echo-result"
        type="success"
        showIcon
        role="status"
        title={t('echo.ok', { name: peer.aeTitle })}
        description={t('echo.okText', { time: format.span(answer.ms) })}
      />
    );
  }
  const params = { ...callParams(peer, own), ...answer.params };
  return (
    <Alert
      className="echo-result"
      type="error"
      showIcon
      title={words(`echo.${answer.code}.what`, t('echo.failed', { name: peer.aeTitle }), params)}
      description={words(`echo.${answer.code}.do`, answer.detail, params)}
    />
  );
}
