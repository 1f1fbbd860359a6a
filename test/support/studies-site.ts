// The routes of the archive's contents on a real archive and the real door.

import { deletionRoutes } from '../../src/http/api/deletions.ts';
import { downloadRoute } from '../../src/http/api/download.ts';
import { instanceRoutes } from '../../src/http/api/instances.ts';
import { proofRoute } from '../../src/http/api/proof.ts';
import { sendRoute } from '../../src/http/api/send.ts';
import { studyRoutes } from '../../src/http/api/studies.ts';
import type { AuditRecord } from '../../src/http/audit.ts';
import type { JobRequest, JobView } from '../../src/jobs/job-queue.ts';
import { byteSourceOf } from '../../src/util/byte-source.ts';
import { type HttpAsk, httpAsk, httpServer } from './http-site.ts';
import { type OpenedArchive, openArchive } from './open-archive.ts';
import { instanceIn } from './sample-data-sets.ts';
import { samplePath } from './samples.ts';
import { tempFolder } from './temp-folder.ts';

export interface StudiesSite extends AsyncDisposable, OpenedArchive {
  readonly folder: string;
  readonly port: number;
  readonly changes: AuditRecord[];
  readonly enqueued: JobRequest[];
  ask(path: string, ask?: HttpAsk): ReturnType<typeof httpAsk>;
  /** Stores a real instance under the AE title DSA. */
  storeSample(sample: string): Promise<{ studyUid: string; seriesUid: string; sopInstanceUid: string }>;
}

/** Jobs are only written down; DSA3D is the one peer. */
export async function studiesSite(): Promise<StudiesSite> {
  const folder = await tempFolder('studies');
  const opened = await openArchive(folder.path);
  const { archive } = opened;
  const changes: AuditRecord[] = [];
  const enqueued: JobRequest[] = [];
  const record = { record: async (change: AuditRecord) => void changes.push(change) };
  const jobs = {
    enqueue: async (request: JobRequest) => {
      enqueued.push(request);
      return { id: enqueued.length } as JobView;
    },
  };
  const server = await httpServer({
    routes: [
      ...studyRoutes({ archive }),
      ...instanceRoutes({ archive }),
      downloadRoute({ archive }),
      proofRoute({ archive }),
      sendRoute({ archive, jobs, audit: record, isPeer: (title) => title === 'DSA3D' }),
      ...deletionRoutes({ archive, audit: record, trashDays: () => 30 }),
    ],
  });
  const { port } = await server.listen();
  return Object.assign(opened, {
    folder: folder.path,
    port,
    changes,
    enqueued,
    ask: (path: string, ask?: HttpAsk) => httpAsk(port, path, ask),
    storeSample: async (sample: string) => {
      const instance = instanceIn(samplePath(sample));
      const input = { ...instance, sourceAeTitle: 'DSA', receivingAeTitle: 'ANGIOVAULT' };
      await archive.store(input, byteSourceOf(instance.dataSet));
      await archive.counts();
      return instance;
    },
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await archive.close();
      await opened.catalog.close();
      await opened.storage.close();
      await folder[Symbol.asyncDispose]();
    },
  });
}
