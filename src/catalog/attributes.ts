// Which attributes the catalogue keeps, by level of the Query/Retrieve information model (PS3.4 §C.6.1, §C.6.2),
// and then some that people look for. Names are the keywords of PS3.6.

import type { DicomJson, JsonElement } from '../dicom/dicom-json.ts';
import { tagKey } from '../dicom/tag.ts';
import type { InstanceRecord, QueryLevel } from './catalog.ts';

// PS3.4 Table C.6-1 and what the Patient module adds.
const PATIENT = {
  ReferencedPatientSequence: 0x00081120,
  PatientName: 0x00100010,
  PatientID: 0x00100020,
  IssuerOfPatientID: 0x00100021,
  TypeOfPatientID: 0x00100022,
  IssuerOfPatientIDQualifiersSequence: 0x00100024,
  PatientBirthDate: 0x00100030,
  PatientBirthTime: 0x00100032,
  PatientSex: 0x00100040,
  QualityControlSubject: 0x00100200,
  OtherPatientIDs: 0x00101000,
  OtherPatientNames: 0x00101001,
  OtherPatientIDsSequence: 0x00101002,
  EthnicGroup: 0x00102160,
  PatientSpeciesDescription: 0x00102201,
  PatientComments: 0x00104000,
  PatientIdentityRemoved: 0x00120062,
} as const;

// PS3.4 Tables C.6-2 and C.6-5, Patient Study and General Study modules.
const STUDY = {
  StudyDate: 0x00080020,
  StudyTime: 0x00080030,
  AccessionNumber: 0x00080050,
  IssuerOfAccessionNumberSequence: 0x00080051,
  ReferringPhysicianName: 0x00080090,
  ReferringPhysicianIdentificationSequence: 0x00080096,
  ConsultingPhysicianName: 0x0008009c,
  StudyDescription: 0x00081030,
  ProcedureCodeSequence: 0x00081032,
  PhysiciansOfRecord: 0x00081048,
  NameOfPhysiciansReadingStudy: 0x00081060,
  AdmittingDiagnosesDescription: 0x00081080,
  AdmittingDiagnosesCodeSequence: 0x00081084,
  ReferencedStudySequence: 0x00081110,
  PatientAge: 0x00101010,
  PatientSize: 0x00101020,
  PatientWeight: 0x00101030,
  MedicalAlerts: 0x00102000,
  Allergies: 0x00102110,
  Occupation: 0x00102180,
  SmokingStatus: 0x001021a0,
  AdditionalPatientHistory: 0x001021b0,
  PregnancyStatus: 0x001021c0,
  StudyInstanceUID: 0x0020000d,
  StudyID: 0x00200010,
  OtherStudyNumbers: 0x00201070,
  ReasonForStudy: 0x00321030,
  RequestingPhysician: 0x00321032,
  RequestingService: 0x00321033,
  RequestedProcedureDescription: 0x00321060,
  RequestedProcedureCodeSequence: 0x00321064,
  AdmissionID: 0x00380010,
  ServiceEpisodeID: 0x00380060,
} as const;

// PS3.4 Table C.6-3, General Series, General Equipment and the performed procedure step.
const SERIES = {
  SeriesDate: 0x00080021,
  SeriesTime: 0x00080031,
  Modality: 0x00080060,
  PresentationIntentType: 0x00080068,
  Manufacturer: 0x00080070,
  InstitutionName: 0x00080080,
  InstitutionAddress: 0x00080081,
  StationName: 0x00081010,
  SeriesDescription: 0x0008103e,
  SeriesDescriptionCodeSequence: 0x0008103f,
  InstitutionalDepartmentName: 0x00081040,
  PerformingPhysicianName: 0x00081050,
  PerformingPhysicianIdentificationSequence: 0x00081052,
  OperatorsName: 0x00081070,
  ManufacturerModelName: 0x00081090,
  ReferencedPerformedProcedureStepSequence: 0x00081111,
  BodyPartExamined: 0x00180015,
  DeviceSerialNumber: 0x00181000,
  SoftwareVersions: 0x00181020,
  ProtocolName: 0x00181030,
  PatientPosition: 0x00185100,
  SeriesInstanceUID: 0x0020000e,
  SeriesNumber: 0x00200011,
  FrameOfReferenceUID: 0x00200052,
  Laterality: 0x00200060,
  SynchronizationFrameOfReferenceUID: 0x00200200,
  PerformedProcedureStepStartDate: 0x00400244,
  PerformedProcedureStepStartTime: 0x00400245,
  PerformedProcedureStepEndDate: 0x00400250,
  PerformedProcedureStepEndTime: 0x00400251,
  PerformedProcedureStepID: 0x00400253,
  PerformedProcedureStepDescription: 0x00400254,
  PerformedProtocolCodeSequence: 0x00400260,
  RequestAttributesSequence: 0x00400275,
  CommentsOnThePerformedProcedureStep: 0x00400280,
} as const;

// PS3.4 Table C.6-4 and what describes an image, a run, a report, a presentation state in a list.
const INSTANCE = {
  ImageType: 0x00080008,
  InstanceCreationDate: 0x00080012,
  InstanceCreationTime: 0x00080013,
  SOPClassUID: 0x00080016,
  SOPInstanceUID: 0x00080018,
  AcquisitionDate: 0x00080022,
  ContentDate: 0x00080023,
  AcquisitionDateTime: 0x0008002a,
  AcquisitionTime: 0x00080032,
  ContentTime: 0x00080033,
  ConversionType: 0x00080064,
  TimezoneOffsetFromUTC: 0x00080201,
  ReferencedSeriesSequence: 0x00081115,
  DerivationDescription: 0x00082111,
  RecommendedDisplayFrameRate: 0x00082144,
  AnatomicRegionSequence: 0x00082218,
  ContrastBolusAgent: 0x00180010,
  CineRate: 0x00180040,
  SliceThickness: 0x00180050,
  KVP: 0x00180060,
  FrameTime: 0x00181063,
  RadiationSetting: 0x00181155,
  ImagerPixelSpacing: 0x00181164,
  PositionerMotion: 0x00181500,
  PositionerPrimaryAngle: 0x00181510,
  PositionerSecondaryAngle: 0x00181511,
  ViewPosition: 0x00185101,
  AcquisitionNumber: 0x00200012,
  InstanceNumber: 0x00200013,
  OverlayNumber: 0x00200022,
  CurveNumber: 0x00200024,
  LUTNumber: 0x00200026,
  ImagePositionPatient: 0x00200032,
  ImageOrientationPatient: 0x00200037,
  ImageLaterality: 0x00200062,
  SliceLocation: 0x00201041,
  ImageComments: 0x00204000,
  SamplesPerPixel: 0x00280002,
  PhotometricInterpretation: 0x00280004,
  NumberOfFrames: 0x00280008,
  Rows: 0x00280010,
  Columns: 0x00280011,
  PixelSpacing: 0x00280030,
  BitsAllocated: 0x00280100,
  BitsStored: 0x00280101,
  HighBit: 0x00280102,
  PixelRepresentation: 0x00280103,
  BurnedInAnnotation: 0x00280301,
  PixelIntensityRelationship: 0x00281040,
  WindowCenter: 0x00281050,
  WindowWidth: 0x00281051,
  LossyImageCompression: 0x00282110,
  LossyImageCompressionRatio: 0x00282112,
  LossyImageCompressionMethod: 0x00282114,
  MaskSubtractionSequence: 0x00286100,
  ConceptNameCodeSequence: 0x0040a043,
  CompletionFlag: 0x0040a491,
  VerificationFlag: 0x0040a493,
  DocumentTitle: 0x00420010,
  MIMETypeOfEncapsulatedDocument: 0x00420012,
  ContentLabel: 0x00700080,
  ContentDescription: 0x00700081,
  PresentationCreationDate: 0x00700082,
  PresentationCreationTime: 0x00700083,
  ContentCreatorName: 0x00700084,
} as const;

/** What the catalogue counts itself (PS3.4 Table C.3-1). */
const COMPUTED = {
  PATIENT: {
    NumberOfPatientRelatedStudies: 0x00201200,
    NumberOfPatientRelatedSeries: 0x00201202,
    NumberOfPatientRelatedInstances: 0x00201204,
  },
  STUDY: {
    ModalitiesInStudy: 0x00080061,
    SOPClassesInStudy: 0x00080062,
    NumberOfStudyRelatedSeries: 0x00201206,
    NumberOfStudyRelatedInstances: 0x00201208,
  },
  SERIES: { NumberOfSeriesRelatedInstances: 0x00201209 },
} as const;

/** Attributes kept per level, as keyword → tag. */
export const KEPT_KEYWORDS: Readonly<Record<AttributeGroup, Readonly<Record<string, number>>>> = {
  patient: PATIENT,
  study: STUDY,
  series: SERIES,
  instance: INSTANCE,
};

export type AttributeGroup = 'patient' | 'study' | 'series' | 'instance';

/** Tags kept per level. */
export const KEPT_ATTRIBUTES: Readonly<Record<AttributeGroup, ReadonlySet<number>>> = {
  patient: new Set(Object.values(PATIENT)),
  study: new Set(Object.values(STUDY)),
  series: new Set(Object.values(SERIES)),
  instance: new Set(Object.values(INSTANCE)),
};

/** All of them: what to read from a data set. */
export const KEPT_TAGS: ReadonlySet<number> = new Set(
  Object.values(KEPT_ATTRIBUTES).flatMap((tags) => [...tags]),
);

/** DICOM JSON names of the attributes that code refers to. */
export const TAG = names({
  ...PATIENT,
  ...STUDY,
  ...SERIES,
  ...INSTANCE,
  ...COMPUTED.PATIENT,
  ...COMPUTED.STUDY,
  ...COMPUTED.SERIES,
});

/** Levels from the top. */
export const LEVELS: readonly QueryLevel[] = ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'];

const levelOfName = new Map<string, QueryLevel>([
  ...Object.values({ ...PATIENT, ...COMPUTED.PATIENT }).map((tag) => [tagKey(tag), 'PATIENT'] as const),
  ...Object.values({ ...STUDY, ...COMPUTED.STUDY }).map((tag) => [tagKey(tag), 'STUDY'] as const),
  ...Object.values({ ...SERIES, ...COMPUTED.SERIES }).map((tag) => [tagKey(tag), 'SERIES'] as const),
  ...Object.values(INSTANCE).map((tag) => [tagKey(tag), 'IMAGE'] as const),
]);

/** The level an attribute belongs to; undefined when the catalogue does not know it. */
export function levelOf(attribute: string): QueryLevel | undefined {
  return levelOfName.get(attribute);
}

/** Splits one flat data set into the groups of an InstanceRecord. A UID that is not there becomes '', which
 *  ingest refuses. */
export function attributeGroups(
  json: DicomJson,
): Pick<InstanceRecord, 'patient' | 'study' | 'series' | 'instance'> {
  const groups: Record<QueryLevel, Record<string, JsonElement>> = {
    PATIENT: {},
    STUDY: {},
    SERIES: {},
    IMAGE: {},
  };
  for (const attribute in json) {
    const level = levelOf(attribute);
    if (level !== undefined) groups[level][attribute] = json[attribute]!;
  }
  return {
    patient: {
      id: firstText(json, TAG.PatientID),
      issuer: firstText(json, TAG.IssuerOfPatientID),
      attributes: groups.PATIENT,
    },
    study: { uid: firstText(json, TAG.StudyInstanceUID), attributes: groups.STUDY },
    series: { uid: firstText(json, TAG.SeriesInstanceUID), attributes: groups.SERIES },
    instance: {
      uid: firstText(json, TAG.SOPInstanceUID),
      sopClassUid: firstText(json, TAG.SOPClassUID),
      attributes: groups.IMAGE,
    },
  };
}

/** The first value as text, without padding; '' when there is none. */
export function firstText(json: DicomJson, attribute: string): string {
  const value = json[attribute]?.Value?.[0];
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

function names<T extends Readonly<Record<string, number>>>(tags: T): Readonly<Record<keyof T, string>> {
  return Object.fromEntries(Object.entries(tags).map(([keyword, tag]) => [keyword, tagKey(tag)])) as Record<
    keyof T,
    string
  >;
}
