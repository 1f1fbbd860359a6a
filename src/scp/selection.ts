// Which instances a C-MOVE or C-GET names: the unique keys of its Identifier (PS3.4 C.4.2.1.4, C.4.3.1.3).

import type { QueryLevel, SelectKeys } from '../archive/archive.ts';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { DimseError } from '../dimse/errors.ts';
import { Status } from '../dimse/status.ts';
import { type Identifier, stringsOf } from './identifier.ts';

const UNIQUE_KEYS: Record<QueryLevel, { key: string; name: string }> = {
  PATIENT: { key: '00100020', name: 'Patient ID (0010,0020)' },
  STUDY: { key: '0020000D', name: 'Study Instance UID (0020,000D)' },
  SERIES: { key: '0020000E', name: 'Series Instance UID (0020,000E)' },
  IMAGE: { key: '00080018', name: 'SOP Instance UID (0008,0018)' },
};

/** Throws DimseError 0xA900 when the unique key of the level is missing: an empty one would mean everything. */
export function selectionOf({ level, keys }: Identifier): SelectKeys {
  const { key, name } = UNIQUE_KEYS[level];
  if (valuesOf(keys, key).length === 0) {
    throw new DimseError(
      Status.identifierDoesNotMatchSopClass,
      `${name} is needed to retrieve at ${level} level.`,
      {
        code: 'unique-key-missing',
        offendingElement: [Number.parseInt(key, 16)],
      },
    );
  }
  // Deviation (PS3.4 C.4.2.2.1): accepts requests without the unique keys above the level, as relational
  // retrieval does, because UIDs are unique by themselves and old workstations leave them out.
  const [patientId] = valuesOf(keys, UNIQUE_KEYS.PATIENT.key);
  const studyUids = valuesOf(keys, UNIQUE_KEYS.STUDY.key);
  const seriesUids = valuesOf(keys, UNIQUE_KEYS.SERIES.key);
  const sopInstanceUids = valuesOf(keys, UNIQUE_KEYS.IMAGE.key);
  return {
    ...(patientId === undefined ? {} : { patientId }),
    ...(studyUids.length === 0 ? {} : { studyUids }),
    ...(seriesUids.length === 0 ? {} : { seriesUids }),
    ...(sopInstanceUids.length === 0 ? {} : { sopInstanceUids }),
  };
}

function valuesOf(keys: DicomJson, key: string): string[] {
  return stringsOf(keys[key])
    .map((value) => value.trim())
    .filter((value) => value !== '');
}
