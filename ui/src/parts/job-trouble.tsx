// Why a job does not get on: how the last call to its device went, and what the program wrote down.
import { useQuery } from '@tanstack/react-query';
import { peers } from '../api/queries.ts';
import type { Job } from '../api/types.ts';
import { Details } from './details.tsx';
import { LastContact } from './last-contact.tsx';

/** The device with which a job works, and whose answer it may lack. */
export const deviceOf = ({ subject: { to, peer } }: Pick<Job, 'subject'>) => to ?? peer;

export function JobTrouble({ job }: { job: Job }) {
  const device = (useQuery(peers).data ?? []).find(({ aeTitle }) => aeTitle === deviceOf(job));
  return (
    <>
      {device?.lastContact?.ok === false && <LastContact peer={device} />}
      <Details text={job.error} />
    </>
  );
}
