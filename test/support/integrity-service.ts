// The integrity check of an archive in this process, without pauses, with the clock and the second archive of the test.
import { IntegrityService } from '../../src/archive/integrity.ts';
import { Notices } from '../../src/archive/notices.ts';
import type { FetchBack } from '../../src/archive/repair.ts';
import type { OpenedArchive } from './open-archive.ts';

export interface IntegrityServiceOptions {
  readonly now?: () => Date;
  readonly fetchBack?: FetchBack;
  readonly isBusy?: () => boolean;
}

export function serviceOf(
  { archive, storage, catalog }: Pick<OpenedArchive, 'archive' | 'storage' | 'catalog'>,
  { now = () => new Date(), isBusy = () => false, fetchBack }: IntegrityServiceOptions = {},
) {
  const notices = new Notices(catalog, now);
  const service = new IntegrityService({
    ...{ storage, catalog, notices, now, isBusy },
    ...(fetchBack === undefined ? {} : { fetchBack }),
    overrides: () => undefined,
    aeTitle: 'ANGIOVAULT',
    store: (input, dataSet) => archive.store(input, dataSet),
    withoutReceptions: (uids, work) => archive.withoutReceptions(uids, work),
    bytesPerSecond: 1e12,
    days: 30,
  });
  return { service, notices };
}
