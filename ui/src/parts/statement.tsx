// One clear sentence about how things are, and why.
import {
  CheckCircleFilled,
  CloseCircleFilled,
  ExclamationCircleFilled,
  QuestionCircleFilled,
} from '@ant-design/icons';
import type { ReactNode } from 'react';
import type { SafetyLevel } from '../api/types.ts';

const ICONS: Readonly<Record<SafetyLevel, ReactNode>> = {
  safe: <CheckCircleFilled aria-hidden />,
  attention: <ExclamationCircleFilled aria-hidden />,
  danger: <CloseCircleFilled aria-hidden />,
  unknown: <QuestionCircleFilled aria-hidden />,
};

interface Props {
  readonly level: SafetyLevel;
  readonly title: string;
  readonly detail?: ReactNode;
  readonly children?: ReactNode;
}

export function Statement({ level, title, detail, children }: Props) {
  return (
    <section className={`statement ${level}`}>
      <span className="statement-icon" aria-hidden="true">
        {ICONS[level]}
      </span>
      <div className="statement-words">
        <h2>{title}</h2>
        {detail}
      </div>
      {children && <div className="statement-do">{children}</div>}
    </section>
  );
}
