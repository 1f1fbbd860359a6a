// What a C-FIND answers apart from its matches (PS3.4 §C.4.1): statuses for wrong identifiers, character sets,
// C-CANCEL, and any number of matches.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ByteAssociation } from '../support/byte-association.ts';
import { type ElementSpec, encodeCommand, encodeElements, textOf } from '../support/byte-elements.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { dataPdu } from '../support/byte-pdu.ts';
import {
  find,
  identifier,
  MODELS,
  type Model,
  queryContexts,
  relational,
  requestOf,
  storageContexts,
  store,
  TAG,
} from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { STUDIES, storeFixture } from '../support/query-fixture.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const MANY = 1500;

describe('answers to C-FIND', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('answers');
    daemon = await startDaemon({ dataDir: folder.path });
    await storeFixture(daemon);
  });
  after(async () => {
    await daemon[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  const associate = () => ByteAssociation.request({ port: daemon.port, contexts: queryContexts('find') });

  async function statusOf(
    model: Model,
    keys: readonly ElementSpec[],
  ): Promise<{ status: number; matches: number; comment: string }> {
    const association = await associate();
    const { status, matches, final } = await find(association, model, keys);
    await association.release();
    return { status, matches: matches.length, comment: String(final.ErrorComment ?? '') };
  }

  const wrongLevels: readonly (readonly [string, Model, string | undefined])[] = [
    ['IMAGE in Patient/Study Only', 'patientStudyOnly', 'IMAGE'],
    ['SERIES in Patient/Study Only', 'patientStudyOnly', 'SERIES'],
    ['PATIENT in Study Root', 'study', 'PATIENT'],
    ['a level nobody knows', 'patient', 'FRAME'],
    ['no level', 'patient', undefined],
  ];
  for (const [name, model, level] of wrongLevels) {
    test(`${name}: 0xA900 (PS3.4 Table C.4-1)`, async () => {
      const { status, matches, comment } = await statusOf(
        model,
        identifier(level, [{ tag: TAG.PatientID, vr: 'LO' }]),
      );
      assert.equal(status, 0xa900);
      assert.equal(matches, 0);
      assert.notEqual(comment, '');
    });
  }

  test('a unique key above the level is missing: 0xA900, or all that match, as with relational queries', async () => {
    const { status, matches } = await statusOf(
      'study',
      identifier('SERIES', [{ tag: TAG.SeriesInstanceUID, vr: 'UI' }]),
    );
    assert.ok(
      status === 0xa900 || (status === 0 && matches === 6),
      `0x${status.toString(16)}, ${matches} matches`,
    );
  });

  test('an identifier that cannot be read: a failure, and the association goes on', async () => {
    const association = await associate();
    const { id } = association.contextFor(MODELS.study.find);
    await association.send(id, requestOf(association, MODELS.study.find, 0x0020), Buffer.alloc(301, 0x5a));
    const { command } = await association.receive();
    assert.ok(
      command.Status === 0xa900 || (Number(command.Status) & 0xf000) === 0xc000,
      String(command.Status),
    );
    assert.equal(
      (
        await find(
          association,
          'study',
          identifier('STUDY', [{ tag: TAG.PatientID, vr: 'LO', value: 'S-003' }]),
        )
      ).matches.length,
      1,
    );
    await association.release();
  });

  const inCharacterSet: readonly (readonly [string, keyof typeof STUDIES, Buffer])[] = [
    ['GB18030', 'wang', Buffer.from('57616e675e5869616f446f6e673dcdf55ed0a1b6ab', 'hex')],
    ['ISO_IR 192', 'wang', Buffer.from('Wang^XiaoDong=王^小东', 'utf8')],
    ['ISO_IR 100', 'mueller', Buffer.from('Müller^Jörg', 'latin1')],
    ['ISO_IR 192', 'mueller', Buffer.from('Müller^Jörg', 'utf8')],
  ];
  for (const [characterSet, study, expected] of inCharacterSet) {
    test(`${study} in ${characterSet} when that is what the requester speaks`, async () => {
      const association = await associate();
      const keys = identifier('STUDY', [
        { tag: TAG.SpecificCharacterSet, vr: 'CS', value: characterSet },
        { tag: TAG.PatientName, vr: 'PN' },
        { tag: TAG.StudyInstanceUID, vr: 'UI', value: STUDIES[study] },
      ]);
      const [match] = (await find(association, 'study', keys)).matches;
      assert.ok(match);
      assert.equal(textOf(match, TAG.SpecificCharacterSet), characterSet);
      const name = match.get(TAG.PatientName)?.bytes.toString('latin1').trimEnd();
      assert.equal(name, expected.toString('latin1'));
      await association.release();
    });
  }

  test('a requester that names no character set gets what its text needs, and is told which', async () => {
    const association = await associate();
    const keys = identifier('STUDY', [
      { tag: TAG.PatientName, vr: 'PN' },
      { tag: TAG.StudyInstanceUID, vr: 'UI' },
    ]);
    for (const match of (await find(association, 'study', keys)).matches) {
      const name = match.get(TAG.PatientName)?.bytes ?? Buffer.alloc(0);
      if (name.every((byte) => byte < 0x80)) continue;
      assert.notEqual(textOf(match, TAG.SpecificCharacterSet), '', name.toString('latin1'));
    }
    await association.release();
  });

  describe(`${MANY} matches`, () => {
    before(async () => {
      const first = madeInstance();
      const association = await ByteAssociation.request({
        port: daemon.port,
        contexts: storageContexts([first]),
      });
      for (let index = 0; index < MANY; index += 1) {
        const response = await store(
          association,
          madeInstance({
            patientId: 'MANY',
            seriesUid: first.seriesUid,
            studyUid: first.studyUid,
            elements: [{ tag: TAG.InstanceNumber, vr: 'IS', value: String(index) }],
          }),
        );
        assert.equal(response.Status, 0);
      }
      await association.release();
    });

    const everyImage = identifier('IMAGE', [
      { tag: TAG.PatientID, vr: 'LO', value: 'MANY' },
      { tag: TAG.SOPInstanceUID, vr: 'UI' },
    ]);

    function relationalAssociation(): Promise<ByteAssociation> {
      return ByteAssociation.request({
        port: daemon.port,
        contexts: queryContexts('find', ['study']),
        extraUserItems: relational(['study']),
      });
    }

    test('arrive, each once', async () => {
      const association = await relationalAssociation();
      const { matches, status } = await find(association, 'study', everyImage);
      assert.equal(status, 0);
      assert.equal(new Set(matches.map((match) => textOf(match, TAG.SOPInstanceUID))).size, MANY);
      assert.equal(matches.length, MANY);
      await association.release();
    });

    test('C-CANCEL sent with the request ends them with 0xFE00, and the association goes on', async () => {
      const association = await relationalAssociation();
      const { id } = association.contextFor(MODELS.study.find);
      const request = requestOf(association, MODELS.study.find, 0x0020);
      await association.connection.write(
        dataPdu(id, true, true, encodeCommand(request)),
        dataPdu(id, false, true, encodeElements(everyImage, true)),
        dataPdu(
          id,
          true,
          true,
          encodeCommand({
            CommandField: 0x0fff,
            MessageIDBeingRespondedTo: request.MessageID!,
            CommandDataSetType: 0x0101,
          }),
        ),
      );
      let matches = 0;
      for (;;) {
        const { command } = await association.receive();
        if (command.Status !== 0xff00 && command.Status !== 0xff01) {
          assert.equal(command.Status, 0xfe00);
          break;
        }
        matches += 1;
      }
      assert.ok(matches < MANY, `${matches} of ${MANY} before the end`);
      const { status } = await find(
        association,
        'study',
        identifier('STUDY', [{ tag: TAG.PatientID, vr: 'LO', value: 'S-003' }]),
      );
      assert.equal(status, 0);
      await association.release();
    });

    test('a requester that goes away in the middle leaves nothing running', async () => {
      for (let time = 0; time < 5; time += 1) {
        const association = await relationalAssociation();
        const { id } = association.contextFor(MODELS.study.find);
        await association.send(
          id,
          requestOf(association, MODELS.study.find, 0x0020),
          encodeElements(everyImage, true),
        );
        await association.receive();
        association.connection.reset();
      }
      const association = await relationalAssociation();
      assert.equal((await find(association, 'study', everyImage)).matches.length, MANY);
      await association.release();
    });
  });
});
