import { isQuestion } from './tool-result.js';

/** What is looked at of a transport. */
interface Transport {
  onmessage?: ((message: never, ...rest: never[]) => void) | undefined;
}

/** What is told of what a server sends. */
export interface IncomingListener {
  toolsChanged(): void;
  /** The server asks its client, or the user behind it, for something. */
  asked(): void;
}

/** Calls of a server by which it asks the user or a model: what it answers then is of this one time. */
const QUESTIONS = new Set<unknown>(['elicitation/create', 'sampling/createMessage']);

/**
 * Listens to what a server sends. A client has room for one handler of each notification, which is the
 * user's, so this is done beneath it.
 */
export function listenTo(transport: object, listener: IncomingListener): void {
  const { onmessage } = transport as Transport;
  (transport as Transport).onmessage = function (this: unknown, ...given: never[]) {
    const { method, result } = ((given[0] as unknown) ?? {}) as {
      method?: unknown;
      result?: { resultType?: unknown } | null;
    };
    if (method === 'notifications/tools/list_changed') listener.toolsChanged();
    if (QUESTIONS.has(method) || isQuestion(result?.resultType)) listener.asked();
    onmessage?.apply(this, given as [never]);
  };
}
