// The query/retrieve information models (PS3.4 C.6, C.7) by SOP class.

import type { QueryLevel } from '../archive/archive.ts';
import {
  PATIENT_ROOT_FIND,
  PATIENT_ROOT_GET,
  PATIENT_ROOT_MOVE,
  PATIENT_STUDY_ONLY_FIND,
  PATIENT_STUDY_ONLY_GET,
  PATIENT_STUDY_ONLY_MOVE,
  STUDY_ROOT_FIND,
  STUDY_ROOT_GET,
  STUDY_ROOT_MOVE,
} from '../dicom/sop-class.ts';

const PATIENT_ROOT: readonly QueryLevel[] = ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'];
const STUDY_ROOT: readonly QueryLevel[] = ['STUDY', 'SERIES', 'IMAGE'];
const PATIENT_STUDY_ONLY: readonly QueryLevel[] = ['PATIENT', 'STUDY'];

export const FIND_MODELS: ReadonlyMap<string, readonly QueryLevel[]> = new Map([
  [PATIENT_ROOT_FIND, PATIENT_ROOT],
  [STUDY_ROOT_FIND, STUDY_ROOT],
  [PATIENT_STUDY_ONLY_FIND, PATIENT_STUDY_ONLY],
]);

export const MOVE_MODELS: ReadonlyMap<string, readonly QueryLevel[]> = new Map([
  [PATIENT_ROOT_MOVE, PATIENT_ROOT],
  [STUDY_ROOT_MOVE, STUDY_ROOT],
  [PATIENT_STUDY_ONLY_MOVE, PATIENT_STUDY_ONLY],
]);

export const GET_MODELS: ReadonlyMap<string, readonly QueryLevel[]> = new Map([
  [PATIENT_ROOT_GET, PATIENT_ROOT],
  [STUDY_ROOT_GET, STUDY_ROOT],
  [PATIENT_STUDY_ONLY_GET, PATIENT_STUDY_ONLY],
]);
