// How instances are named and where their bytes are: what every question to the catalogue speaks of.

/** Where the bytes of an instance are, and what proves them. */
export interface StoredLocation {
  readonly path: string;
  readonly transferSyntaxUid: string;
  /** Of the data set, hex. */
  readonly sha256: string;
  readonly dataSetBytes: number;
  readonly dataSetOffset: number;
  readonly fileBytes: number;
  /** ISO 8601, UTC, milliseconds; compared as text. */
  readonly receivedAt: string;
  readonly sourceAeTitle: string;
}

/** Query/Retrieve level (PS3.4 §C.6). */
export type QueryLevel = 'PATIENT' | 'STUDY' | 'SERIES' | 'IMAGE';

export interface InstanceLocation {
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly patientId: string;
  readonly location: StoredLocation;
}

/** Every given key must hold; a list holds when one of its values does. At least one key. */
export interface SelectKeys {
  readonly patientId?: string;
  readonly issuer?: string;
  readonly studyUids?: readonly string[];
  readonly seriesUids?: readonly string[];
  readonly sopInstanceUids?: readonly string[];
}
