// Bytes that no upper layer should send (PS3.8 §9.2, §9.3): the association ends in A-ABORT, A-ASSOCIATE-RJ or a
// closed transport connection, the log names the fault in one line, and the daemon goes on.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { assertServes, faultLines, newFaultLines } from '../support/archive-state.ts';
import { ByteAssociation, EXPLICIT_LE, IMPLICIT_LE } from '../support/byte-association.ts';
import { ByteConnection } from '../support/byte-connection.ts';
import { encodeCommand } from '../support/byte-elements.ts';
import { madeInstance } from '../support/byte-instances.ts';
import {
  associateAc,
  associateRq,
  dataPdu,
  freshUid,
  item,
  PDU,
  pdu,
  pdv,
  releaseRp,
  releaseRq,
} from '../support/byte-pdu.ts';
import { CT_IMAGE, storageContexts, storeCommand, VERIFICATION } from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const PARTIES = { callingAeTitle: 'ABUSER', calledAeTitle: 'ANGIOVAULT', maxPduBytes: 65536 };
const ECHO_CONTEXT = { id: 1, abstractSyntax: VERIFICATION, transferSyntaxes: [IMPLICIT_LE] };
const GOOD_REQUEST = associateRq({ ...PARTIES, contexts: [ECHO_CONTEXT] });
const ECHO_COMMAND = encodeCommand({
  AffectedSOPClassUID: VERIFICATION,
  CommandField: 0x0030,
  MessageID: 1,
  CommandDataSetType: 0x0101,
});
const FOUR_GB = 0xffffffff;

/** How the daemon ended it. */
type Ending = 'abort' | 'reject' | 'closed';

/** Reads on until A-ABORT, A-ASSOCIATE-RJ or the end; after the first two it is for us to close (Sta13). */
async function endingOf(connection: ByteConnection): Promise<Ending> {
  for (;;) {
    const received = await connection.nextPdu();
    if (received === undefined) return 'closed';
    if (received.type === PDU.abort) return 'abort';
    if (received.type === PDU.associateRj) return 'reject';
  }
}

interface Abuse {
  readonly name: string;
  /** Written to a new transport connection, each part after the A-ASSOCIATE-AC if there was one. */
  readonly bytes: () => readonly Buffer[];
  readonly ending: readonly Ending[];
  /** After a good A-ASSOCIATE-RQ instead of on a bare connection. */
  readonly associated?: boolean;
  /** Our half ends after the bytes: something was cut off. */
  readonly cut?: 'end' | 'reset';
}

const storeHead = (dataSetBytes: number): Buffer[] => {
  const instance = madeInstance();
  const command = encodeCommand({
    AffectedSOPClassUID: CT_IMAGE,
    CommandField: 1,
    MessageID: 1,
    Priority: 0,
    CommandDataSetType: 1,
    AffectedSOPInstanceUID: instance.sopInstanceUid,
  });
  return [
    dataPdu(3, true, true, command),
    dataPdu(3, false, false, instance.dataSet.subarray(0, dataSetBytes)),
  ];
};

const withItem = (type: number, content: Buffer, lie = content.length): Buffer => {
  const request = Buffer.from(GOOD_REQUEST);
  const added = item(type, content);
  added.writeUInt16BE(lie, 2);
  const all = Buffer.concat([request, added]);
  all.writeUInt32BE(all.length - 6, 2);
  return all;
};

const manyContexts = (count: number): Buffer =>
  associateRq({
    ...PARTIES,
    contexts: Array.from({ length: count }, (_, index) => ({ ...ECHO_CONTEXT, id: (2 * index + 1) & 0xff })),
  });

const ABUSES: readonly Abuse[] = [
  // On a bare transport connection (Sta2)
  {
    name: 'Sta2 + Evt10: P-DATA-TF before association',
    bytes: () => [dataPdu(1, true, true, ECHO_COMMAND)],
    ending: ['abort'],
  },
  { name: 'Sta2 + Evt12: A-RELEASE-RQ before association', bytes: () => [releaseRq()], ending: ['abort'] },
  {
    name: 'Sta2 + Evt3: A-ASSOCIATE-AC to an acceptor',
    bytes: () => [associateAc(PARTIES, [])],
    ending: ['abort'],
  },
  { name: 'Sta2 + Evt19: an unknown PDU type', bytes: () => [pdu(0x99, Buffer.alloc(4))], ending: ['abort'] },
  {
    name: 'Sta2 + Evt19: HTTP instead of DICOM',
    bytes: () => [Buffer.from('GET / HTTP/1.1\r\nHost: archive\r\n\r\n')],
    ending: ['abort', 'closed'],
  },
  {
    name: 'an A-ASSOCIATE-RQ of 4 GB',
    bytes: () => [pdu(PDU.associateRq, GOOD_REQUEST.subarray(6), FOUR_GB)],
    ending: ['abort'],
  },
  {
    name: 'an A-ASSOCIATE-RQ of no bytes',
    bytes: () => [pdu(PDU.associateRq, Buffer.alloc(0))],
    ending: ['abort'],
  },
  {
    name: 'an A-ASSOCIATE-RQ cut in the middle',
    bytes: () => [GOOD_REQUEST.subarray(0, 100)],
    ending: ['closed', 'abort'],
    cut: 'end',
  },
  {
    name: 'an A-ASSOCIATE-RQ cut by a reset',
    bytes: () => [GOOD_REQUEST.subarray(0, 100)],
    ending: ['closed', 'abort'],
    cut: 'reset',
  },
  {
    name: 'an item that runs past the end of its PDU',
    bytes: () => [withItem(0x50, Buffer.alloc(8), 60000)],
    ending: ['abort'],
  },
  {
    name: 'a presentation context item shorter than its fixed part',
    bytes: () => [withItem(0x20, Buffer.from([3]))],
    ending: ['abort'],
  },
  {
    name: 'a sub-item that runs past the end of its item',
    bytes: () => [
      withItem(0x20, Buffer.concat([Buffer.from([3, 0, 0, 0, 0x30, 0, 0x7f, 0xff]), Buffer.from('1.2')])),
    ],
    ending: ['abort'],
  },
  { name: '300 presentation contexts', bytes: () => [manyContexts(300)], ending: ['abort', 'reject'] },
  // On an association (Sta6)
  {
    name: 'Sta6 + Evt6: a second A-ASSOCIATE-RQ',
    bytes: () => [GOOD_REQUEST],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'Sta6 + Evt13: A-RELEASE-RP nobody asked for',
    bytes: () => [releaseRp()],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'Sta6 + Evt19: an unknown PDU type',
    bytes: () => [pdu(0x42, Buffer.alloc(10))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a P-DATA-TF longer than announced',
    bytes: () => [pdu(PDU.data, pdv(1, false, true, Buffer.alloc(600_000)))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a P-DATA-TF of 4 GB',
    bytes: () => [pdu(PDU.data, pdv(1, true, true, ECHO_COMMAND), FOUR_GB)],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a P-DATA-TF of no bytes, again and again, then silence',
    bytes: () => [
      ...Array.from({ length: 1000 }, () => pdu(PDU.data, Buffer.alloc(0))),
      pdu(0x99, Buffer.alloc(0)),
    ],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV of 4 GB',
    bytes: () => [pdu(PDU.data, Buffer.concat([Buffer.from('ffffffff0103', 'hex'), ECHO_COMMAND]))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV longer than its P-DATA-TF',
    bytes: () => [pdu(PDU.data, Buffer.concat([Buffer.from('000003000103', 'hex'), ECHO_COMMAND]))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV of no bytes',
    bytes: () => [pdu(PDU.data, Buffer.from('00000000', 'hex'))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV of one byte',
    bytes: () => [pdu(PDU.data, Buffer.from('0000000101', 'hex'))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a P-DATA-TF cut inside the PDV header',
    bytes: () => [pdu(PDU.data, Buffer.from('0000', 'hex'))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV for a context nobody proposed',
    bytes: () => [dataPdu(77, true, true, ECHO_COMMAND)],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV for context 0',
    bytes: () => [dataPdu(0, true, true, ECHO_COMMAND)],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a PDV for a context that was refused',
    bytes: () => [dataPdu(5, true, true, ECHO_COMMAND)],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a data set before its command',
    bytes: () => [dataPdu(3, false, true, Buffer.alloc(100))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a data set where none was announced',
    bytes: () => [
      dataPdu(1, true, true, ECHO_COMMAND),
      dataPdu(1, false, true, Buffer.alloc(16)),
      dataPdu(1, false, true, Buffer.alloc(16)),
    ],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a command inside a data set',
    bytes: () => [...storeHead(100), dataPdu(3, true, true, ECHO_COMMAND)],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a data set in another context than its command',
    bytes: () => [storeHead(0)[0]!, dataPdu(1, false, true, Buffer.alloc(100))],
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a command set that never ends',
    bytes: () => Array.from({ length: 200 }, () => dataPdu(1, true, false, Buffer.alloc(16_000))),
    ending: ['abort'],
    associated: true,
  },
  {
    name: 'a C-STORE cut in its data set by FIN',
    bytes: () => storeHead(200),
    ending: ['closed', 'abort'],
    associated: true,
    cut: 'end',
  },
  {
    name: 'a C-STORE cut in its data set by RST',
    bytes: () => storeHead(200),
    ending: ['closed', 'abort'],
    associated: true,
    cut: 'reset',
  },
  {
    name: 'a C-STORE cut inside a PDU',
    bytes: () => [storeHead(0)[0]!, dataPdu(3, false, false, Buffer.alloc(5000)).subarray(0, 3000)],
    ending: ['closed', 'abort'],
    associated: true,
    cut: 'end',
  },
  {
    name: 'A-ABORT in the middle of a data set',
    bytes: () => [...storeHead(200), pdu(PDU.abort, Buffer.alloc(4))],
    ending: ['closed'],
    associated: true,
  },
];

describe('byte-level abuse', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('abuse');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await folder[Symbol.asyncDispose]();
  });

  async function commit(abuse: Abuse): Promise<Ending> {
    const connection = await ByteConnection.open(daemon.port);
    if (abuse.associated) {
      const contexts = [
        ECHO_CONTEXT,
        { id: 3, abstractSyntax: CT_IMAGE, transferSyntaxes: [EXPLICIT_LE] },
        { id: 5, abstractSyntax: VERIFICATION, transferSyntaxes: ['1.2.840.10008.1.2.4.50'] },
      ];
      await connection.write(associateRq({ ...PARTIES, contexts }));
      assert.equal((await connection.nextPdu())?.type, PDU.associateAc);
    }
    await connection.write(...abuse.bytes());
    if (abuse.cut === 'end') connection.end();
    if (abuse.cut === 'reset') connection.reset();
    const ending = await endingOf(connection);
    connection.destroy();
    return ending;
  }

  for (const abuse of ABUSES) {
    test(abuse.name, async () => {
      const before = faultLines(folder.path).length;
      const ending = await commit(abuse);
      assert.ok(abuse.ending.includes(ending), `ended with ${ending}`);
      await assertServes(daemon);
      const lines = await newFaultLines(folder.path, before);
      assert.equal(lines.length, 1, `one log line for the fault:\n${lines.join('\n')}`);
      assert.doesNotMatch(lines[0] ?? '', /\bat .*\.ts:\d+/, 'no stack trace for what a peer did wrong');
    });
  }

  test('A-ASSOCIATE-RQ of another protocol version is rejected (PS3.8 Table 9-21)', async () => {
    const request = Buffer.from(GOOD_REQUEST);
    request.writeUInt16BE(0x0002, 6);
    const connection = await ByteConnection.open(daemon.port);
    await connection.write(request);
    const answer = await connection.nextPdu();
    assert.deepEqual([answer?.type, [...(answer?.body.subarray(1) ?? [])]], [PDU.associateRj, [1, 2, 2]]);
    connection.destroy();
    await assertServes(daemon);
  });

  test('another application context is rejected (PS3.8 Table 9-21)', async () => {
    const request = Buffer.from(GOOD_REQUEST);
    request.write('9', request.indexOf('1.2.840.10008.3.1.1.1') + 20, 'latin1');
    const connection = await ByteConnection.open(daemon.port);
    await connection.write(request);
    const answer = await connection.nextPdu();
    assert.deepEqual([answer?.type, [...(answer?.body.subarray(1) ?? [])]], [PDU.associateRj, [1, 1, 2]]);
    connection.destroy();
    await assertServes(daemon);
  });

  test('128 contexts are served, each with its own answer (PS3.8 §9.3.2.2)', async () => {
    const contexts = Array.from({ length: 128 }, (_, index) => ({
      abstractSyntax: index % 2 === 0 ? VERIFICATION : CT_IMAGE,
      transferSyntaxes: [index % 4 === 0 ? EXPLICIT_LE : IMPLICIT_LE],
    }));
    const association = await ByteAssociation.request({ port: daemon.port, contexts });
    assert.equal(association.contexts.size, 128);
    await association.release();
  });

  test('a data set in a thousand PDVs of a few bytes arrives whole', async () => {
    const instance = madeInstance();
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: storageContexts([instance]),
    });
    const { id } = association.contextFor(instance.sopClassUid);
    const parts: Buffer[] = [];
    const command = encodeCommand(storeCommand(association, instance));
    for (let at = 0; at < command.length; at += 2) {
      parts.push(dataPdu(id, true, at + 2 >= command.length, command.subarray(at, at + 2)));
    }
    const { dataSet } = instance;
    for (let at = 0; at < dataSet.length; at += 2) {
      parts.push(
        pdu(
          PDU.data,
          Buffer.concat([
            pdv(id, false, false, dataSet.subarray(at, at + 1)),
            pdv(id, false, at + 2 >= dataSet.length, dataSet.subarray(at + 1, at + 2)),
          ]),
        ),
      );
    }
    await association.connection.write(...parts);
    assert.equal((await association.receive()).command.Status, 0);
    await association.release();
  });

  test('UIDs with trailing NUL and blanks in the request are understood (Deviation of real peers)', async () => {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: [
        { abstractSyntax: `${VERIFICATION}\0`, transferSyntaxes: [IMPLICIT_LE] },
        { abstractSyntax: VERIFICATION, transferSyntaxes: [`${IMPLICIT_LE}\0`, freshUid()] },
      ],
    });
    assert.equal(association.contexts.size, 2);
    await association.release();
  });
});
