// Small instances made of elements written by hand (PS3.5 §7), each element as the test wants it.

import { EXPLICIT_LE, IMPLICIT_LE } from './byte-association.ts';
import { type ElementSpec, encodeElements } from './byte-elements.ts';
import { freshUid } from './byte-pdu.ts';
import { CT_IMAGE, TAG } from './byte-services.ts';

export interface MadeInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly patientId: string;
  readonly transferSyntaxUid: string;
  readonly dataSet: Buffer;
}

export interface MadeOptions {
  readonly sopClassUid?: string;
  readonly sopInstanceUid?: string;
  readonly studyUid?: string;
  readonly seriesUid?: string;
  readonly patientId?: string;
  readonly patientName?: string | Buffer;
  readonly transferSyntaxUid?: string;
  /** Elements added to the usual ones, replacing those with the same tag. */
  readonly elements?: readonly ElementSpec[];
  /** Tags left out altogether. */
  readonly without?: readonly number[];
}

/** A small instance of explicit or implicit little endian with all the attributes a catalogue wants. */
export function madeInstance(options: MadeOptions = {}): MadeInstance {
  const identity = {
    sopClassUid: options.sopClassUid ?? CT_IMAGE,
    sopInstanceUid: options.sopInstanceUid ?? freshUid(),
    studyUid: options.studyUid ?? freshUid(),
    seriesUid: options.seriesUid ?? freshUid(),
    patientId: options.patientId ?? 'BYTE-1',
    transferSyntaxUid: options.transferSyntaxUid ?? EXPLICIT_LE,
  };
  const specs: ElementSpec[] = [
    { tag: TAG.SOPClassUID, vr: 'UI', value: identity.sopClassUid },
    { tag: TAG.SOPInstanceUID, vr: 'UI', value: identity.sopInstanceUid },
    { tag: TAG.StudyDate, vr: 'DA', value: '20240315' },
    { tag: TAG.StudyTime, vr: 'TM', value: '101500' },
    { tag: TAG.AccessionNumber, vr: 'SH', value: 'ACC1' },
    { tag: TAG.Modality, vr: 'CS', value: 'CT' },
    { tag: TAG.StudyDescription, vr: 'LO', value: 'Byte peer' },
    { tag: TAG.PatientName, vr: 'PN', value: options.patientName ?? 'Byte^Peer' },
    { tag: TAG.PatientID, vr: 'LO', value: identity.patientId },
    { tag: TAG.PatientBirthDate, vr: 'DA', value: '19700101' },
    { tag: TAG.StudyInstanceUID, vr: 'UI', value: identity.studyUid },
    { tag: TAG.SeriesInstanceUID, vr: 'UI', value: identity.seriesUid },
    { tag: TAG.StudyID, vr: 'SH', value: 'S1' },
    { tag: TAG.SeriesNumber, vr: 'IS', value: '1' },
    { tag: TAG.InstanceNumber, vr: 'IS', value: '1' },
  ];
  const replaced = new Set([...(options.without ?? []), ...(options.elements ?? []).map(({ tag }) => tag)]);
  const all = [...specs.filter(({ tag }) => !replaced.has(tag)), ...(options.elements ?? [])];
  all.sort((a, b) => a.tag - b.tag);
  return { ...identity, dataSet: encodeElements(all, identity.transferSyntaxUid !== IMPLICIT_LE) };
}
