// A small archive to query: five patients with names in three scripts, dates, several modalities, and a sequence.

import { ByteAssociation } from './byte-association.ts';
import type { ElementSpec } from './byte-elements.ts';
import { type MadeInstance, type MadeOptions, madeInstance } from './byte-instances.ts';
import { freshUid } from './byte-pdu.ts';
import { storageContexts, store, TAG } from './byte-services.ts';
import type { Daemon } from './daemon.ts';

const SCHEDULED_PROCEDURE_STEP_ID = 0x00400009;

export const STUDIES = {
  mueller: freshUid(),
  wang: freshUid(),
  smith: freshUid(),
  smithers: freshUid(),
  undated: freshUid(),
} as const;
export type StudyName = keyof typeof STUDIES;

export const MUELLER_SERIES = { xa: freshUid(), ct: freshUid() } as const;

const element = (tag: number, vr: string, value: ElementSpec['value']): ElementSpec =>
  value === undefined ? { tag, vr } : { tag, vr, value };

function instance(study: StudyName, options: MadeOptions, elements: readonly ElementSpec[]): MadeInstance {
  return madeInstance({ studyUid: STUDIES[study], ...options, elements });
}

/** A study's date, time, accession number, description and modality. */
function about(
  date: string,
  time: string,
  accession: string,
  description: string,
  modality: string,
): ElementSpec[] {
  return [
    element(TAG.StudyDate, 'DA', date),
    element(TAG.StudyTime, 'TM', time),
    element(TAG.AccessionNumber, 'SH', accession),
    element(TAG.StudyDescription, 'LO', description),
    element(TAG.Modality, 'CS', modality),
  ];
}

const requested = (id: string): ElementSpec =>
  element(TAG.RequestAttributesSequence, 'SQ', [[element(SCHEDULED_PROCEDURE_STEP_ID, 'SH', id)]]);

const MUELLER = { patientId: 'M-001', patientName: Buffer.from('Müller^Jörg ', 'latin1') };
const LATIN1 = element(TAG.SpecificCharacterSet, 'CS', 'ISO_IR 100');
const UTF8 = element(TAG.SpecificCharacterSet, 'CS', 'ISO_IR 192');
const CORONARY = ['20240101', '080000', 'A100', 'Coronary angio'] as const;

export const INSTANCES: readonly MadeInstance[] = [
  instance('mueller', { ...MUELLER, seriesUid: MUELLER_SERIES.xa }, [
    LATIN1,
    ...about(...CORONARY, 'XA'),
    requested('SPS7'),
  ]),
  instance('mueller', { ...MUELLER, seriesUid: MUELLER_SERIES.xa }, [
    LATIN1,
    ...about(...CORONARY, 'XA'),
    requested('SPS7'),
    element(TAG.InstanceNumber, 'IS', '2'),
  ]),
  instance('mueller', { ...MUELLER, seriesUid: MUELLER_SERIES.ct }, [
    LATIN1,
    ...about(...CORONARY, 'CT'),
    requested('SPS8'),
    element(TAG.SeriesNumber, 'IS', '2'),
  ]),
  instance('wang', { patientId: 'W-002', patientName: Buffer.from('Wang^XiaoDong=王^小东', 'utf8') }, [
    UTF8,
    ...about('20240215', '121500.250', 'A200', 'Cerebral DSA', 'XA'),
  ]),
  instance(
    'smith',
    { patientId: 'S-003', patientName: 'Smith^John' },
    about('20231231', '235959', 'B100', 'Renal', 'MR'),
  ),
  instance(
    'smithers',
    { patientId: 'S-004', patientName: 'Smithers^Anna' },
    about('20240301', '0900', 'B200', '100% *special?', 'US'),
  ),
  instance('undated', { patientId: 'N-005', patientName: 'Nobody' }, about('', '', '', '', 'OT')),
];

/** Stores them all, one after the other. */
export async function storeFixture(daemon: Daemon): Promise<void> {
  const association = await ByteAssociation.request({
    port: daemon.port,
    contexts: storageContexts(INSTANCES),
  });
  for (const one of INSTANCES) {
    const { Status } = await store(association, one);
    if (Status !== 0)
      throw new Error(`C-STORE of the query fixture answered 0x${Number(Status).toString(16)}`);
  }
  await association.release();
}
