import { detectLoops, readLoopRequest } from './loop-detection.js';
import { readMix } from './mixes.js';
import type { Session } from './session.js';
import { fieldsOf, isWhole, readBackend, readSettings, wrong } from './settings.js';

/** What a page can ask for, by the name in its path. */
type Action = (session: Session, given: unknown) => unknown;

const ACTIONS: Record<string, Action> = {
  configure: (session, given) => session.configure(readSettings(given)),
  backend: (session, given) => session.behave(readBackend(given)),
  run: (session, given) => session.run(readMix(given)),
  cancel: (session) => {
    session.cancel();
  },
  warmup: (session, given) => {
    const { count, concurrency } = fieldsOf(given, 'warmup');
    if (!isWhole(count, 1, 10_000)) throw wrong('count', 'from 1 to 10000', count);
    if (!isWhole(concurrency, 1, 1000)) throw wrong('concurrency', 'from 1 to 1000', concurrency);
    return session.warmup(count, concurrency);
  },
  get: (session, given) => session.get(textIn(given, 'id')),
  refresh: (session, given) => session.refresh(textIn(given, 'id')),
  set: (session, given) => session.set(textIn(given, 'id'), textIn(given, 'text')),
  delete: (session, given) =>
    'key' in fieldsOf(given, 'request')
      ? session.delete(textIn(given, 'key'))
      : session.deleteItem(textIn(given, 'id')),
  expire: (session, given) => session.expire(textIn(given, 'key')),
  'invalidate-tags': (session, given) => {
    const tags = textIn(given, 'tags')
      .split(/[\s,]+/)
      .filter((tag) => tag !== '');
    if (tags.length === 0) throw wrong('tags', 'one or more, with a comma between', '');
    return session.invalidateTags(...tags);
  },
  clear: (session) => session.clear(),
  verify: (session) => session.verify(),
  loops: (_, given) => detectLoops(readLoopRequest(given)),
};

/** @returns `undefined` for what is none */
export function actionNamed(name: string): Action | undefined {
  return Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
}

const LONGEST_TEXT = 10_000;

function textIn(given: unknown, name: string): string {
  const text = fieldsOf(given, 'request')[name];
  if (typeof text === 'string' && text !== '' && text.length <= LONGEST_TEXT) return text;
  throw wrong(name, 'a text that is not empty', text);
}
