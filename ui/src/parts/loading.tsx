// Something is on its way.
import { Spin } from 'antd';
import { useTranslation } from 'react-i18next';

export function Loading() {
  const { t } = useTranslation();
  return (
    <div className="loading" role="status" aria-label={t('common.loading')}>
      <Spin />
    </div>
  );
}
