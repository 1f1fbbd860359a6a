// What stands around the archive: a foreign archive, and machines that are not as they should be.
import { type BlackHole, blackHole } from '../support/black-hole.ts';
import { type Orthanc, startOrthanc } from '../support/foreign-peers.ts';
import { type StrangerAddress, strangerAddress } from '../support/stranger-address.ts';
import { Scene } from './scene.ts';

export interface Neighbours {
  readonly orthanc: Orthanc;
  readonly hole: BlackHole;
  readonly stranger: StrangerAddress;
}

/** The scene and its neighbours. */
export async function startAmongNeighbours(begun: AsyncDisposableStack): Promise<[Scene, Neighbours]> {
  // Before the browser, which drops what it is loading when an address comes or goes.
  const hole = begun.use(await blackHole());
  const stranger = begun.use(await strangerAddress());
  const scene = begun.use(await Scene.start());
  const orthanc = begun.use(
    await startOrthanc({
      aeTitle: 'ORTHANC',
      modalities: { vault: scene.daemon },
      configuration: { DicomCheckCalledAet: true },
    }),
  );
  return [scene, { orthanc, hole, stranger }];
}
