// What can be wrong with DICOM bytes that somebody sent.

import { PacsError } from '../util/errors.ts';
import { describeTag } from './dictionary.ts';

/** malformed: the bytes contradict PS3.5; limit: they ask for more than we give; not-part-10: no "DICM" at 128;
 *  not-dicom: not even a bare data set; unencodable: DICOM JSON that says something no data set can hold. */
export type DicomErrorCode = 'malformed' | 'limit' | 'not-part-10' | 'not-dicom' | 'unencodable';

/** Names the attribute and the byte offset, where there is one. */
export class DicomError extends PacsError {
  readonly tag: number | undefined;
  readonly offset: number | undefined;

  constructor(
    code: DicomErrorCode,
    message: string,
    at?: { tag?: number | undefined; offset?: number | undefined; cause?: unknown },
  ) {
    const tag = at?.tag === undefined ? '' : ` at ${describeTag(at.tag)}`;
    const offset = at?.offset === undefined ? '' : `, offset ${at.offset}`;
    super(code, `${message}${tag}${offset}`, at?.cause === undefined ? undefined : { cause: at.cause });
    this.tag = at?.tag;
    this.offset = at?.offset;
  }
}
