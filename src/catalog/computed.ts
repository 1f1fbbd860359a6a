// Attributes that the catalogue counts and returns as keys (PS3.4 Table C.3-1), beside those it keeps.

import type { DicomJson, JsonElement } from '../dicom/dicom-json.ts';
import { TAG } from './attributes.ts';

export function computedOfPatient(row: {
  patient_id: string;
  studies: number;
  series: number;
  instances: number;
}): DicomJson {
  return {
    [TAG.PatientID]: row.patient_id === '' ? { vr: 'LO' } : { vr: 'LO', Value: [row.patient_id] },
    [TAG.NumberOfPatientRelatedStudies]: count(row.studies),
    [TAG.NumberOfPatientRelatedSeries]: count(row.series),
    [TAG.NumberOfPatientRelatedInstances]: count(row.instances),
  };
}

export function computedOfStudy(row: {
  uid: string;
  series: number;
  instances: number;
  modalities: string;
  sop_classes: string;
}): DicomJson {
  return {
    [TAG.StudyInstanceUID]: { vr: 'UI', Value: [row.uid] },
    [TAG.ModalitiesInStudy]: list('CS', row.modalities),
    [TAG.SOPClassesInStudy]: list('UI', row.sop_classes),
    [TAG.NumberOfStudyRelatedSeries]: count(row.series),
    [TAG.NumberOfStudyRelatedInstances]: count(row.instances),
  };
}

export function computedOfSeries(row: { uid: string; instances: number }): DicomJson {
  return {
    [TAG.SeriesInstanceUID]: { vr: 'UI', Value: [row.uid] },
    [TAG.NumberOfSeriesRelatedInstances]: count(row.instances),
  };
}

export function computedOfInstance(row: { uid: string; sop_class_uid: string }): DicomJson {
  return {
    [TAG.SOPInstanceUID]: { vr: 'UI', Value: [row.uid] },
    [TAG.SOPClassUID]: { vr: 'UI', Value: [row.sop_class_uid] },
  };
}

/** Kept and computed attributes of one entity together. */
export function mergedAttributes(text: string, computed: DicomJson): DicomJson {
  return { ...(JSON.parse(text) as DicomJson), ...computed };
}

/** The same as one JSON text. Where both have an attribute, the last one counts when it is parsed. */
export function mergedText(text: string, computed: DicomJson): string {
  return text === '{}'
    ? JSON.stringify(computed)
    : `${text.slice(0, -1)},${JSON.stringify(computed).slice(1)}`;
}

/** A set as one text, and back: no DICOM value of these VRs holds a backslash. */
export function joinSet(values: Iterable<string>): string {
  return [...values]
    .filter((value) => value !== '')
    .sort()
    .join('\\');
}

function list(vr: string, joined: string): JsonElement {
  return joined === '' ? { vr } : { vr, Value: joined.split('\\') };
}

function count(value: number): JsonElement {
  return { vr: 'IS', Value: [value] };
}
