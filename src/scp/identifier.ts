// Identifiers of C-FIND, C-MOVE and C-GET (PS3.4 C.4): decoded from requests, encoded for responses.

import type { QueryLevel } from '../archive/archive.ts';
import { readDataSet } from '../dicom/data-set-reader.ts';
import { type DicomJson, type JsonElement, toDicomJson } from '../dicom/dicom-json.ts';
import { DicomError } from '../dicom/errors.ts';
import { DimseError } from '../dimse/errors.ts';
import type { ServiceRequest } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import { collect } from '../util/byte-source.ts';

export const QUERY_RETRIEVE_LEVEL = '00080052';
export const SPECIFIC_CHARACTER_SET = '00080005';

/** Lists of some ten thousand UIDs still fit. */
const MAX_IDENTIFIER_BYTES = 1 << 20;

export interface Identifier {
  readonly level: QueryLevel;
  /** Matching and return keys, without level and character set. */
  readonly keys: DicomJson;
  readonly characterSets: readonly string[];
}

/** Throws DimseError 0xA900 where the Identifier does not fit the model, 0xC000 where it cannot be read. */
export async function readIdentifier(
  { dataSet, context }: ServiceRequest,
  levels: readonly QueryLevel[],
): Promise<Identifier> {
  if (dataSet === undefined) throw unreadable('The request has no Identifier.');
  const keys = parse(await collect(dataSet, MAX_IDENTIFIER_BYTES), context.transferSyntax);
  const level = stringsOf(keys[QUERY_RETRIEVE_LEVEL])[0]?.trim().toUpperCase();
  const known = levels.find((one) => one === level);
  if (known === undefined) {
    const found = level === undefined ? 'is missing' : `is ${JSON.stringify(level)}`;
    throw new DimseError(
      Status.identifierDoesNotMatchSopClass,
      `Query/Retrieve Level ${found}, not one of ${levels.join(', ')}.`,
      { code: 'level-not-in-model', offendingElement: [0x00080052] },
    );
  }
  const characterSets = stringsOf(keys[SPECIFIC_CHARACTER_SET]);
  const { [QUERY_RETRIEVE_LEVEL]: _level, [SPECIFIC_CHARACTER_SET]: _sets, ...rest } = keys;
  return { level: known, keys: rest, characterSets };
}

/** The text values of an element, without empty ones. */
export function stringsOf(element: JsonElement | undefined): string[] {
  return (element?.Value ?? []).filter((value): value is string => typeof value === 'string' && value !== '');
}

function parse(bytes: Buffer, transferSyntaxUid: string): DicomJson {
  try {
    const result = readDataSet(bytes, { transferSyntaxUid, complete: true });
    if (result.done) return toDicomJson(result.dataSet, {});
    throw unreadable('The Identifier ends too early.');
  } catch (error) {
    if (error instanceof DicomError) throw unreadable(error.message, error);
    throw error;
  }
}

function unreadable(message: string, cause?: unknown): DimseError {
  return new DimseError(Status.cannotUnderstand, message, { code: 'identifier-unreadable', cause });
}
