// Data sets that an archive cannot keep (PS3.4 §B.2.3, PS3.5 §7): the right failure status, one log line, the
// association goes on, and no name leads out of the archive.

import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deflateRawSync } from 'node:zlib';
import { assertServes, filesIn, foundUids, hashesByGet, storeOnce } from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { type ElementSpec, elementHeader } from '../support/byte-elements.ts';
import { madeInstance } from '../support/byte-instances.ts';
import { freshUid } from '../support/byte-pdu.ts';
import { CT_IMAGE, sha256, TAG } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { DEFLATED } from '../support/sample-data-sets.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';
import {
  assertWithstands,
  type Case,
  CONTEXTS,
  is,
  isCannotUnderstand,
  isDoesNotMatch,
  isRefusedStore,
  nested,
  storeRq,
  storing,
  storingBytes,
  storingUid,
} from '../support/wrong-messages.ts';

const DATA_SET_CASES: readonly Case[] = [
  {
    name: 'SOP Class of data set and command disagree',
    message: () =>
      storing({ ...madeInstance({ sopClassUid: '1.2.840.10008.5.1.4.1.1.4' }), sopClassUid: CT_IMAGE }),
    right: isDoesNotMatch,
  },
  {
    name: 'SOP Instance of data set and command disagree',
    message: () => storing(madeInstance(), { AffectedSOPInstanceUID: freshUid() }),
    right: isDoesNotMatch,
  },
  {
    name: 'no SOP Instance UID in the data set',
    message: () => storing(madeInstance({ without: [TAG.SOPInstanceUID] })),
    right: isRefusedStore,
  },
  ...(['sopInstanceUid', 'studyUid', 'seriesUid'] as const).flatMap((name) =>
    [
      '../../../angiovault-escaped',
      '..',
      '.',
      '1.2/3.4',
      '/etc/passwd',
      '1.2.3\0/x',
      '1..2',
      'CON',
      '%2e%2e%2f',
      `1.${'2'.repeat(80)}`,
      '１.２',
    ].map((uid) => ({
      name: `${name} ${JSON.stringify(uid).slice(0, 40)}`,
      message: () => storingUid(name, uid),
      right: isRefusedStore,
    })),
  ),
  { name: 'a data set of no bytes', message: () => storingBytes(Buffer.alloc(0)), right: isCannotUnderstand },
  {
    name: 'a data set of noise',
    message: () => storingBytes(Buffer.alloc(5000, 0xa5)),
    right: isCannotUnderstand,
  },
  { name: 'a data set of zeros', message: () => storingBytes(Buffer.alloc(5000)), right: isRefusedStore },
  {
    name: 'a data set that ends inside an element header',
    message: () => storingBytes(madeInstance().dataSet.subarray(0, 5)),
    right: isCannotUnderstand,
  },
  {
    name: 'a data set that ends before its UIDs',
    message: () => storingBytes(madeInstance().dataSet.subarray(0, 60)),
    right: isRefusedStore,
  },
  {
    name: 'an element of 4 GB before the UIDs',
    message: () =>
      storingBytes(
        Buffer.concat([elementHeader(0x00080000, 'UN', 0xfffffff0, true), madeInstance().dataSet]),
      ),
    right: isRefusedStore,
  },
  {
    name: 'a sequence of undefined length that never ends',
    message: () =>
      storingBytes(
        Buffer.concat([
          elementHeader(0x00080001, 'SQ', 0xffffffff, true),
          Buffer.from('feff00e0ffffffff', 'hex'),
          madeInstance().dataSet,
        ]),
      ),
    right: isRefusedStore,
  },
  {
    name: 'sequences nested ten thousand deep',
    message: () => storingBytes(Buffer.concat([nested(10_000), madeInstance().dataSet])),
    right: isRefusedStore,
  },
  {
    name: 'a million elements before the UIDs',
    message: () =>
      storingBytes(
        Buffer.concat(Array.from({ length: 1_000_000 }, () => elementHeader(0x00080001, 'UL', 0, true))),
      ),
    right: isRefusedStore,
  },
];

describe('wrong data sets', () => {
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

  for (const wrong of DATA_SET_CASES) test(wrong.name, () => assertWithstands(daemon, wrong));

  test('no UID escaped from the archive', () => {
    const names = readdirSync(folder.path, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      names.filter((name) => /escaped|passwd|CON/.test(name)),
      [],
    );
    assert.equal(existsSync(join(folder.path, '..', 'angiovault-escaped')), false);
    for (const file of filesIn(folder.path, 'studies'))
      assert.match(file, /^(\d{4}\/\d\d|undated)\/[\d.]+\/[\d.]+\/[\d.]+\.dcm$/);
    assert.deepEqual(filesIn(folder.path, 'superseded'), []);
  });

  test('an instance without study and series is kept as a study of its own (Deviation of PS3.3 §A.1.2)', async () => {
    const bare = madeInstance({ without: [TAG.StudyInstanceUID, TAG.SeriesInstanceUID] });
    assert.equal(await storeOnce(daemon, bare), 0);
    const hashes = await hashesByGet(daemon, [{ ...bare, studyUid: bare.sopInstanceUid }]);
    assert.equal(hashes.get(bare.sopInstanceUid), sha256(bare.dataSet));
  });

  test('after a refused C-STORE the same association goes on', async () => {
    const association = await ByteAssociation.request({ port: daemon.port, contexts: CONTEXTS });
    const { id } = association.contextFor(CT_IMAGE);
    const wrong = madeInstance({ without: [TAG.SOPInstanceUID] });
    const good = madeInstance();
    for (const [instance, right] of [
      [wrong, isRefusedStore],
      [good, is(0)],
    ] as const) {
      await association.send(id, storeRq(instance), instance.dataSet);
      assert.ok(right(Number((await association.receive()).command.Status)));
    }
    await association.release();
    assert.deepEqual(
      await foundUids(daemon, [wrong.sopInstanceUid, good.sopInstanceUid]),
      new Set([good.sopInstanceUid]),
    );
  });

  const longHeads: readonly (readonly [string, ElementSpec[]])[] = [
    [
      'a private sequence of 10 MB',
      [
        {
          tag: 0x00191001,
          vr: 'SQ',
          value: [[{ tag: 0x00191010, vr: 'OB', value: Buffer.alloc(10 << 20) }]],
        },
      ],
    ],
    ['a private element of 30 MB', [{ tag: 0x00291010, vr: 'OB', value: Buffer.alloc(30 << 20) }]],
  ];
  for (const [name, elements] of longHeads) {
    test(`${name} in front of the pixels is no reason to refuse`, async () => {
      const instance = madeInstance({ elements });
      assert.equal(await storeOnce(daemon, instance), 0);
      const hashes = await hashesByGet(daemon, [instance]);
      assert.equal(hashes.get(instance.sopInstanceUid), sha256(instance.dataSet));
    });
  }

  test('a deflated data set that inflates without end is refused in bounded memory', async () => {
    // 256 MB of one element in front of the UIDs, in some 256 KB.
    const bytes = 256 << 20;
    const header = elementHeader(0x00080001, 'UN', bytes, true);
    const bomb = deflateRawSync(Buffer.concat([header, Buffer.alloc(bytes), madeInstance().dataSet]));
    const contexts = [{ abstractSyntax: CT_IMAGE, transferSyntaxes: [DEFLATED] }];
    const association = await ByteAssociation.request({ port: daemon.port, contexts });
    daemon.process.resetPeakMemory();
    const before = daemon.memory().peakBytes;
    const instance = madeInstance();
    await association.send(1, storeRq(instance), bomb);
    const { command } = await association.receive();
    assert.ok(isRefusedStore(Number(command.Status)), `0x${Number(command.Status).toString(16)}`);
    await association.release();
    const grown = daemon.memory().peakBytes - before;
    assert.ok(grown < 128 << 20, `grew by ${grown} bytes`);
    await assertServes(daemon);
  });
});
