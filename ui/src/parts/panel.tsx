// A quiet box with a title.
import { type ReactNode, useId } from 'react';

interface Props {
  readonly title: ReactNode;
  readonly extra?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

export function Panel({ title, extra, className, children }: Props) {
  const id = useId();
  return (
    <section className={`panel ${className ?? ''}`} aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>{title}</h2>
        {extra}
      </div>
      {children}
    </section>
  );
}
