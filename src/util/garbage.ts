// When to look for garbage, where V8 cannot know: `--expose-gc` lets the program say so. Without it nothing happens here.

/** As much as one collection of what is young takes away; it costs about a millisecond. */
const RECEIVED_BYTES_BETWEEN = 16 << 20;

let receivedBytes = 0;

/** To be told of each chunk that a socket brought. Each is memory of its own, outside the heap and so nothing that V8
 *  counts when it decides to collect: with a young generation that is large enough for many small messages, the garbage
 *  of a large one would pile up unseen. */
export function countReceived(bytes: number): void {
  receivedBytes += bytes;
  if (receivedBytes < RECEIVED_BYTES_BETWEEN) return;
  receivedBytes = 0;
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

/** To be called once, when a thread has started and waits for work: the start leaves more behind than the work of the
 *  next hours, and the memory goes back to the system. Takes about a tenth of a second. */
export function collectAfterStart(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
