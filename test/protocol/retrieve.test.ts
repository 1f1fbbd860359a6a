// C-MOVE and C-GET (PS3.4 §C.4.2, §C.4.3): the three models, sub-operation counts, failed lists, C-CANCEL, and
// destinations that refuse, fail or vanish.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from '../support/byte-association.ts';
import { type ElementSpec, encodeElements } from '../support/byte-elements.ts';
import { type MadeInstance, madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import {
  CT_IMAGE,
  type GotInstance,
  get,
  getProposal,
  identifier,
  MODELS,
  type Model,
  move,
  queryContexts,
  requestOf,
  sha256,
  storageContexts,
  store,
  TAG,
  XA_IMAGE,
} from '../support/byte-services.ts';
import { ByteStorageScp, type ReceivedInstance, storeResponse } from '../support/byte-storage-scp.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const PATIENT_ID = 'RETRIEVE';
const STUDY_UIDS = [freshUid(), freshUid()];
const SERIES_UIDS = [freshUid(), freshUid(), freshUid()];
/** Two studies of one patient: two series of three instances, and one of two. */
const INSTANCES: readonly MadeInstance[] = [
  [0, 0, CT_IMAGE],
  [0, 0, CT_IMAGE],
  [0, 0, CT_IMAGE],
  [0, 1, XA_IMAGE],
  [0, 1, XA_IMAGE],
  [0, 1, XA_IMAGE],
  [1, 2, CT_IMAGE],
  [1, 2, CT_IMAGE],
].map(([study, series, sopClassUid], index) =>
  madeInstance({
    patientId: PATIENT_ID,
    studyUid: STUDY_UIDS[Number(study)]!,
    seriesUid: SERIES_UIDS[Number(series)]!,
    sopClassUid: String(sopClassUid),
    elements: [{ tag: TAG.InstanceNumber, vr: 'IS', value: String(index) }],
  }),
);

const uid = (tag: number, ...values: string[]): ElementSpec => ({ tag, vr: 'UI', value: values.join('\\') });
const patient: ElementSpec = { tag: TAG.PatientID, vr: 'LO', value: PATIENT_ID };
const study = uid(TAG.StudyInstanceUID, STUDY_UIDS[0]!);
const series = uid(TAG.SeriesInstanceUID, SERIES_UIDS[1]!);
const uidsOf = (instances: readonly { sopInstanceUid: string }[]): string[] =>
  instances.map(({ sopInstanceUid }) => sopInstanceUid).sort();

/** Model, level, unique keys, and which of INSTANCES they name. */
const SELECTIONS: readonly (readonly [Model, string, readonly ElementSpec[], readonly number[]])[] = [
  ['patient', 'PATIENT', [patient], [0, 1, 2, 3, 4, 5, 6, 7]],
  ['patient', 'STUDY', [patient, study], [0, 1, 2, 3, 4, 5]],
  ['patient', 'SERIES', [patient, study, series], [3, 4, 5]],
  ['patient', 'IMAGE', [patient, study, series, uid(TAG.SOPInstanceUID, INSTANCES[4]!.sopInstanceUid)], [4]],
  ['study', 'STUDY', [uid(TAG.StudyInstanceUID, ...STUDY_UIDS)], [0, 1, 2, 3, 4, 5, 6, 7]],
  ['study', 'STUDY', [uid(TAG.StudyInstanceUID, STUDY_UIDS[1]!)], [6, 7]],
  [
    'study',
    'SERIES',
    [study, uid(TAG.SeriesInstanceUID, SERIES_UIDS[0]!, SERIES_UIDS[1]!)],
    [0, 1, 2, 3, 4, 5],
  ],
  [
    'study',
    'IMAGE',
    [study, series, uid(TAG.SOPInstanceUID, INSTANCES[3]!.sopInstanceUid, INSTANCES[5]!.sopInstanceUid)],
    [3, 5],
  ],
  ['patientStudyOnly', 'PATIENT', [patient], [0, 1, 2, 3, 4, 5, 6, 7]],
  ['patientStudyOnly', 'STUDY', [patient, uid(TAG.StudyInstanceUID, STUDY_UIDS[1]!)], [6, 7]],
];

describe('retrieval', () => {
  let folder: TempFolder;
  let daemon: Daemon;
  let destination: ByteStorageScp;
  /** What the destination answers to the next instances. */
  let answer: (instance: ReceivedInstance) => number | Promise<number> = () => 0;
  let accepts: (transferSyntaxUid: string) => boolean = () => true;
  const silent = createServer();

  before(async () => {
    folder = await tempFolder('retrieve');
    destination = await ByteStorageScp.listen({
      status: (instance) => answer(instance),
      choose: (context) => context.transferSyntaxes.find((syntax) => accepts(syntax)),
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    const silentPort = typeof address === 'object' && address !== null ? address.port : 0;
    // Who accepts a connection and says nothing is worse than who is not there.
    silent.on('connection', (socket) => socket.destroy());
    daemon = await startDaemon({
      dataDir: folder.path,
      peers: [destination.peer, 'NOBODY@127.0.0.1:1', `HANGSUP@127.0.0.1:${silentPort}`],
    });
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts(INSTANCES),
    });
    for (const instance of INSTANCES) assert.equal((await store(association, instance)).Status, 0);
    await association.release();
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await destination.close();
    silent.close();
    await folder[Symbol.asyncDispose]();
  });

  const moving = () => ByteAssociation.request({ port: daemon.port, contexts: queryContexts('move') });
  const getting = () =>
    ByteAssociation.request({
      port: daemon.port,
      ...getProposal(INSTANCES, ['patient', 'study', 'patientStudyOnly']),
    });

  for (const [model, level, keys, expected] of SELECTIONS) {
    test(`C-MOVE and C-GET, ${model} model, ${level} level, ${expected.length} instances`, async () => {
      const wanted = expected.map((index) => INSTANCES[index]!);
      const hashes = new Set(wanted.map(({ dataSet }) => sha256(dataSet)));
      const moveAssociation = await moving();
      const moved = await move(moveAssociation, model, destination.aeTitle, identifier(level, keys));
      await moveAssociation.release();
      const received = destination.takeReceived();
      assert.deepEqual(
        [moved.status, moved.completed, moved.failed, moved.warning],
        [0, wanted.length, 0, 0],
      );
      assert.deepEqual(uidsOf(received), uidsOf(wanted));
      assert.deepEqual(new Set(received.map(({ dataSet }) => sha256(dataSet))), hashes);

      const got: GotInstance[] = [];
      const getAssociation = await getting();
      const result = await get(getAssociation, model, identifier(level, keys), (instance) => {
        got.push(instance);
        return 0;
      });
      await getAssociation.release();
      assert.deepEqual(
        [result.status, result.completed, result.failed, result.warning],
        [0, wanted.length, 0, 0],
      );
      assert.deepEqual(uidsOf(got), uidsOf(wanted));
      assert.deepEqual(new Set(got.map(({ dataSet }) => sha256(dataSet))), hashes);
    });
  }

  test('nothing matches: Success with no sub-operation', async () => {
    const association = await moving();
    const keys = identifier('STUDY', [uid(TAG.StudyInstanceUID, freshUid())]);
    const moved = await move(association, 'study', destination.aeTitle, keys);
    assert.deepEqual([moved.status, destination.takeReceived().length], [0, 0]);
    await association.release();
  });

  test('an unknown destination: 0xA801', async () => {
    const association = await moving();
    const moved = await move(association, 'study', 'STRANGER', identifier('STUDY', [study]));
    assert.equal(moved.status, 0xa801);
    assert.notEqual(String(moved.final.ErrorComment ?? ''), '');
    await association.release();
  });

  for (const [name, aeTitle] of [
    ['is not there', 'NOBODY'],
    ['hangs up', 'HANGSUP'],
  ] as const) {
    test(`a destination that ${name}: all sub-operations failed, 0xA702, each named`, async () => {
      const association = await moving();
      const moved = await move(association, 'study', aeTitle, identifier('STUDY', [study]));
      assert.equal(moved.status, 0xa702);
      assert.deepEqual([moved.completed, moved.failed, moved.warning], [0, 6, 0]);
      assert.deepEqual([...moved.failedUids].sort(), uidsOf(INSTANCES.slice(0, 6)));
      await association.release();
    });
  }

  test('a destination that refuses some: 0xB000, counts and failed list', async () => {
    const refused = [INSTANCES[1]!.sopInstanceUid, INSTANCES[4]!.sopInstanceUid];
    answer = ({ sopInstanceUid }) => {
      if (refused.includes(sopInstanceUid)) return 0xa700;
      return sopInstanceUid === INSTANCES[2]!.sopInstanceUid ? 0xb000 : 0;
    };
    const association = await moving();
    const moved = await move(association, 'study', destination.aeTitle, identifier('STUDY', [study]));
    answer = () => 0;
    destination.takeReceived();
    assert.equal(moved.status, 0xb000);
    assert.deepEqual([moved.completed, moved.failed, moved.warning], [3, 2, 1]);
    assert.deepEqual([...moved.failedUids].sort(), refused.sort());
    await association.release();
  });

  test('a C-GET requestor that fails some: the same', async () => {
    const refused = INSTANCES[3]!.sopInstanceUid;
    const association = await getting();
    const result = await get(association, 'study', identifier('STUDY', [study]), ({ sopInstanceUid }) =>
      sopInstanceUid === refused ? 0xa700 : 0,
    );
    assert.equal(result.status, 0xb000);
    assert.deepEqual([result.completed, result.failed, result.failedUids], [5, 1, [refused]]);
    await association.release();
  });

  test('a C-GET requestor without a context for one class: those instances fail and are named', async () => {
    const onlyCt = INSTANCES.filter(({ sopClassUid }) => sopClassUid === CT_IMAGE);
    const association = await ByteAssociation.request({ port: daemon.port, ...getProposal(onlyCt) });
    const got: string[] = [];
    const result = await get(association, 'study', identifier('STUDY', [study]), ({ sopInstanceUid }) => {
      got.push(sopInstanceUid);
      return 0;
    });
    assert.equal(result.status, 0xb000);
    assert.deepEqual(got.sort(), uidsOf(INSTANCES.slice(0, 3)));
    assert.deepEqual([...result.failedUids].sort(), uidsOf(INSTANCES.slice(3, 6)));
    await association.release();
  });

  test('a destination that takes only Implicit VR Little Endian gets that, element for element', async () => {
    accepts = (syntax) => syntax === IMPLICIT_LE;
    const association = await moving();
    const moved = await move(
      association,
      'study',
      destination.aeTitle,
      identifier('SERIES', [study, series]),
    );
    accepts = () => true;
    const received = destination.takeReceived();
    assert.deepEqual([moved.status, moved.completed], [0, 3]);
    for (const instance of received) {
      const original = INSTANCES.find(({ sopInstanceUid }) => sopInstanceUid === instance.sopInstanceUid)!;
      const same = madeInstance({
        ...original,
        transferSyntaxUid: IMPLICIT_LE,
        elements: [{ tag: TAG.InstanceNumber, vr: 'IS', value: String(INSTANCES.indexOf(original)) }],
      });
      assert.equal(instance.transferSyntaxUid, IMPLICIT_LE);
      assert.equal(sha256(instance.dataSet), sha256(same.dataSet));
    }
    await association.release();
  });

  test('the destination is offered every stored class and syntax once, ours first', async () => {
    destination.requests.splice(0);
    const association = await moving();
    await move(association, 'study', destination.aeTitle, identifier('STUDY', [study]));
    await association.release();
    destination.takeReceived();
    assert.equal(destination.requests.length, 1, 'one association for all sub-operations');
    const proposed = destination.requests[0]!.proposed;
    for (const abstractSyntax of [CT_IMAGE, XA_IMAGE]) {
      assert.ok(
        proposed.some(
          (context) =>
            context.abstractSyntax === abstractSyntax && context.transferSyntaxes.includes(EXPLICIT_LE),
        ),
      );
    }
    assert.equal(destination.requests[0]!.callingAeTitle, daemon.aeTitle);
    assert.equal(destination.requests[0]!.calledAeTitle, destination.aeTitle);
  });

  test('a peer that takes only small PDUs, of odd length, gets no longer ones (PS3.8 §D.1)', async () => {
    const association = await ByteAssociation.request({
      port: daemon.port,
      ...getProposal(INSTANCES),
      maxPduBytes: 133,
    });
    const hashes = new Map<string, string>();
    const result = await get(association, 'study', identifier('STUDY', [study]), (instance) => {
      hashes.set(instance.sopInstanceUid, sha256(instance.dataSet));
      return 0;
    });
    assert.equal(result.completed, 6);
    for (const { sopInstanceUid, dataSet } of INSTANCES.slice(0, 6)) {
      assert.equal(hashes.get(sopInstanceUid), sha256(dataSet));
    }
    await association.release();
  });

  test('C-CANCEL of a C-MOVE: 0xFE00, and what remains is said (PS3.4 §C.4.2.3.1)', async () => {
    const { promise: cancelled, resolve: cancel } = Promise.withResolvers<void>();
    const { promise: first, resolve: arrived } = Promise.withResolvers<void>();
    answer = async () => {
      arrived();
      await cancelled;
      return 0;
    };
    const association = await moving();
    const { id } = association.contextFor(MODELS.study.move);
    const request = {
      ...requestOf(association, MODELS.study.move, 0x0021),
      MoveDestination: destination.aeTitle,
    };
    await association.send(id, request, encodeElements(identifier('STUDY', [study]), true));
    await first;
    await association.send(id, {
      CommandField: 0x0fff,
      MessageIDBeingRespondedTo: request.MessageID!,
      CommandDataSetType: 0x0101,
    });
    // An echo in the same direction behind the C-CANCEL would need its own context; a second move waits its turn
    // no better. That the cancel was read is seen by its effect alone, so the sub-operation ends after it.
    setImmediate(cancel);
    let final = (await association.receive()).command;
    while (final.Status === 0xff00) final = (await association.receive()).command;
    answer = () => 0;
    const sent = destination.takeReceived().length;
    assert.ok(final.Status === 0xfe00, `0x${Number(final.Status).toString(16)}`);
    assert.ok(sent < 6, `${sent} of 6 sent`);
    assert.equal(
      Number(final.NumberOfCompletedSuboperations) + Number(final.NumberOfRemainingSuboperations),
      6,
    );
    const again = await move(association, 'study', destination.aeTitle, identifier('STUDY', [study]));
    assert.deepEqual([again.status, again.completed], [0, 6]);
    destination.takeReceived();
    await association.release();
  });

  test('C-CANCEL of a C-GET, sent before the first answer', async () => {
    const association = await getting();
    const { id } = association.contextFor(MODELS.study.get);
    const request = requestOf(association, MODELS.study.get, 0x0010);
    await association.send(id, request, encodeElements(identifier('STUDY', [study]), true));
    const first = await association.receive();
    assert.equal(first.command.CommandField, 0x0001);
    await association.send(id, {
      CommandField: 0x0fff,
      MessageIDBeingRespondedTo: request.MessageID!,
      CommandDataSetType: 0x0101,
    });
    await association.send(first.contextId, storeResponse(first.command, 0));
    let stores = 1;
    for (;;) {
      const { contextId, command } = await association.receive();
      if (command.CommandField === 0x0001) {
        stores += 1;
        await association.send(contextId, storeResponse(command, 0));
      } else if (command.Status !== 0xff00) {
        assert.equal(command.Status, 0xfe00);
        break;
      }
    }
    assert.ok(stores < 6, `${stores} of 6 sent`);
    await association.release();
  });

  test('a requestor that vanishes during C-GET or C-MOVE ends the sub-operations', async () => {
    const association = await getting();
    const { id } = association.contextFor(MODELS.study.get);
    await association.send(
      id,
      requestOf(association, MODELS.study.get, 0x0010),
      encodeElements(identifier('STUDY', [study]), true),
    );
    await association.receive();
    association.connection.reset();
    const next = await moving();
    assert.equal((await move(next, 'study', destination.aeTitle, identifier('STUDY', [study]))).completed, 6);
    destination.takeReceived();
    await next.release();
  });
});
