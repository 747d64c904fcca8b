/** Who is to be told when a signal fires. */
const listenersOf = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` once when the signal fires. However many callers wait on one signal, such as that
 * of a request, it has one listener: platforms warn of more than a few.
 *
 * @returns what ends it
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new Set();
    listenersOf.set(signal, listeners);
  }
  const all = listeners;
  const tellAll = TELL_ALL.get(all) ?? makeTellAll(all);
  if (all.size === 0) signal.addEventListener('abort', tellAll, { once: true });
  all.add(listener);
  return () => {
    if (all.delete(listener) && all.size === 0) signal.removeEventListener('abort', tellAll);
  };
}

const TELL_ALL = new WeakMap<Set<() => void>, () => void>();

function makeTellAll(all: Set<() => void>): () => void {
  const tellAll = (): void => {
    for (const listener of [...all]) listener();
  };
  TELL_ALL.set(all, tellAll);
  return tellAll;
}
