// What the pages read, by the name under which it is kept. Events of the daemon make it fresh; the intervals
// only help out where a proxy swallows events.
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { get, queryOf } from './client.ts';
import type {
  AuditEntry,
  Config,
  Destination,
  Finding,
  ForwardingRule,
  Instance,
  IntakeDay,
  Integrity,
  Job,
  LiveAssociation,
  LogLine,
  Page,
  Peer,
  PeerTest,
  Preset,
  Session,
  Status,
  StudyDetails,
  StudyProof,
  StudyRow,
  TrashItem,
  UnknownCaller,
} from './types.ts';

const SLOW_MS = 30_000;
const QUICK_MS = 5_000;

/** One route as one query. */
function one<T>(key: readonly [string, ...unknown[]], path: string, refetchInterval: number | false = false) {
  return queryOptions({
    queryKey: key,
    queryFn: ({ signal }) => get<T>(path, signal),
    refetchInterval,
  });
}

/** One list as a query whose data are its items. */
function list<T>(
  key: readonly [string, ...unknown[]],
  path: string,
  refetchInterval: number | false = false,
) {
  return queryOptions({
    queryKey: key,
    queryFn: async ({ signal }) => (await get<Page<T>>(path, signal)).items,
    refetchInterval,
  });
}

/** A list that is read page by page. */
function pages<T>(key: readonly [string, ...unknown[]], path: (cursor: string | undefined) => string) {
  return infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => get<Page<T>>(path(pageParam), signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page: Page<T>) => page.next,
  });
}

const part = encodeURIComponent;

export const session = one<Session>(['session'], '/session');
export const status = one<Status>(['status'], '/status', SLOW_MS);
export const intake = (days: number) => list<IntakeDay>(['intake', days], `/intake${queryOf({ days })}`);
export const config = one<Config>(['config'], '/config');
export const peers = list<Peer>(['peers'], '/peers', SLOW_MS);
export const presets = queryOptions({
  queryKey: ['presets'],
  queryFn: async ({ signal }) => {
    const answer = await get<readonly Preset[] | Page<Preset>>('/peer-presets', signal);
    return 'items' in answer ? answer.items : answer;
  },
  staleTime: Number.POSITIVE_INFINITY,
});
export const unknownCallers = list<UnknownCaller>(['unknown-callers'], '/unknown-callers', SLOW_MS);
export const forwardingRules = list<ForwardingRule>(['forwarding-rules'], '/forwarding/rules');
export const destinations = list<Destination>(['destinations'], '/forwarding', SLOW_MS);
export const peerTest = (id: string) =>
  queryOptions({
    queryKey: ['test', id],
    queryFn: ({ signal }) => get<PeerTest>(`/tests/${part(id)}`, signal),
    refetchInterval: ({ state }) => (state.data?.state === 'running' ? 1000 : false),
  });

export interface StudySearch {
  readonly q?: string;
  readonly dateFrom?: string;
  readonly dateTo?: string;
  readonly modality?: string;
}
export const studies = (search: StudySearch) =>
  pages<StudyRow>(['studies', search], (cursor) => `/studies${queryOf({ ...search, cursor, limit: 50 })}`);
export const study = (uid: string) => one<StudyDetails>(['study', uid], `/studies/${part(uid)}`);
export const instances = (uid: string, seriesUid: string) =>
  pages<Instance>(
    ['instances', uid, seriesUid],
    (cursor) => `/studies/${part(uid)}/series/${part(seriesUid)}/instances${queryOf({ cursor })}`,
  );
export const patientStudies = (patientId: string, issuer: string | undefined) =>
  list<StudyRow>(
    ['patient-studies', patientId, issuer],
    `/patients/studies${queryOf({ patientId, issuer })}`,
  );
export const proof = (uid: string) => one<StudyProof>(['proof', uid], `/studies/${part(uid)}/proof`);
export const trash = list<TrashItem>(['trash'], '/trash');

export const associations = list<LiveAssociation>(['associations'], '/associations', QUICK_MS);
export const jobs = (state: string | undefined) =>
  list<Job>(['jobs', state], `/jobs${queryOf({ state })}`, SLOW_MS);
export const integrity = one<Integrity>(['integrity'], '/integrity', SLOW_MS);
export const findings = (state: string | undefined) =>
  list<Finding>(['findings', state], `/integrity/findings${queryOf({ state })}`);
export const log = (level: string | undefined, q: string) =>
  list<LogLine>(['log', level, q], `/log${queryOf({ level, q, limit: 200 })}`);
export const audit = list<AuditEntry>(['audit'], '/audit');
