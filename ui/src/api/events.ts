// The daemon tells what has changed (server-sent events); what the app holds of it is then read again.
import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { address } from './client.ts';

/** Which queries an event makes old. */
const STALE: Readonly<Record<string, readonly string[]>> = {
  status: ['status', 'integrity', 'forwarding-rules', 'destinations'],
  notices: ['status'],
  associations: ['associations'],
  instances: ['status', 'intake', 'studies', 'study', 'instances', 'patient-studies'],
  jobs: ['jobs', 'trash', 'destinations'],
  peers: ['peers', 'unknown-callers', 'status'],
  tests: ['test'],
  findings: ['findings', 'integrity', 'status'],
  log: ['log', 'audit'],
};
/** Runs arrive with many instances a second: what is shown follows once in this time. */
const GATHER_MS = 1000;

/** Listens as long as somebody is let in. */
export function useEvents(listening: boolean): void {
  const client = useQueryClient();
  useEffect(() => (listening ? listen(client) : undefined), [client, listening]);
}

function listen(client: QueryClient): () => void {
  const source = new EventSource(address('/events'));
  const stale = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const refresh = () => {
    timer = undefined;
    for (const key of stale) void client.invalidateQueries({ queryKey: [key] });
    stale.clear();
  };
  for (const [event, keys] of Object.entries(STALE)) {
    source.addEventListener(event, () => {
      for (const key of keys) stale.add(key);
      timer ??= setTimeout(refresh, event === 'tests' ? 0 : GATHER_MS);
    });
  }
  return () => {
    source.close();
    clearTimeout(timer);
  };
}
