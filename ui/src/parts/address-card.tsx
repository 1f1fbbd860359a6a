// What has to be typed into a DICOM machine, large enough to photograph and made to be printed.
import { useTranslation } from 'react-i18next';
import type { Status } from '../api/types.ts';

export function AddressCard({ status }: { status: Pick<Status, 'aeTitle' | 'addresses' | 'dimse'> }) {
  const { t } = useTranslation();
  const rows: [string, readonly string[]][] = [
    [t('address.aeTitle'), [status.aeTitle]],
    [t('address.ip'), status.addresses.length > 0 ? status.addresses : [t('address.noAddress')]],
    [t('address.port'), [String(status.dimse.port)]],
  ];
  return (
    <div className="address-card">
      <div className="address-title">
        <img src="./icon.svg" alt="" width={22} height={22} />
        {t('address.title')}
      </div>
      <dl>
        {rows.map(([name, values]) => (
          <div key={name}>
            <dt>{name}</dt>
            {values.map((value) => (
              <dd key={value}>{value}</dd>
            ))}
          </div>
        ))}
      </dl>
      <p>{t(status.addresses.length > 1 ? 'address.several' : 'address.hint')}</p>
    </div>
  );
}
