// Strangers: who is neither a peer nor on this machine may echo, may do nothing, or may do everything, as configured.
// A stranger here is a requestor on an address of this machine that is not a loopback address.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultLines, filesIn, newFaultLines } from '../support/archive-state.ts';
import {
  ByteAssociation,
  EXPLICIT_LE,
  IMPLICIT_LE,
  NotAssociatedError,
} from '../support/byte-association.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { PDU } from '../support/byte-pdu.ts';
import { CT_IMAGE, echo, queryContexts, store, VERIFICATION } from '../support/byte-services.ts';
import { type DaemonOptions, startDaemon } from '../support/daemon.ts';
import { strangerAddress } from '../support/stranger-address.ts';
import { tempFolder } from '../support/temp-folder.ts';

const CONTEXTS = [
  { abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LE] },
  { abstractSyntax: CT_IMAGE, transferSyntaxes: [EXPLICIT_LE] },
  ...queryContexts('find'),
  ...queryContexts('move'),
  ...queryContexts('get'),
];

const EVERYTHING = new Set(CONTEXTS.map(({ abstractSyntax }) => abstractSyntax));

async function accepted(
  options: Omit<DaemonOptions, 'dataDir'>,
  from: 'stranger' | 'here',
  callingAeTitle = 'STRANGER',
) {
  await using folder = await tempFolder('callers');
  await using host = await strangerAddress();
  await using daemon = await startDaemon({ dataDir: folder.path, ...options });
  const address = from === 'here' ? '127.0.0.1' : host.address;
  const association = await ByteAssociation.request({
    port: daemon.port,
    host: address,
    callingAeTitle,
    contexts: CONTEXTS,
  });
  const syntaxes = new Set([...association.contexts.values()].map(({ abstractSyntax }) => abstractSyntax));
  if (syntaxes.has(VERIFICATION)) assert.equal(await echo(association), 0);
  if (syntaxes.has(CT_IMAGE)) assert.equal((await store(association, madeInstance())).Status, 0);
  await association.release();
  assert.equal(filesIn(folder.path, 'studies').length, syntaxes.has(CT_IMAGE) ? 1 : 0);
  return syntaxes;
}

describe('unknown callers', () => {
  test('by default a stranger may echo, and nothing else', async () => {
    assert.deepEqual(await accepted({}, 'stranger'), new Set([VERIFICATION]));
  });

  test('echo: the same', async () => {
    assert.deepEqual(await accepted({ unknownCallers: 'echo' }, 'stranger'), new Set([VERIFICATION]));
  });

  test('all: a stranger may do everything', async () => {
    assert.deepEqual(await accepted({ unknownCallers: 'all' }, 'stranger'), EVERYTHING);
  });

  test('refuse: A-ASSOCIATE-RJ, calling AE title not recognized (PS3.8 Table 9-21), and a log line with its name', async () => {
    await using folder = await tempFolder('callers');
    await using host = await strangerAddress();
    await using daemon = await startDaemon({ dataDir: folder.path, unknownCallers: 'refuse' });
    const seen = faultLines(folder.path).length;
    const request = ByteAssociation.request({
      port: daemon.port,
      host: host.address,
      callingAeTitle: 'STRANGER',
      contexts: CONTEXTS,
    });
    await assert.rejects(request, (error: unknown) => {
      assert.ok(error instanceof NotAssociatedError);
      assert.equal(error.pdu?.type, PDU.associateRj);
      assert.deepEqual([...error.pdu.body.subarray(1)], [1, 1, 3]);
      return true;
    });
    const lines = await newFaultLines(folder.path, seen);
    assert.equal(lines.length, 1);
    assert.match(lines[0] ?? '', /STRANGER/);
  });

  test('a peer is known by its AE title wherever it calls from', async () => {
    const options: Omit<DaemonOptions, 'dataDir'> = {
      unknownCallers: 'refuse',
      peers: ['WORKSTATION@192.0.2.99:104'],
    };
    assert.deepEqual(await accepted(options, 'stranger', 'WORKSTATION'), EVERYTHING);
  });

  test('a caller on loopback is known, whatever its AE title and the rule', async () => {
    assert.deepEqual(await accepted({ unknownCallers: 'refuse' }, 'here'), EVERYTHING);
  });

  test('a stranger who sends a C-STORE in a context it was refused is cut off, and nothing is kept', async () => {
    await using folder = await tempFolder('callers');
    await using host = await strangerAddress();
    await using daemon = await startDaemon({ dataDir: folder.path });
    const association = await ByteAssociation.request({
      port: daemon.port,
      host: host.address,
      callingAeTitle: 'STRANGER',
      contexts: CONTEXTS,
    });
    const instance = madeInstance();
    await association.send(
      3,
      {
        AffectedSOPClassUID: CT_IMAGE,
        CommandField: 1,
        MessageID: 1,
        Priority: 0,
        CommandDataSetType: 1,
        AffectedSOPInstanceUID: instance.sopInstanceUid,
      },
      instance.dataSet,
    );
    await assert.rejects(association.receive(), { by: 'abort' });
    assert.deepEqual(filesIn(folder.path, 'studies'), []);
    assert.deepEqual(filesIn(folder.path, 'incoming'), []);
    assert.equal(association.contexts.has(3), false);
  });
});
