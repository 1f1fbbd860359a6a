// What is known of common machines before somebody has typed anything: their usual port and what to look at. The hints
// are codes; the app has the words.
import type { Peer } from '../config/schema.ts';

export interface PeerPreset {
  readonly id: NonNullable<Peer['preset']>;
  readonly title: string;
  readonly port?: number;
  readonly may: Peer['may'];
  readonly hints: readonly string[];
}

const EVERYTHING: Peer['may'] = ['store', 'query', 'retrieve'];

export const PEER_PRESETS: readonly PeerPreset[] = [
  {
    id: 'generic',
    title: 'Generic',
    port: 104,
    may: EVERYTHING,
    hints: ['enter-us-there', 'capitals-count'],
  },
  {
    id: 'siemens',
    title: 'Siemens Artis / syngo X-Workplace',
    port: 104,
    may: EVERYTHING,
    hints: ['siemens-service-configuration', 'siemens-uncompressed', 'siemens-character-set'],
  },
  {
    id: 'philips',
    title: 'Philips Azurion / Allura / IntelliSpace',
    port: 104,
    may: EVERYTHING,
    hints: ['philips-remote-node', 'philips-commitment'],
  },
  {
    id: 'ge',
    title: 'GE Innova / IGS / Advantage Workstation',
    port: 4006,
    may: EVERYTHING,
    hints: ['ge-remote-host', 'ge-character-set'],
  },
  { id: 'dcmtk', title: 'DCMTK', port: 11112, may: EVERYTHING, hints: ['dcmtk-storescp'] },
  { id: 'orthanc', title: 'Orthanc', port: 4242, may: EVERYTHING, hints: ['orthanc-modalities'] },
];
