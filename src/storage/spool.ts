// Receives one instance: a small one into memory, a large one into incoming/, of which it never holds more than two
// chunks.
import { createHash } from 'node:crypto';
import type { ByteSource } from '../util/byte-source.ts';
import { awaitedLater } from '../util/promises.ts';
import { CHUNK_BYTES } from './chunk-pool.ts';
import { blocksAround } from './direct-write.ts';
import { IncomingFile } from './incoming-file.ts';
import { SliceReader } from './slice-reader.ts';
import type { SpoolSite } from './spool-site.ts';
import { Spooled, type SpoolHead } from './spooled.ts';
import { StorageError } from './storage-error.ts';
import { WriteBack } from './write-back.ts';

export async function spool(site: SpoolSite, head: SpoolHead, source: ByteSource): Promise<Spooled> {
  const headBytes = head.bytes.length;
  if (headBytes > CHUNK_BYTES / 2) {
    throw new StorageError(
      'too-large',
      `a file head of ${headBytes} bytes does not fit into ${CHUNK_BYTES / 2}`,
    );
  }
  const reader = new SliceReader(source);
  const chunk = site.chunks.take();
  let end: number;
  try {
    end = await reader.fill(chunk, headBytes);
    const asking = site.space.check();
    if (asking !== undefined) await asking;
  } catch (error) {
    site.chunks.give(chunk);
    throw error;
  }
  if (!reader.ended) return await spoolLarge(site, head, reader, chunk);

  // Small: neither a file nor a hash until somebody wants them.
  head.bytes.copy(chunk);
  site.space.received(end);
  return new Spooled(site, { head, fileBytes: end, unwritten: chunk });
}

/** Kept in memory of a large instance: enough to read most data sets' heads, and to seal the file's. */
const BEGINNING_BYTES = 64 << 10;

/** One chunk is written while the next is filled and hashed; a slow disk so stops the source. */
async function spoolLarge(site: SpoolSite, head: SpoolHead, reader: SliceReader, first: Buffer) {
  const hash = createHash('sha256').update(first.subarray(head.bytes.length));
  const file = new IncomingFile(site.incoming, site.isDirect);
  const writeBack = new WriteBack(file);
  const chunks = [first, site.chunks.take()] as const;
  head.bytes.copy(first);
  const beginning = Buffer.from(
    first.subarray(0, Math.max(BEGINNING_BYTES, blocksAround(head.bytes.length))),
  );
  let fileBytes = first.length;
  let writing = awaitedLater(file.writeChunk(first, first.length, 0));
  site.space.received(first.length);
  try {
    for (let turn = 1; !reader.ended; turn += 1) {
      const chunk = chunks[turn % 2 === 1 ? 1 : 0];
      const end = await reader.fill(chunk, 0);
      hash.update(chunk.subarray(0, end));
      await writing;
      await site.space.check();
      await writeBack.written(fileBytes);
      writing = awaitedLater(file.writeChunk(chunk, end, fileBytes));
      fileBytes += end;
      site.space.received(end);
    }
    await writing;
    await writeBack.ended();
    const sha256 = hash.digest('hex');
    head.seal(sha256, fileBytes - head.bytes.length);
    head.bytes.copy(beginning);
    beginning.copy(first);
    await file.writeChunk(first, blocksAround(head.bytes.length), 0);
    return new Spooled(site, { head, fileBytes, file, sha256, beginning });
  } catch (error) {
    await Promise.allSettled([writing, writeBack.ended()]);
    // What cannot be removed now is swept at the next start; the first failure is the one to report.
    await Promise.allSettled([file.remove()]);
    throw error;
  } finally {
    for (const chunk of chunks) site.chunks.give(chunk);
  }
}
