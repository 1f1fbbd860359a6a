// Receives one instance into incoming/: hashes, counts, and never holds more than two chunks of it.
import { createHash, type Hash } from 'node:crypto';
import type { ByteSource } from '../util/byte-source.ts';
import { CHUNK_BYTES } from './chunk-pool.ts';
import { awaitedLater } from './file-calls.ts';
import { IncomingFile } from './incoming-file.ts';
import { SliceReader } from './slice-reader.ts';
import type { SpoolSite } from './spool-site.ts';
import { Spooled } from './spooled.ts';
import { StorageError } from './storage-error.ts';
import { WriteBack } from './write-back.ts';

/** What goes before the data set: written blank, completed by `seal` in place once hash and length are known. */
export interface SpoolHead {
  readonly bytes: Buffer;
  seal(sha256: Buffer, dataSetBytes: number): void;
}

export async function spool(site: SpoolSite, head: SpoolHead, source: ByteSource): Promise<Spooled> {
  const headBytes = head.bytes.length;
  if (headBytes > CHUNK_BYTES / 2) {
    throw new StorageError(
      'too-large',
      `a file head of ${headBytes} bytes does not fit into ${CHUNK_BYTES / 2}`,
    );
  }
  const reader = new SliceReader(source);
  const hash = createHash('sha256');
  const chunk = site.chunks.take();
  // Made while the bytes are still arriving.
  const file = new IncomingFile(site.incoming);
  let end: number;
  try {
    end = await reader.fill(chunk, headBytes);
    await site.space.check();
  } catch (error) {
    site.chunks.give(chunk);
    await Promise.allSettled([file.remove()]);
    throw error;
  }
  hash.update(chunk.subarray(headBytes, end));
  if (!reader.ended) return await spoolLarge(site, file, head, reader, hash, chunk);

  // Small: written when it is wanted, all of it at once. What turns out to be here already costs no write at all.
  const sha256 = hash.digest();
  head.seal(sha256, end - headBytes);
  head.bytes.copy(chunk);
  site.space.received(end);
  return new Spooled(site, { file, sha256, fileBytes: end, dataSetOffset: headBytes, unwritten: chunk });
}

/** One chunk is written while the next is filled and hashed; a slow disk so stops the source. */
async function spoolLarge(
  site: SpoolSite,
  file: IncomingFile,
  head: SpoolHead,
  reader: SliceReader,
  hash: Hash,
  first: Buffer,
) {
  const writeBack = new WriteBack(file);
  const chunks = [first, site.chunks.take()] as const;
  head.bytes.copy(first);
  let fileBytes = first.length;
  let writing = awaitedLater(file.write(first, 0));
  site.space.received(first.length);
  try {
    for (let turn = 1; !reader.ended; turn += 1) {
      const chunk = chunks[turn % 2 === 1 ? 1 : 0];
      const end = await reader.fill(chunk, 0);
      const bytes = chunk.subarray(0, end);
      hash.update(bytes);
      await writing;
      await site.space.check();
      await writeBack.written(fileBytes);
      writing = awaitedLater(file.write(bytes, fileBytes));
      fileBytes += end;
      site.space.received(end);
    }
    await writing;
    await writeBack.ended();
    const sha256 = hash.digest();
    head.seal(sha256, fileBytes - head.bytes.length);
    await file.write(head.bytes, 0);
    return new Spooled(site, { file, sha256, fileBytes, dataSetOffset: head.bytes.length });
  } catch (error) {
    await Promise.allSettled([writing, writeBack.ended()]);
    // What cannot be removed now is swept at the next start; the first failure is the one to report.
    await Promise.allSettled([file.remove()]);
    throw error;
  } finally {
    for (const chunk of chunks) site.chunks.give(chunk);
  }
}
