// A study as a ZIP that can be copied onto a disc or a stick as it is: a file-set with its DICOMDIR (PS3.10 §8, PS3.12).
// Written while it is read: one file is open at a time, and nothing is read that the requestor does not take.

import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Archive, InstanceLocation, Match } from '../archive/archive.ts';
import type { DicomJson } from '../dicom/dicom-json.ts';
import { type DirectoryRecord, encodeDicomdir } from '../dicom/dicomdir.ts';
import {
  PATIENT_RECORD,
  recordKeys,
  recordTypeOf,
  SERIES_RECORD,
  STUDY_RECORD,
} from '../dicom/directory-record-type.ts';
import { messageOf } from '../util/errors.ts';
import { FileStream } from './file-stream.ts';
import { keyOf, textOf } from './study-view.ts';

const FILE_SET_ID = 'ANGIOVAULT';
/** Compressing pixels a second time costs a core and saves nothing. */
const AS_IT_IS = { compress: false } as const;

/** The stream begins to fill at once and ends with the archive; destroy it, or abort, when it is not wanted. */
export function mediaZip(archive: Archive, study: Match, signal: AbortSignal): Readable {
  const zip = new ZipFile();
  const output = zip.outputStream as Readable;
  const fail = (error: unknown) => output.destroy(error instanceof Error ? error : new Error(String(error)));
  zip.on('error', fail);
  new MediaWriter(zip, archive, study, signal).write().catch(fail);
  return output;
}

class MediaWriter {
  readonly #zip: ZipFile;
  readonly #archive: Archive;
  readonly #study: Match;
  readonly #signal: AbortSignal;
  readonly #missing: string[] = [];

  constructor(zip: ZipFile, archive: Archive, study: Match, signal: AbortSignal) {
    this.#zip = zip;
    this.#archive = archive;
    this.#study = study;
    this.#signal = signal;
  }

  async write(): Promise<void> {
    const { attributes } = this.#study;
    const series: DirectoryRecord[] = [];
    for (const one of await this.#series()) series.push(await this.#writeSeries(one, series.length + 1));
    const studyRecord = recordOf(
      STUDY_RECORD,
      { [keyOf('StudyID')]: invented('SH', 1), ...filled(attributes) },
      series,
    );
    const id = { [keyOf('PatientID')]: { vr: 'LO', Value: ['UNKNOWN'] } };
    const patient = recordOf(PATIENT_RECORD, { ...id, ...filled(attributes) }, [studyRecord]);
    this.#zip.addBuffer(encodeDicomdir(FILE_SET_ID, [patient]), 'DICOMDIR', AS_IT_IS);
    if (this.#missing.length > 0) {
      const words = ['These instances could not be read and are not here:', ...this.#missing, ''].join(
        '\r\n',
      );
      this.#zip.addBuffer(Buffer.from(words), 'MISSING.TXT', AS_IT_IS);
    }
    this.#zip.end();
  }

  async #series(): Promise<Match[]> {
    const identifier = { [keyOf('StudyInstanceUID')]: this.#study.attributes[keyOf('StudyInstanceUID')]! };
    const series = (await Array.fromAsync(this.#archive.find({ level: 'SERIES', identifier }))).flat();
    const number = ({ attributes }: Match) => Number(textOf(attributes, 'SeriesNumber') ?? Infinity);
    return series.sort((one, other) => number(one) - number(other) || 0);
  }

  async #writeSeries({ attributes }: Match, place: number): Promise<DirectoryRecord> {
    const instances: DirectoryRecord[] = [];
    const selection = {
      studyUids: [textOf(attributes, 'StudyInstanceUID') ?? ''],
      seriesUids: [textOf(attributes, 'SeriesInstanceUID') ?? ''],
    };
    let count = 0;
    for await (const page of this.#archive.select(selection)) {
      const known = await this.#attributesOf(page);
      for (const instance of page) {
        this.#signal.throwIfAborted();
        count += 1;
        const id = ['DICOM', component(place), component(count)];
        if (!(await this.#writeFile(instance, id.join('/')))) continue;
        const { sopClassUid, sopInstanceUid, location } = instance;
        const own = {
          [keyOf('InstanceNumber')]: invented('IS', count),
          ...filled(known.get(sopInstanceUid) ?? {}),
        };
        instances.push({
          ...recordOf(recordTypeOf(sopClassUid), own),
          file: { id, sopClassUid, sopInstanceUid, transferSyntaxUid: location.transferSyntaxUid },
        });
      }
    }
    const own = { [keyOf('SeriesNumber')]: invented('IS', place), ...filled(attributes) };
    return recordOf(SERIES_RECORD, own, instances);
  }

  async #attributesOf(page: readonly InstanceLocation[]): Promise<Map<string, DicomJson>> {
    const Value = page.map(({ sopInstanceUid }) => sopInstanceUid);
    const identifier = { [keyOf('SOPInstanceUID')]: { vr: 'UI', Value } };
    const matches = (await Array.fromAsync(this.#archive.find({ level: 'IMAGE', identifier }))).flat();
    return new Map(matches.map(({ attributes }) => [textOf(attributes, 'SOPInstanceUID') ?? '', attributes]));
  }

  /** False when the file cannot be opened: the others are still worth having. */
  async #writeFile(instance: InstanceLocation, path: string): Promise<boolean> {
    const opened = await this.#archive.openFile(instance).catch((error: unknown) => {
      this.#missing.push(messageOf(error));
      return undefined;
    });
    if (opened === undefined) return false;
    const stream = new FileStream(opened);
    const stop = () => stream.destroy(this.#signal.reason as Error);
    this.#signal.addEventListener('abort', stop, { once: true });
    try {
      const { fileBytes, receivedAt } = instance.location;
      const taken = once(stream, 'close');
      this.#zip.addReadStream(stream, path, { ...AS_IT_IS, size: fileBytes, mtime: new Date(receivedAt) });
      if (this.#signal.aborted) stop();
      await taken;
      return true;
    } finally {
      this.#signal.removeEventListener('abort', stop);
    }
  }
}

function recordOf(
  type: Parameters<typeof recordKeys>[0],
  attributes: DicomJson,
  below?: readonly DirectoryRecord[],
): DirectoryRecord {
  const record = { type: type.type, attributes: recordKeys(type, attributes) };
  return below === undefined ? record : { ...record, below };
}

/** Directories have to name what some instances do not. */
function invented(vr: string, value: number): DicomJson[string] {
  return { vr, Value: [value] };
}

/** Attributes that have a value. */
function filled(attributes: DicomJson): DicomJson {
  return Object.fromEntries(Object.entries(attributes).filter(([, { Value = [] }]) => Value.length > 0));
}

/** PS3.10 §8.2: at most 8 characters of A–Z, 0–9 and _. */
function component(number: number): string {
  return String(number).padStart(8, '0');
}
