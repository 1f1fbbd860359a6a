// The markers of a JPEG 2000 codestream: whether it is reversible and whole (ITU-T T.800 Annex A, T.814 Annex A).

import { malformed, TranscodeError, unsupported } from './errors.ts';
import { isPadding } from './frame-codec.ts';

const SOC = 0xff4f;
const SIZ = 0xff51;
const COD = 0xff52;
const COC = 0xff53;
const QCD = 0xff5c;
const QCC = 0xff5d;
const SOT = 0xff90;
const SOD = 0xff93;
const EOC = 0xffd9;
// CAP TLM PLM PLT CPF RGN POC PPM PPT CRG COM: nothing in them changes what the samples mean.
const HARMLESS: ReadonlySet<number> = new Set([
  0xff50, 0xff55, 0xff57, 0xff58, 0xff59, 0xff5e, 0xff5f, 0xff60, 0xff61, 0xff63, 0xff64,
]);
const MAX_TILES = 65535;

export const START_OF_CODESTREAM = Buffer.of(0xff, 0x4f, 0xff, 0x51);

export interface Codestream {
  readonly columns: number;
  readonly rows: number;
  readonly components: number;
  readonly precision: number;
  readonly signed: boolean;
  /** The reversible component transformation, RCT (T.800 §G.2). */
  readonly colourTransformation: boolean;
}

interface MainHeader extends Codestream {
  readonly tiles: number;
}

/** Walks the whole codestream: refuses it when anything is missing, or, unless it may be `lossy`, irreversible in one
 *  of its tiles. */
export function inspectCodestream(frame: Buffer, lossy = false): Codestream {
  const check = lossy ? checkKnown : checkReversible;
  const { header, next } = mainHeader(frame, check);
  const parts = new Map<number, { seen: number; declared: number }>();
  let at = next;
  while (marker(frame, at) === SOT) {
    const { tile, part, declared, end } = readTilePart(frame, at, header.components, check);
    const known = parts.get(tile) ?? { seen: 0, declared: 0 };
    if (tile >= header.tiles || part !== known.seen)
      throw malformed(`JPEG 2000 tile ${tile} is not in order`);
    parts.set(tile, { seen: known.seen + 1, declared: declared === 0 ? known.declared : declared });
    at = end;
  }
  const whole = [...parts.values()].every(({ seen, declared }) => declared === 0 || seen === declared);
  if (parts.size !== header.tiles || !whole)
    throw malformed('The JPEG 2000 codestream lacks some of its tiles');
  if (marker(frame, at) !== EOC) throw malformed('The JPEG 2000 codestream has no end');
  if (!isPadding(frame.subarray(at + 2)))
    throw malformed('The frame goes on behind its JPEG 2000 codestream');
  return header;
}

function mainHeader(frame: Buffer, check: CheckMarker): { header: MainHeader; next: number } {
  if (marker(frame, 0) !== SOC) throw malformed('The frame does not begin with a JPEG 2000 codestream');
  let size: Omit<MainHeader, 'colourTransformation'> | undefined;
  let colourTransformation: boolean | undefined;
  let at = 2;
  for (; marker(frame, at) !== SOT; ) {
    const { code, body, next } = segment(frame, at);
    if (code === SIZ && size === undefined) size = readSize(body);
    else if (code === COD) colourTransformation = body[4] === 1;
    check(code, body, size?.components ?? 1);
    at = next;
  }
  if (size === undefined || colourTransformation === undefined) {
    throw malformed('The JPEG 2000 main header lacks its size or coding style');
  }
  return { header: { ...size, colourTransformation }, next: at };
}

/** SIZ (T.800 §A.5.1). All components alike, none subsampled, the image in the corner of its grid. */
function readSize(body: Buffer): Omit<MainHeader, 'colourTransformation'> {
  const components = body.length >= 37 ? body.readUInt16BE(34) : 0;
  if (components === 0 || body.length !== 36 + 3 * components)
    throw malformed('The JPEG 2000 size has a wrong length');
  const [columns, rows, left, top, tileColumns, tileRows, tileLeft, tileTop] = Array.from(
    { length: 8 },
    (_, index) => body.readUInt32BE(2 + 4 * index),
  ) as [number, number, number, number, number, number, number, number];
  const depth = body[36]!;
  for (let at = 36; at < body.length; at += 3) {
    if (body[at] !== depth || body[at + 1] !== 1 || body[at + 2] !== 1) {
      throw unsupported('The JPEG 2000 codestream has components of different size or precision');
    }
  }
  if (left !== 0 || top !== 0 || tileLeft !== 0 || tileTop !== 0) {
    throw unsupported('The JPEG 2000 image does not begin at the origin of its grid');
  }
  const tiles = Math.ceil(columns / tileColumns) * Math.ceil(rows / tileRows);
  if (!(tiles > 0 && tiles <= MAX_TILES))
    throw malformed('The JPEG 2000 codestream has an impossible tile size');
  return { columns, rows, components, precision: (depth & 0x7f) + 1, signed: depth >= 0x80, tiles };
}

/** A tile-part's own header may differ from the main one (T.800 §A.4.2). */
function readTilePart(
  frame: Buffer,
  at: number,
  components: number,
  check: CheckMarker,
): { tile: number; part: number; declared: number; end: number } {
  const { body, next } = segment(frame, at);
  if (body.length !== 8) throw malformed('A JPEG 2000 tile-part header has a wrong length');
  const bytes = body.readUInt32BE(2);
  // Psot 0: the last one, up to the end of codestream, behind which there can be padding.
  const end = bytes === 0 ? frame.lastIndexOf(Buffer.of(0xff, 0xd9)) : at + bytes;
  let inner = next;
  while (inner < end && marker(frame, inner) !== SOD) {
    const { code, body: content, next: after } = segment(frame, inner);
    check(code, content, components);
    inner = after;
  }
  if (inner >= end || end > frame.length) throw malformed('The JPEG 2000 codestream is cut short');
  return { tile: body.readUInt16BE(0), part: body[6]!, declared: body[7]!, end };
}

type CheckMarker = (code: number, body: Buffer, components: number) => void;

/** Of those that say how the samples were coded. */
const CODING: ReadonlySet<number> = new Set([SIZ, SOT, COD, COC, QCD, QCC]);

function checkKnown(code: number): void {
  if (CODING.has(code) || HARMLESS.has(code)) return;
  throw unsupported(`The JPEG 2000 codestream has marker ${code.toString(16).toUpperCase()}`);
}

/** Refuses an irreversible transformation, quantization, and every marker that could mean one. */
function checkReversible(code: number, body: Buffer, components: number): void {
  const index = components < 257 ? 1 : 2; // bytes of a component's number
  if (code === COD) requireReversible(body[9] === 1 && body[4]! <= 1);
  else if (code === COC) requireReversible(body[index + 5] === 1);
  else if (code === QCD) requireReversible((body[0]! & 0x1f) === 0);
  else if (code === QCC) requireReversible((body[index]! & 0x1f) === 0);
  else checkKnown(code);
}

function requireReversible(reversible: boolean): void {
  if (!reversible) throw new TranscodeError('transcode-lossy', 'The JPEG 2000 codestream is irreversible');
}

function marker(frame: Buffer, at: number): number {
  if (at + 2 > frame.length) throw malformed('The JPEG 2000 codestream is cut short');
  return frame.readUInt16BE(at);
}

function segment(frame: Buffer, at: number): { code: number; body: Buffer; next: number } {
  const code = marker(frame, at);
  const length = marker(frame, at + 2);
  const next = at + 2 + length;
  if (code < 0xff00 || length < 2 || next > frame.length) {
    throw malformed(`The JPEG 2000 codestream has no whole marker segment at ${at}`);
  }
  return { code, body: frame.subarray(at + 4, next), next };
}
