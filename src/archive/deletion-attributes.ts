// What a deletion is called in the list of the trash: the attributes by which people know what was deleted.

import { TAG } from '../catalog/attributes.ts';
import type { Catalog, QueryLevel } from '../catalog/catalog.ts';
import type { DicomJson } from '../dicom/dicom-json.ts';

const SHOWN: Readonly<Record<QueryLevel, readonly string[]>> = {
  PATIENT: ['00100010', '00100020', '00100021', '00100030', '00100040'],
  STUDY: ['0020000D', '00080020', '00080030', '00080050', '00081030', '00080061'],
  SERIES: ['0020000E', '00080060', '00200011', '0008103E'],
  IMAGE: ['00080018', '00200013'],
};
const LEVELS = ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] as const;
/** Longer than any of them has to be. */
const MAX_CHARACTERS = 1024;

/** Of `level` and the levels above, by one instance below. */
export async function attributesOf(
  catalog: Catalog,
  sopInstanceUid: string,
  level: QueryLevel,
): Promise<DicomJson> {
  const identifier: DicomJson = { [TAG.SOPInstanceUID]: { vr: 'UI', Value: [sopInstanceUid] } };
  for await (const [match] of catalog.find({ level: 'IMAGE', identifier })) {
    const tags = LEVELS.slice(0, LEVELS.indexOf(level) + 1).flatMap((one) => SHOWN[one]);
    const shown = tags.flatMap((tag) => {
      const element = match?.attributes[tag];
      return element === undefined || JSON.stringify(element).length > MAX_CHARACTERS ? [] : [[tag, element]];
    });
    return Object.fromEntries(shown) as DicomJson;
  }
  return {};
}
