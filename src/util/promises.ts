// Promises that are not awaited where they begin.

/** For a promise that is awaited only later: its failure in the meantime must not count as forgotten. */
export function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.then(undefined, () => undefined);
  return promise;
}
