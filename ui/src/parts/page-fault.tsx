// A page that broke, or did not arrive, says so, and the rest of the app goes on.
import { Button } from 'antd';
import { Component, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Statement } from './statement.tsx';

export class PageFault extends Component<{ readonly children: ReactNode }, { readonly broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    return this.state.broken ? <Broken /> : this.props.children;
  }
}

function Broken() {
  const { t } = useTranslation();
  return (
    <Statement level="unknown" title={t('problem.broken')} detail={t('problem.broken-do')}>
      <Button onClick={() => window.location.reload()}>{t('problem.reload')}</Button>
    </Statement>
  );
}
