// SIGTERM and SIGINT: whoever is asked to stop comes to an end, whatever it waits for.

/** The end is promised within 10 s. */
const LONGEST_MS = 9500;
const LAST_WORDS_MS = 200;

/** Resolves with the first signal; later ones change nothing. A program that has not ended by itself in time (a database
 *  that is silent, a lock that somebody else holds, a disk that hangs) tells `onLate` and ends as it is, with
 *  `exitCode`. Nothing acknowledged is lost by that, no more than by a power cut. */
export function stopSignal(onLate: () => void, exitCode: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => resolve(signal));
  void promise.then(() => {
    setTimeout(() => {
      onLate();
      setTimeout(() => process.exit(exitCode), LAST_WORDS_MS);
    }, LONGEST_MS).unref();
  });
  return promise;
}
