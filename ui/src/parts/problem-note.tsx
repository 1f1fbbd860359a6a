// Something did not work: what the daemon says about it, and one more try.
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { useProblemWords } from '../words.ts';

interface Props {
  readonly error: unknown;
  readonly onAgain?: () => void;
  /** Each fault stands beside its field. */
  readonly inForm?: boolean;
}

export function ProblemNote({ error, onAgain, inForm = false }: Props) {
  const { t } = useTranslation();
  const problemWords = useProblemWords();
  return (
    <Alert
      type="error"
      showIcon
      title={t('problem.title')}
      description={problemWords(error, { faults: !inForm })}
      action={onAgain && <Button onClick={onAgain}>{t('common.again')}</Button>}
    />
  );
}
