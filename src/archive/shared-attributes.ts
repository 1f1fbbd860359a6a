// Instances of a series say the same of their patient, study and series: what was made of it for one of them serves for
// the next whose elements have the same bytes.

import { type AttributeGroup, attributeGroups, KEPT_ATTRIBUTES, TAG } from '../catalog/attributes.ts';
import type { InstanceRecord } from '../catalog/catalog.ts';
import type { DataSet, Element } from '../dicom/data-set.ts';
import { toDicomJson } from '../dicom/dicom-json.ts';
import { SPECIFIC_CHARACTER_SET } from '../dicom/tag.ts';

type Groups = Pick<InstanceRecord, AttributeGroup>;

interface SharedHead {
  readonly studyUid: string;
  readonly seriesUid: string;
  readonly dataSet: DataSet;
}

interface Remembered {
  readonly studyUid: string;
  readonly bigEndian: boolean;
  readonly characterSets: string | undefined;
  readonly elements: readonly Element[];
  readonly groups: Omit<Groups, 'instance'>;
}

const SHARED_TAGS: ReadonlySet<number> = new Set([
  ...KEPT_ATTRIBUTES.patient,
  ...KEPT_ATTRIBUTES.study,
  ...KEPT_ATTRIBUTES.series,
]);
const OWN_TAGS = KEPT_ATTRIBUTES.instance;

/** Series that come at the same time. */
const MAX_SERIES = 16;
/** Strangers choose what is remembered. */
const MAX_BYTES = 32 << 10;

const remembered = new Map<string, Remembered>();

/** The attributes of an instance by level, as the catalogue keeps them; `characterSetOverride` replaces (0008,0005). */
export function attributesByLevel(
  head: SharedHead,
  characterSetOverride: readonly string[] | undefined,
): Groups {
  const override = characterSetOverride === undefined ? {} : { characterSetOverride };
  const { instance } = attributeGroups(toDicomJson(head.dataSet, { keep: OWN_TAGS, ...override }));
  const elements = sharedElements(head.dataSet);
  const known = remembered.get(head.seriesUid);
  const characterSets = characterSetOverride?.join('\\');
  if (known !== undefined && isSame(known, head, characterSets, elements))
    return { ...known.groups, instance };

  const json = toDicomJson(head.dataSet, { keep: SHARED_TAGS, ...override });
  json[TAG.StudyInstanceUID] = { vr: 'UI', Value: [head.studyUid] };
  json[TAG.SeriesInstanceUID] = { vr: 'UI', Value: [head.seriesUid] };
  const { patient, study, series } = attributeGroups(json);
  const groups = { patient, study, series };
  remember(head, characterSets, elements, groups);
  return { ...groups, instance };
}

function sharedElements({ elements }: DataSet): Element[] {
  const shared: Element[] = [];
  for (const element of elements.values()) {
    if (SHARED_TAGS.has(element.tag) || element.tag === SPECIFIC_CHARACTER_SET) shared.push(element);
  }
  return shared;
}

function isSame(
  known: Remembered,
  { studyUid, dataSet }: SharedHead,
  characterSets: string | undefined,
  elements: readonly Element[],
): boolean {
  return (
    known.studyUid === studyUid &&
    known.bigEndian === dataSet.bigEndian &&
    known.characterSets === characterSets &&
    known.elements.length === elements.length &&
    known.elements.every((element, index) => isSameElement(element, elements[index]!))
  );
}

function isSameElement(one: Element, other: Element): boolean {
  return (
    one.tag === other.tag &&
    one.vr === other.vr &&
    one.length === other.length &&
    other.items === undefined &&
    one.value.equals(other.value)
  );
}

function remember(
  { studyUid, seriesUid, dataSet }: SharedHead,
  characterSets: string | undefined,
  elements: readonly Element[],
  groups: Remembered['groups'],
): void {
  remembered.delete(seriesUid);
  const bytes = elements.reduce((sum, { value }) => sum + value.length, 0);
  // Of a sequence only what its items say could be compared.
  if (bytes > MAX_BYTES || elements.some(({ items }) => items !== undefined)) return;
  if (remembered.size >= MAX_SERIES) remembered.delete(remembered.keys().next().value!);
  const copies = elements.map((element) => ({ ...element, value: Buffer.from(element.value) }));
  const { bigEndian } = dataSet;
  remembered.set(seriesUid, { studyUid, bigEndian, characterSets, elements: copies, groups });
}
