// Transfer syntaxes and what each means for reading a data set (PS3.5 Annex A, PS3.6 Table A-1).

export interface TransferSyntax {
  readonly uid: string;
  readonly name: string;
  readonly explicit: boolean;
  readonly bigEndian: boolean;
  /** The whole data set is one deflate stream (PS3.5 §A.5). */
  readonly deflated: boolean;
  /** Pixel Data may come in fragments (PS3.5 §A.4). */
  readonly encapsulated: boolean;
  /** Whether sample values may have been changed by compressing: 'maybe' where the syntax allows both. */
  readonly lossy: 'never' | 'maybe' | 'always';
}

export const IMPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2';
export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
export const DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1.99';
export const EXPLICIT_VR_BIG_ENDIAN = '1.2.840.10008.1.2.2';

const NATIVE = {
  explicit: true,
  bigEndian: false,
  deflated: false,
  encapsulated: false,
  lossy: 'never',
} as const;
const ENCAPSULATED = { ...NATIVE, encapsulated: true } as const;
const LOSSY = { ...ENCAPSULATED, lossy: 'always' } as const;
const EITHER = { ...ENCAPSULATED, lossy: 'maybe' } as const;
// The Pixel Data is at an address (PS3.5 §A.6): what would come from there can be lossy.
const REFERENCED = { ...NATIVE, lossy: 'maybe' } as const;

type Traits = Omit<TransferSyntax, 'uid' | 'name'>;

const ROWS: readonly (readonly [suffix: string, name: string, traits: Traits])[] = [
  ['', 'Implicit VR Little Endian', { ...NATIVE, explicit: false }],
  ['.1', 'Explicit VR Little Endian', NATIVE],
  ['.1.98', 'Encapsulated Uncompressed Explicit VR Little Endian', ENCAPSULATED],
  ['.1.99', 'Deflated Explicit VR Little Endian', { ...NATIVE, deflated: true }],
  ['.2', 'Explicit VR Big Endian', { ...NATIVE, bigEndian: true }],
  ['.4.50', 'JPEG Baseline (Process 1)', LOSSY],
  ['.4.51', 'JPEG Extended (Process 2 and 4)', LOSSY],
  ['.4.52', 'JPEG Extended (Process 3 and 5)', LOSSY],
  ['.4.53', 'JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8)', LOSSY],
  ['.4.54', 'JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9)', LOSSY],
  ['.4.55', 'JPEG Full Progression, Non-Hierarchical (Process 10 and 12)', LOSSY],
  ['.4.56', 'JPEG Full Progression, Non-Hierarchical (Process 11 and 13)', LOSSY],
  ['.4.57', 'JPEG Lossless, Non-Hierarchical (Process 14)', ENCAPSULATED],
  ['.4.58', 'JPEG Lossless, Non-Hierarchical (Process 15)', ENCAPSULATED],
  ['.4.59', 'JPEG Extended, Hierarchical (Process 16 and 18)', LOSSY],
  ['.4.60', 'JPEG Extended, Hierarchical (Process 17 and 19)', LOSSY],
  ['.4.61', 'JPEG Spectral Selection, Hierarchical (Process 20 and 22)', LOSSY],
  ['.4.62', 'JPEG Spectral Selection, Hierarchical (Process 21 and 23)', LOSSY],
  ['.4.63', 'JPEG Full Progression, Hierarchical (Process 24 and 26)', LOSSY],
  ['.4.64', 'JPEG Full Progression, Hierarchical (Process 25 and 27)', LOSSY],
  ['.4.65', 'JPEG Lossless, Hierarchical (Process 28)', ENCAPSULATED],
  ['.4.66', 'JPEG Lossless, Hierarchical (Process 29)', ENCAPSULATED],
  [
    '.4.70',
    'JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14 [Selection Value 1])',
    ENCAPSULATED,
  ],
  ['.4.80', 'JPEG-LS Lossless Image Compression', ENCAPSULATED],
  ['.4.81', 'JPEG-LS Lossy (Near-Lossless) Image Compression', LOSSY],
  ['.4.90', 'JPEG 2000 Image Compression (Lossless Only)', ENCAPSULATED],
  ['.4.91', 'JPEG 2000 Image Compression', EITHER],
  ['.4.92', 'JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)', ENCAPSULATED],
  ['.4.93', 'JPEG 2000 Part 2 Multi-component Image Compression', EITHER],
  ['.4.94', 'JPIP Referenced', REFERENCED],
  ['.4.95', 'JPIP Referenced Deflate', { ...REFERENCED, deflated: true }],
  ['.4.100', 'MPEG2 Main Profile / Main Level', LOSSY],
  ['.4.100.1', 'Fragmentable MPEG2 Main Profile / Main Level', LOSSY],
  ['.4.101', 'MPEG2 Main Profile / High Level', LOSSY],
  ['.4.101.1', 'Fragmentable MPEG2 Main Profile / High Level', LOSSY],
  ['.4.102', 'MPEG-4 AVC/H.264 High Profile / Level 4.1', LOSSY],
  ['.4.102.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.1', LOSSY],
  ['.4.103', 'MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', LOSSY],
  ['.4.103.1', 'Fragmentable MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1', LOSSY],
  ['.4.104', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video', LOSSY],
  ['.4.104.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video', LOSSY],
  ['.4.105', 'MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video', LOSSY],
  ['.4.105.1', 'Fragmentable MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video', LOSSY],
  ['.4.106', 'MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', LOSSY],
  ['.4.106.1', 'Fragmentable MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2', LOSSY],
  ['.4.107', 'HEVC/H.265 Main Profile / Level 5.1', LOSSY],
  ['.4.108', 'HEVC/H.265 Main 10 Profile / Level 5.1', LOSSY],
  ['.4.110', 'JPEG XL Lossless', ENCAPSULATED],
  ['.4.111', 'JPEG XL JPEG Recompression', LOSSY],
  ['.4.112', 'JPEG XL', EITHER],
  ['.4.201', 'High-Throughput JPEG 2000 Image Compression (Lossless Only)', ENCAPSULATED],
  ['.4.202', 'High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)', ENCAPSULATED],
  ['.4.203', 'High-Throughput JPEG 2000 Image Compression', EITHER],
  ['.4.204', 'JPIP HTJ2K Referenced', REFERENCED],
  ['.4.205', 'JPIP HTJ2K Referenced Deflate', { ...REFERENCED, deflated: true }],
  ['.5', 'RLE Lossless', ENCAPSULATED],
  ['.6.1', 'RFC 2557 MIME encapsulation', EITHER],
  ['.6.2', 'XML Encoding', EITHER],
  ['.7.1', 'SMPTE ST 2110-20 Uncompressed Progressive Active Video', NATIVE],
  ['.7.2', 'SMPTE ST 2110-20 Uncompressed Interlaced Active Video', NATIVE],
  ['.7.3', 'SMPTE ST 2110-30 PCM Digital Audio', NATIVE],
  ['.8.1', 'Deflated Image Frame Compression', ENCAPSULATED],
];

/** The registered transfer syntaxes, retired ones included, and the private one in wide use. */
export const TRANSFER_SYNTAXES: readonly TransferSyntax[] = [
  ...ROWS.map(([suffix, name, traits]) => ({ uid: IMPLICIT_VR_LITTLE_ENDIAN + suffix, name, ...traits })),
  { ...NATIVE, uid: '1.2.840.10008.1.20', name: 'Papyrus 3 Implicit VR Little Endian', explicit: false },
  // Little endian up to Pixel Data, whose samples alone are big endian.
  {
    ...NATIVE,
    uid: '1.2.840.113619.5.2',
    name: 'GE Private Implicit VR Big Endian Pixel Data',
    explicit: false,
  },
];

const BY_UID = new Map(TRANSFER_SYNTAXES.map((syntax) => [syntax.uid, syntax]));

/** What is known of a transfer syntax. An unregistered one is read as Explicit VR Little Endian with fragments,
 *  which every private and every future encapsulated one has to be (PS3.5 §A.4). */
export function transferSyntax(uid: string): TransferSyntax {
  return BY_UID.get(uid) ?? { ...EITHER, uid, name: uid };
}
