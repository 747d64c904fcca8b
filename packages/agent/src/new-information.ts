import { answerPrint } from './answer-print.js';
import type { SeenAnswers } from './seen-answers.js';
import type { CallOutcome, WatchedCall } from './watched-call.js';

/** What is remembered of identical calls. */
export interface CallHistory {
  readonly id: number;
  /** The hash of what a read answered last. */
  answer: number | undefined;
  hasFailed: boolean;
  hasSucceeded: boolean;
}

/** What a call brought. */
export interface Information {
  /** The repeats of the call are counted anew. */
  readonly restartsRepeats: boolean;
  /** The round of a cycle that it is in brought something. */
  readonly sustainsCycle: boolean;
  /** A row of calls that bring nothing ends with it. */
  readonly endsStagnation: boolean;
  /** It is a change unlike those before: calls that it conflicts with are counted anew. */
  readonly changes: boolean;
}

/**
 * Judges what a call brought, and remembers it. **Every condition on new information is here:**
 *
 * | | restarts its repeats | sustains a cycle | ends stagnation | restarts calls in conflict |
 * |---|---|---|---|---|
 * | read | another answer than its last one, or the first after failures | likewise | an answer not seen before | – |
 * | mutation | – | – | its first success | its first run, its first success |
 * | unknown effect | – | as a read | as a read; its first success | its first success |
 * | any, failed or left | – | – | – | a mutation's first run |
 *
 * What a mutation answers is never looked at: it may hold an id or the time. For the same reason an answer
 * of unknown effect does not restart its repeats. A read that was answered from the cache counts as any
 * other: that its answer is another one shows that somebody else loaded it.
 *
 * @param history - of the calls identical with it; `undefined` where arguments cannot be compared. Such a
 *   call gets the benefit of the doubt
 */
export function informationOf(
  call: WatchedCall,
  outcome: CallOutcome,
  history: CallHistory | undefined,
  seen: SeenAnswers,
): Information {
  if (outcome.status === 'failed') return ofFailure(call, history);
  if (outcome.status === 'left')
    return call.effect === 'mutate' ? ofFailure(call, history) : nothing;
  const isFirstSuccess = history?.hasSucceeded !== true;
  if (history !== undefined) history.hasSucceeded = true;
  if (call.effect === 'mutate') {
    return { ...nothing, endsStagnation: isFirstSuccess, changes: isFirstSuccess };
  }
  // A cached answer that is not handed over is taken for the one that is known.
  const isKnown = outcome.status === 'cached' && !('value' in outcome);
  if (isKnown) return { ...nothing, endsStagnation: isFirstSuccess };

  const print = answerPrint(outcome.value);
  const isAnother = isAnotherAnswer(print.hash, history);
  if (history !== undefined) history.answer = print.hash;
  const isNew = seen.add(call.tool, history?.id, print);
  const isUnknown = call.effect === 'unknown';
  return {
    restartsRepeats: isAnother && !isUnknown,
    sustainsCycle: isAnother,
    endsStagnation: isNew || (isUnknown && isFirstSuccess),
    changes: isUnknown && isFirstSuccess,
  };
}

const nothing: Information = {
  restartsRepeats: false,
  sustainsCycle: false,
  endsStagnation: false,
  changes: false,
};

function ofFailure(call: WatchedCall, history: CallHistory | undefined): Information {
  const isFirst = history === undefined || !(history.hasFailed || history.hasSucceeded);
  if (history !== undefined) history.hasFailed = true;
  // A mutation that failed may have changed something all the same.
  return call.effect === 'mutate' && isFirst ? { ...nothing, changes: true } : nothing;
}

function isAnotherAnswer(hash: number, history: CallHistory | undefined): boolean {
  if (history === undefined) return false;
  return history.answer === undefined ? history.hasFailed : history.answer !== hash;
}
