// Query SCP: C-FIND in the three models (PS3.4 C.4.1).

import { type Archive, isKept, type Match } from '../archive/archive.ts';
import { encodeDataSet } from '../dicom/data-set-writer.ts';
import type { DicomJson, JsonElement, JsonValue } from '../dicom/dicom-json.ts';
import type { Service, ServiceRequest } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import { type Identifier, QUERY_RETRIEVE_LEVEL, readIdentifier } from './identifier.ts';
import { FIND_MODELS } from './query-models.ts';
import { queryFailure } from './status-mapping.ts';

const RETRIEVE_AE_TITLE = '00080054';
const INSTANCE_AVAILABILITY = '00080056';
/** UTF-8 for those who do not say what they read. */
const DEFAULT_CHARACTER_SETS = ['ISO_IR 192'];
/** Bytes of the extended negotiation (PS3.4 C.5.1.1): relational queries, combined date-time, fuzzy person names. */
const RELATIONAL_BYTE = 0;
const DATE_TIME_BYTE = 1;
const FUZZY_BYTE = 2;

/** A write costs more than a response; the requestor reads one batch while the next is made. */
const RESPONSES_PER_WRITE = 16;

export interface QueryScpOptions {
  readonly archive: Archive;
  /** Where matches can be retrieved from: this archive. */
  readonly aeTitle: () => string;
  /** Character sets for callers that do not name one they can read. */
  readonly characterSetsOf: (callingAeTitle: string) => readonly string[] | undefined;
}

export function queryScp({ archive, aeTitle, characterSetsOf }: QueryScpOptions): Service {
  return async (request) => {
    const { association, context, cancelled } = request;
    const identifier = await readIdentifier(request, FIND_MODELS.get(context.abstractSyntax) ?? []);
    const answer = answerer(request, identifier, aeTitle(), characterSetsOf(association.callingAeTitle));
    const agreed = association.extendedNegotiation.get(context.abstractSyntax);
    const {
      [RETRIEVE_AE_TITLE]: _aeTitle,
      [INSTANCE_AVAILABILITY]: _availability,
      ...keys
    } = identifier.keys;
    try {
      const query = {
        level: identifier.level,
        identifier: keys,
        returnKeys: Object.keys(keys),
        lowerLevelKeys: agreed?.[RELATIONAL_BYTE] === 1,
        combinedDateTime: agreed?.[DATE_TIME_BYTE] === 1,
        fuzzyNames: agreed?.[FUZZY_BYTE] === 1,
        signal: cancelled,
      };
      let isFirst = true;
      for await (const page of archive.find(query)) {
        for (let start = 0; start < page.length; ) {
          if (cancelled.aborted) return { status: Status.cancel };
          // The first one waits for no other.
          const end = isFirst ? 1 : start + RESPONSES_PER_WRITE;
          const room = answer(page.slice(start, end));
          if (room !== undefined) await room;
          isFirst = false;
          start = end;
        }
        if (cancelled.aborted) return { status: Status.cancel };
      }
    } catch (error) {
      if (cancelled.aborted) return { status: Status.cancel };
      throw queryFailure(error, Status.outOfResources);
    }
    return { status: cancelled.aborted ? Status.cancel : Status.success };
  };
}

/** Sends one pending response per match, all in one write: the keys that were asked for, in a character set the
 *  requestor reads. */
function answerer(
  request: ServiceRequest,
  identifier: Identifier,
  aeTitle: string,
  callerSets: readonly string[] | undefined,
): (matches: readonly Match[]) => Promise<void> | undefined {
  const { keys, level } = identifier;
  const characterSets =
    identifier.characterSets.length > 0 ? identifier.characterSets : (callerSets ?? DEFAULT_CHARACTER_SETS);
  const always: DicomJson = {
    [QUERY_RETRIEVE_LEVEL]: { vr: 'CS', Value: [level] },
    [RETRIEVE_AE_TITLE]: { vr: 'AE', Value: [aeTitle] },
    [INSTANCE_AVAILABILITY]: { vr: 'CS', Value: ['ONLINE'] },
  };
  const isSupported = Object.keys(keys).every((key) => key in always || isKept(Number.parseInt(key, 16)));
  const status = isSupported ? Status.pending : Status.pendingWithWarning;
  const options = { transferSyntaxUid: request.context.transferSyntax, characterSets };
  return (matches) => {
    const identifiers = matches.map(({ attributes }) =>
      encodeDataSet({ ...selected(keys, attributes), ...always }, options),
    );
    return request.pending({ status }, identifiers);
  };
}

/** PS3.4 C.2.2.1.3: every key that was asked for comes back, empty where there is no value. */
function selected(keys: DicomJson, attributes: DicomJson): DicomJson {
  const out: DicomJson = {};
  for (const [key, asked] of Object.entries(keys)) {
    const found = attributes[key];
    out[key] = found === undefined ? { vr: asked.vr } : withinSequence(asked, found);
  }
  return out;
}

/** A sequence key names the attributes wanted of its items; an empty one wants all (PS3.4 C.2.2.2.6). */
function withinSequence(asked: JsonElement, found: JsonElement): JsonElement {
  const wanted = asked.Value?.[0];
  if (asked.vr !== 'SQ' || found.Value === undefined || !isItem(wanted) || Object.keys(wanted).length === 0)
    return found;
  return { vr: 'SQ', Value: found.Value.map((item) => (isItem(item) ? selected(wanted, item) : item)) };
}

function isItem(value: JsonValue | undefined): value is DicomJson {
  return typeof value === 'object' && value !== null;
}
