/** Those who are to be told when a signal fires, and the one listener that tells them. */
interface Told {
  readonly listeners: Set<() => void>;
  readonly tellAll: () => void;
}

const toldBy = new WeakMap<AbortSignal, Told>();

/**
 * Calls `listener` once when the signal fires. However many callers wait on one signal, such as that
 * of a request, it has one listener: platforms warn of more than a few.
 *
 * @returns what ends it
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const told = toldBy.get(signal) ?? makeTold(signal);
  const { listeners, tellAll } = told;
  if (listeners.size === 0) signal.addEventListener('abort', tellAll, { once: true });
  listeners.add(listener);
  return () => {
    if (listeners.delete(listener) && listeners.size === 0) {
      signal.removeEventListener('abort', tellAll);
    }
  };
}

function makeTold(signal: AbortSignal): Told {
  const listeners = new Set<() => void>();
  const tellAll = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const told = { listeners, tellAll };
  toldBy.set(signal, told);
  return told;
}
