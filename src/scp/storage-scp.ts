// Storage SCP: C-STORE (PS3.4 Annex B). Thin: names the instance, hands the stream to the archive.

import type { Archive } from '../archive/archive.ts';
import { DimseError } from '../dimse/errors.ts';
import type { Service } from '../dimse/service-registry.ts';
import { Status } from '../dimse/status.ts';
import type { ExpectedInstances } from './expected-instances.ts';
import { storeFailure } from './status-mapping.ts';

export function storageScp(archive: Archive, expected: ExpectedInstances): Service {
  return async ({ association, context, command, dataSet }) => {
    const sopClassUid = command.affectedSopClassUid ?? context.abstractSyntax;
    const sopInstanceUid = command.affectedSopInstanceUid;
    if (sopInstanceUid === undefined) {
      throw new DimseError(
        Status.cannotUnderstand,
        'The request has no Affected SOP Instance UID (0000,1000).',
        {
          code: 'uid-missing',
          offendingElement: [0x00001000],
        },
      );
    }
    if (dataSet === undefined) {
      throw new DimseError(Status.cannotUnderstand, 'The request announces no data set (0000,0800).', {
        code: 'data-set-missing',
        offendingElement: [0x00000800],
      });
    }
    const claim = expected.claimOn(sopInstanceUid, {
      callingAeTitle: association.callingAeTitle,
      transferSyntaxUid: context.transferSyntax,
      moveOriginatorAeTitle: command.moveOriginatorAeTitle,
    });
    try {
      const { placed } = await archive.store(
        {
          sopClassUid,
          sopInstanceUid,
          transferSyntaxUid: context.transferSyntax,
          sourceAeTitle: association.callingAeTitle,
          receivingAeTitle: association.calledAeTitle,
        },
        dataSet,
        claim,
      );
      // Once the association is released, its instances are in the folder for everybody to see.
      void placed.then(association.hold());
    } catch (error) {
      throw storeFailure(error);
    }
    return { status: Status.success };
  };
}
