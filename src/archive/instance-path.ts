// Where an instance lies on the volume: studies/<yyyy>/<mm>/<Study>/<Series>/<SOP Instance>.dcm, from validated UIDs only.

import { randomUUID } from 'node:crypto';
import type { InstanceRecord } from '../catalog/catalog.ts';
import { isUid } from '../dicom/uid.ts';
import { ArchiveError } from './errors.ts';

export interface InstanceUids {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly sopInstanceUid: string;
}

export function uidsOf({ study, series, instance }: InstanceRecord): InstanceUids {
  return { studyUid: study.uid, seriesUid: series.uid, sopInstanceUid: instance.uid };
}

/** The relative path; `studyDate` as found in (0008,0020), which decides the year and month folders. */
export function instancePath(uids: InstanceUids, studyDate: string | undefined): string {
  return `studies/${dateFolder(studyDate)}/${uidFolders(uids)}.dcm`;
}

/** Where older content of the same UID goes; time and hash keep generations apart. */
export function supersededPath(uids: InstanceUids, receivedAt: string, sha256: string): string {
  return `superseded/${uidFolders(uids)}.${receivedAt.replace(/[^0-9]/g, '')}.${sha256.slice(0, 16)}.dcm`;
}

/** Where what is no longer as it was received goes; by the UID it is found again. */
export function quarantinePath(sopInstanceUid: string): string {
  return `quarantine/${sopInstanceUid}.${randomUUID()}.dcm`;
}

function uidFolders({ studyUid, seriesUid, sopInstanceUid }: InstanceUids): string {
  for (const uid of [studyUid, seriesUid, sopInstanceUid]) {
    if (!isUid(uid)) {
      throw new ArchiveError('invalid-uid', `${JSON.stringify(uid.slice(0, 80))} is not a UID (PS3.5 §9.1).`);
    }
  }
  return `${studyUid}/${seriesUid}/${sopInstanceUid}`;
}

let latest = { studyDate: '', folder: 'undated' };

function dateFolder(studyDate = ''): string {
  // All instances of a study say the same.
  if (latest.studyDate !== studyDate) latest = { studyDate, folder: folderOf(studyDate) };
  return latest.folder;
}

function folderOf(studyDate: string): string {
  // Deviation (PS3.5 §6.2): accepts 1994.10.16, the DA form of ACR-NEMA, because old angiography hosts write it.
  const match = /^(\d{4})(\.?)(\d{2})\2(\d{2})$/.exec(studyDate);
  if (match === null) return 'undated';
  const [, year, , month, day] = match;
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  const isCalendarDay = !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
  return isCalendarDay && Number(year) >= 1895 ? `${year}/${month}` : 'undated';
}
