// One stored instance as a small PNG: what the rendering thread does.

import { encode } from 'fast-png';
import { DataSetFile } from '../transcode/byte-input.ts';
import { toRgb } from './colour.ts';
import { readFrame } from './frame-source.ts';
import { toGrey } from './grayscale.ts';
import { readImageHead, shownImageOf } from './image-head.ts';
import type { RenderTask } from './render-messages.ts';
import { type Picture, shrink } from './shrink.ts';

/** The middle frame of several: the first ones of a run are without contrast. */
export async function thumbnail(task: RenderTask): Promise<Uint8Array<ArrayBuffer>> {
  const { path, dataSetOffset, transferSyntaxUid, size } = task;
  const file = new DataSetFile(path, dataSetOffset);
  try {
    const { head, endOffset } = readImageHead(file, transferSyntaxUid);
    const image = shownImageOf(head);
    const index = Math.floor(image.frames / 2);
    const frame = await readFrame(file, endOffset, transferSyntaxUid, image, index);
    const isGrey = frame.photometric.startsWith('MONOCHROME');
    const picture: Picture = {
      width: image.columns,
      height: image.rows,
      channels: isGrey ? 1 : 3,
      data: isGrey ? toGrey(frame, head, image, index) : toRgb(frame, head, image),
    };
    const png = encode({ ...shrink(picture, size), depth: 8 });
    return png as Uint8Array<ArrayBuffer>;
  } finally {
    file.close();
  }
}
