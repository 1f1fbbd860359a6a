// What a query brings, or why not.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Loading } from './loading.tsx';
import { ProblemNote } from './problem-note.tsx';

interface Props<T> {
  readonly query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>;
  readonly children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, children }: Props<T>) {
  const { data, error, refetch } = query;
  if (data !== undefined) return children(data);
  return error === null ? <Loading /> : <ProblemNote error={error} onAgain={() => void refetch()} />;
}
