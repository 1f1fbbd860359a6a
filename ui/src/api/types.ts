// What the daemon's HTTP API answers, as the app uses it. Field by field the contract of src/http/api.

export type Params = Readonly<Record<string, string | number>>;
export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface Session {
  readonly mode: 'open' | 'password' | 'relay';
  readonly authenticated: boolean;
  readonly user?: string;
  readonly language?: string;
  readonly accountNeeded: boolean;
}

export type SafetyLevel = 'safe' | 'attention' | 'danger' | 'unknown';
export interface Coded {
  readonly code: string;
  readonly params?: Params;
}
export interface Notice extends Coded {
  readonly id: string;
  readonly level: 'info' | 'warning' | 'error';
  readonly at: string;
}
export interface IntegrityRun {
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly files: number;
  readonly bytes: number;
  readonly findings: number;
  readonly outcome?: string;
}
export interface Status {
  readonly version: string;
  readonly aeTitle: string;
  readonly startedAt: string;
  readonly dimse: { readonly host: string; readonly port: number };
  readonly addresses: readonly string[];
  readonly firstStart: boolean;
  readonly counts: {
    readonly patients: number;
    readonly studies: number;
    readonly series: number;
    readonly instances: number;
    readonly bytes: number;
  };
  readonly pendingInstances: number;
  readonly today: { readonly instances: number; readonly bytes: number };
  readonly safety: { readonly level: SafetyLevel; readonly reasons: readonly Coded[] };
  readonly space: {
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly reserveBytes: number;
    readonly fullOn?: string;
    readonly level: 'ok' | 'warning' | 'full';
  };
  readonly integrity: {
    readonly lastRun?: IntegrityRun;
    readonly nextRunAt?: string;
    readonly openFindings: number;
  };
  readonly commitment?: {
    readonly uncommitted: number;
    readonly destinations: readonly { readonly aeTitle: string; readonly count: number }[];
  };
  readonly secondArchive?: { readonly aeTitle: string; readonly lagging: number };
  readonly notices: readonly Notice[];
}
export interface IntakeDay {
  readonly day: string;
  readonly instances: number;
  readonly bytes: number;
}

/** One property of the settings' JSON Schema. */
export interface SettingSchema {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly anyOf?: readonly SettingSchema[];
  readonly items?: SettingSchema;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly writeOnly?: boolean;
}
export type Values = { readonly [key: string]: unknown };
export interface Config {
  readonly values: Values;
  readonly schema: SettingSchema;
  readonly restart: readonly string[];
}
export interface ConfigChanged {
  readonly values: Values;
  readonly applied: 'now' | 'listeners-restarted' | 'restart-needed';
}

export type Permission = 'store' | 'query' | 'retrieve';
export interface PeerEntry {
  readonly aeTitle: string;
  readonly host: string;
  readonly port: number;
  readonly may: readonly Permission[];
  readonly characterSet?: readonly string[];
  /** called over a secure connection */
  readonly tls?: boolean;
  readonly preset?: string;
  readonly role?: 'second-archive';
  readonly note?: string;
}
export interface Contact {
  readonly at: string;
  readonly direction: 'in' | 'out';
  readonly ok: boolean;
  readonly code?: string;
  readonly detail?: string;
}
export interface Peer extends PeerEntry {
  readonly lastContact?: Contact;
}
export interface Preset {
  readonly id: string;
  readonly title: string;
  readonly port?: number;
  readonly may: readonly Permission[];
  readonly hints: readonly string[];
}
export type EchoAnswer =
  | { readonly ok: true; readonly ms: number }
  | { readonly ok: false; readonly code: string; readonly params?: Params; readonly detail: string };
export type StepState = 'waiting' | 'running' | 'passed' | 'failed' | 'skipped';
export interface TestStep {
  readonly name: string;
  readonly state: StepState;
  readonly ms?: number;
  readonly code?: string;
  readonly params?: Params;
  readonly detail?: string;
}
export interface PeerTest {
  readonly id: string;
  readonly aeTitle: string;
  readonly state: 'running' | 'passed' | 'failed' | 'cancelled';
  readonly steps: readonly TestStep[];
}
export interface UnknownCaller {
  readonly aeTitle: string;
  readonly address: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly count: number;
  readonly tried: readonly string[];
}

export interface ForwardingRuleEntry {
  readonly destination: string;
  readonly source?: readonly string[];
  readonly sopClass?: readonly string[];
  readonly modality?: readonly string[];
  /** pattern with * and ? */
  readonly description?: string;
  readonly unit: 'study' | 'instance';
  readonly quietSeconds: number;
}
export interface ForwardingRule extends ForwardingRuleEntry {
  readonly id: string;
}
/** How far a machine is to which something goes by itself. */
export interface Destination {
  readonly destination: string;
  readonly due: number;
  readonly sent: number;
  readonly refused: number;
}

export interface PersonName {
  readonly alphabetic?: string;
  readonly ideographic?: string;
  readonly phonetic?: string;
}
export interface Patient {
  readonly id: string;
  readonly issuer?: string;
  readonly name: PersonName;
  readonly birthDate?: string;
  readonly sex?: string;
}
export interface Study {
  readonly studyUid: string;
  readonly patient: Patient;
  readonly date?: string;
  readonly time?: string;
  readonly accession?: string;
  readonly description?: string;
  readonly modalities: readonly string[];
  readonly instances: number;
  readonly bytes: number;
  readonly receivedAt?: string;
}
export interface StudyRow extends Study {
  /** how many */
  readonly series: number;
}
export interface Series {
  readonly seriesUid: string;
  readonly number?: number;
  readonly modality?: string;
  readonly description?: string;
  readonly date?: string;
  readonly instances: number;
  readonly bytes: number;
  readonly bodyPart?: string;
  readonly thumbnailInstance?: string;
}
export interface StudyDetails extends Study {
  readonly series: readonly Series[];
  readonly protected: boolean;
}
export interface Named {
  readonly uid: string;
  readonly name: string;
}
export interface Instance {
  readonly sopInstanceUid: string;
  readonly sopClass: Named;
  readonly number?: number;
  readonly frames?: number;
  readonly rows?: number;
  readonly columns?: number;
  readonly bytes: number;
  readonly receivedAt: string;
  readonly transferSyntax: Named;
  readonly source?: string;
}
export interface ProofInstance {
  readonly sopInstanceUid: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly receivedAt: string;
  readonly source?: string;
  readonly verifiedAt?: string;
  readonly verified?: 'ok' | 'damaged';
}
export interface StudyProof extends Omit<Study, 'instances'> {
  readonly instances: readonly ProofInstance[];
}
export interface TrashItem {
  readonly trashId: string;
  readonly level: 'patient' | 'study' | 'series' | 'instance';
  readonly patient: Patient;
  readonly studyUid: string;
  readonly description?: string;
  readonly instances: number;
  readonly bytes: number;
  readonly deletedAt: string;
  readonly by?: string;
  readonly reason?: string;
  readonly expiresAt?: string;
}

export interface LiveAssociation {
  readonly id: string;
  readonly calling: string;
  readonly called: string;
  readonly address: string;
  readonly since: string;
  readonly direction: 'in' | 'out';
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly ratePerSecond: number;
  readonly instances: number;
  readonly doing: string;
}
export type JobState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: JobState;
  readonly subject: Readonly<Record<string, unknown>>;
  readonly progress: { readonly done: number; readonly total: number };
  readonly attempts: number;
  readonly error?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly cancellable: boolean;
}
export interface Integrity {
  readonly running?: {
    readonly startedAt: string;
    readonly done: number;
    readonly total: number;
    readonly bytes: number;
  };
  readonly runs: readonly IntegrityRun[];
}
export interface Finding {
  readonly id: string;
  readonly kind: string;
  readonly path: string;
  /** in English */
  readonly reason?: string;
  readonly foundAt: string;
  readonly state: string;
  readonly actions: readonly string[];
}
export interface LogLine {
  readonly id: string | number;
  readonly at: string;
  readonly level: string;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}
export interface AuditEntry {
  readonly id: string | number;
  readonly at: string;
  readonly user?: string;
  readonly action: string;
  readonly target?: string;
  readonly before?: unknown;
  readonly after?: unknown;
}
