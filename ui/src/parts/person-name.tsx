// A patient's name: characters first where there are any, letters beside them.
import { useTranslation } from 'react-i18next';
import type { Patient } from '../api/types.ts';
import { readableName, useFormat } from '../format.ts';

export function PatientName({ patient }: { patient: Patient }) {
  const { t } = useTranslation();
  const { main, other } = readableName(patient.name);
  return (
    <span className="patient">
      <b>{main === '' ? t('study.noName') : main}</b>
      {other && <span className="soft"> {other}</span>}
    </span>
  );
}

/** ID, date of birth, sex. */
export function PatientFacts({ patient }: { patient: Patient }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sex =
    patient.sex === 'F' || patient.sex === 'M' || patient.sex === 'O' ? t(`sex.${patient.sex}`) : '';
  const born = patient.birthDate ? t('study.born', { day: format.day(patient.birthDate) }) : '';
  return <>{[patient.id, sex, born].filter((fact) => fact !== '').join(' · ')}</>;
}
