// The title of a page, and what can be done on it.
import type { ReactNode } from 'react';

interface Props {
  readonly title: ReactNode;
  readonly lead?: ReactNode;
  readonly children?: ReactNode;
}

export function PageHead({ title, lead, children }: Props) {
  return (
    <header className="page-head">
      <div>
        <h1>{title}</h1>
        {lead && <p>{lead}</p>}
      </div>
      {children && <div className="page-do">{children}</div>}
    </header>
  );
}
