// Command sets that are wrong, and messages that are not for their context (PS3.7 §6.3.1, §9.3): a failure status
// or A-ABORT, one log line, and nothing left behind.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation } from '../support/byte-association.ts';
import { elementHeader, encodeCommand, encodeElements, withGroupLength } from '../support/byte-elements.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { CT_IMAGE, MODELS, VERIFICATION } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';
import {
  assertWithstands,
  type Case,
  CONTEXTS,
  finding,
  is,
  isAbort,
  isFailure,
  isFailureOrAbort,
  STUDY_QUERY,
  storeRq,
  storing,
  storingWithout,
} from '../support/wrong-messages.ts';

const COMMAND_CASES: readonly Case[] = [
  {
    name: 'a group length that says more than there is',
    message: () => ({
      context: VERIFICATION,
      command: withGroupLength(encodeCommand({ CommandField: 0x30 }).subarray(12), 5000),
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'an element length that runs past the end of the command set',
    message: () => ({
      context: VERIFICATION,
      command: withGroupLength(
        Buffer.concat([elementHeader(0x00000002, 'UI', 4000, false), Buffer.from('1.2.840.10008.1.1\0')]),
      ),
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'an element of 4 GB in the command set',
    message: () => ({
      context: VERIFICATION,
      command: withGroupLength(elementHeader(0x00000002, 'UI', 0xffffffff, false)),
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'a command set of no bytes',
    message: () => ({ context: VERIFICATION, command: Buffer.alloc(0) }),
    right: isFailureOrAbort,
  },
  {
    name: 'a command set of noise',
    message: () => ({ context: VERIFICATION, command: Buffer.alloc(128, 0xa5) }),
    right: isFailureOrAbort,
  },
  {
    name: 'a command set in explicit VR',
    message: () => ({
      context: VERIFICATION,
      command: encodeElements(
        [
          { tag: 0x00000100, vr: 'US', value: 0x30 },
          { tag: 0x00000110, vr: 'US', value: 1 },
        ],
        true,
      ),
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'a command set without Command Field',
    message: () => ({
      context: VERIFICATION,
      command: { AffectedSOPClassUID: VERIFICATION, MessageID: 7, CommandDataSetType: 0x0101 },
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'a command set without Message ID',
    message: () => ({
      context: VERIFICATION,
      command: { AffectedSOPClassUID: VERIFICATION, CommandField: 0x30, CommandDataSetType: 0x0101 },
    }),
    right: isFailureOrAbort,
  },
  {
    name: 'a Command Field nobody knows',
    message: () => ({
      context: VERIFICATION,
      command: {
        AffectedSOPClassUID: VERIFICATION,
        CommandField: 0x0666,
        MessageID: 7,
        CommandDataSetType: 0x0101,
      },
    }),
    right: (answer) => answer === 0x0211 || answer === 'abort',
  },
  {
    name: 'a response nobody waits for',
    message: () => ({
      context: CT_IMAGE,
      command: { CommandField: 0x8001, MessageIDBeingRespondedTo: 99, CommandDataSetType: 0x0101, Status: 0 },
    }),
    right: isAbort,
  },
  {
    name: 'N-ACTION to a class that has none',
    message: () => ({
      context: VERIFICATION,
      command: {
        AffectedSOPClassUID: '1.2.840.10008.1.20.1',
        CommandField: 0x0130,
        MessageID: 7,
        CommandDataSetType: 0x0101,
        RequestedSOPInstanceUID: freshUid(),
        ActionTypeID: 1,
      },
    }),
    right: isFailure,
  },
  {
    name: 'C-STORE in a query context',
    message: () => ({ ...storing(madeInstance()), context: MODELS.study.find }),
    right: isFailureOrAbort,
  },
  {
    name: 'C-FIND in a storage context',
    message: () => ({ ...finding(STUDY_QUERY), context: CT_IMAGE }),
    right: isFailureOrAbort,
  },
  {
    name: 'C-MOVE in a C-FIND context',
    message: () => finding(STUDY_QUERY, { CommandField: 0x0021, MoveDestination: 'BYTESCP' }),
    right: isFailureOrAbort,
  },
  {
    name: 'C-STORE without Affected SOP Class UID',
    message: () => storingWithout('AffectedSOPClassUID'),
    right: isFailure,
  },
  {
    name: 'C-STORE without Affected SOP Instance UID',
    message: () => storingWithout('AffectedSOPInstanceUID'),
    right: isFailure,
  },
  {
    name: 'C-STORE that announces no data set',
    message: () => ({ context: CT_IMAGE, command: storeRq(madeInstance(), { CommandDataSetType: 0x0101 }) }),
    right: isFailure,
  },
  {
    name: 'C-STORE of a class other than that of its context',
    message: () => storing(madeInstance(), { AffectedSOPClassUID: '1.2.840.10008.5.1.4.1.1.4' }),
    right: isFailure,
  },
  { name: 'C-FIND without identifier', message: () => finding(undefined), right: isFailure },
  {
    name: 'C-MOVE without destination',
    message: () => ({
      ...finding(STUDY_QUERY, { AffectedSOPClassUID: MODELS.study.move, CommandField: 0x0021 }),
      context: MODELS.study.move,
    }),
    right: is(0xa801, 0xa900, 0xc000),
  },
];

describe('wrong command sets', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('messages');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await folder[Symbol.asyncDispose]();
  });

  for (const wrong of COMMAND_CASES) test(wrong.name, () => assertWithstands(daemon, wrong));

  test('C-CANCEL of a message that does not run is ignored (PS3.7 §9.3.2.3)', async () => {
    const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
    const { id } = association.contextFor(MODELS.study.find);
    await association.send(id, {
      CommandField: 0x0fff,
      MessageIDBeingRespondedTo: 4711,
      CommandDataSetType: 0x0101,
    });
    await association.send(association.contextFor(VERIFICATION).id, {
      AffectedSOPClassUID: VERIFICATION,
      CommandField: 0x30,
      MessageID: 2,
      CommandDataSetType: 0x0101,
    });
    assert.equal((await association.receive()).command.Status, 0);
    await association.release();
  });
});
