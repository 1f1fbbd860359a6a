// A table of what a query brings, and the same in a box with a title.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ComponentProps, ReactNode } from 'react';
import { Loaded } from './loaded.tsx';
import { Panel } from './panel.tsx';
import { Table } from './table.tsx';

type TableProps<T> = ComponentProps<typeof Table<T>>;

interface Props<T> extends Omit<TableProps<T>, 'rows'> {
  readonly query: Pick<UseQueryResult<readonly T[]>, 'data' | 'error' | 'refetch'>;
}

export function QueryTable<T>({ query, ...table }: Props<T>) {
  return <Loaded query={query}>{(rows) => <Table rows={rows} {...table} />}</Loaded>;
}

interface PanelProps<T> extends Omit<Props<T>, 'label'> {
  readonly title: string;
  readonly extra?: ReactNode;
}

export function TablePanel<T>({ title, extra, ...table }: PanelProps<T>) {
  return (
    <Panel title={title} extra={extra}>
      <QueryTable label={title} {...table} />
    </Panel>
  );
}
