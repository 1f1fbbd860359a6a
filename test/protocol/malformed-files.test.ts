// Files that are broken, stored byte for byte under a plausible command: kept and given back as they are, or
// refused with the status that says why (PS3.4 §B.2.3). Never anything in between.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  assertServes,
  faultLines,
  filesIn,
  foundUids,
  hashesByGet,
  newFaultLines,
} from '../support/archive-state.ts';
import { ByteAssociation } from '../support/byte-association.ts';
import { textOf } from '../support/byte-elements.ts';
import { freshUid } from '../support/byte-pdu.ts';
import {
  type BytesInstance,
  find,
  identifier,
  queryContexts,
  relational,
  sha256,
  storageContexts,
  store,
  TAG,
} from '../support/byte-services.ts';
import { type Daemon, startDaemon } from '../support/daemon.ts';
import { type CutFile, cutFile, type Identity, identify, identityOf } from '../support/sample-data-sets.ts';
import { samples } from '../support/samples.ts';
import { type TempFolder, tempFolder } from '../support/temp-folder.ts';

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const NO_IDENTITY: Identity = {
  sopClassUid: '',
  sopInstanceUid: '',
  patientId: '',
  studyUid: '',
  seriesUid: '',
};

function identityIn(cut: CutFile): Identity {
  try {
    return identityOf(cut);
  } catch {
    // Some of these files cannot be followed; that is what they are for.
    return NO_IDENTITY;
  }
}

/** What a sender that looks at the file would put into its command, as far as it can be read at all. */
function plausible(cut: CutFile): BytesInstance & { dataSet: Buffer } {
  const identity = identityIn(cut);
  const sopInstanceUid = identity.sopInstanceUid || freshUid();
  return {
    sopClassUid: identity.sopClassUid || SECONDARY_CAPTURE,
    sopInstanceUid,
    transferSyntaxUid: cut.transferSyntaxUid,
    dataSet: cut.dataSet,
  };
}

/** Whether the UIDs that make an instance an instance can all be read from the file by simple means. */
function isReadable(path: string): boolean {
  try {
    return !('unusable' in identify(path));
  } catch {
    return false;
  }
}

describe('broken files', () => {
  let folder: TempFolder;
  let daemon: Daemon;

  before(async () => {
    folder = await tempFolder('malformed');
    daemon = await startDaemon({ dataDir: folder.path });
  });
  after(async () => {
    assert.equal((await daemon.stop()).code, 0);
    await folder[Symbol.asyncDispose]();
  });

  /** The study in which the archive sees an instance, where the file itself is hard to follow. */
  async function studyOf(sopInstanceUid: string): Promise<string> {
    const association = await ByteAssociation.request({
      port: daemon.port,
      contexts: queryContexts('find', ['study']),
      extraUserItems: relational(['study']),
    });
    const keys = identifier('IMAGE', [
      { tag: TAG.SOPInstanceUID, vr: 'UI', value: sopInstanceUid },
      { tag: TAG.StudyInstanceUID, vr: 'UI' },
    ]);
    const { matches } = await find(association, 'study', keys);
    await association.release();
    assert.equal(matches.length, 1);
    return textOf(matches[0]!, TAG.StudyInstanceUID);
  }

  const broken = samples().filter(({ path, file }) => path.startsWith('malformed/') || !isReadable(file));

  test('there are as many as the collection says', () => {
    assert.equal(broken.filter(({ path }) => path.startsWith('malformed/')).length, 42);
    assert.equal(broken.length, 42 + 12);
  });

  for (const { path, file } of broken) {
    test(path, async () => {
      const instance = plausible(cutFile(file));
      const seen = faultLines(folder.path).length;
      const kept = filesIn(folder.path, 'studies').length;
      // Some of these share their UID with an earlier one.
      const known = await foundUids(daemon, [instance.sopInstanceUid]);
      const association = await ByteAssociation.request({
        port: daemon.port,
        contexts: storageContexts([instance]),
      });
      const response = await store(association, instance);
      await association.release();
      const status = Number(response.Status);
      if (status === 0) {
        assert.ok(isReadable(file), 'Success for a file without an identity');
        assert.ok((await foundUids(daemon, [instance.sopInstanceUid])).has(instance.sopInstanceUid));
        const studyUid = await studyOf(instance.sopInstanceUid);
        const hashes = await hashesByGet(daemon, [{ ...instance, studyUid }]);
        assert.equal(hashes.get(instance.sopInstanceUid), sha256(instance.dataSet));
      } else {
        assert.ok(status === 0xa900 || (status & 0xf000) === 0xc000, `0x${status.toString(16)}`);
        assert.ok(String(response.ErrorComment ?? '').length > 0, 'a failure says why (PS3.7 §C.4.1)');
        assert.equal((await newFaultLines(folder.path, seen)).length, 1);
        assert.equal(filesIn(folder.path, 'studies').length, kept);
        assert.deepEqual(await foundUids(daemon, [instance.sopInstanceUid]), known);
      }
      await assertServes(daemon);
    });
  }
});
