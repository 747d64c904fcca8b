type Schedule = (job: () => void) => void;

interface Platform {
  process?: { nextTick?: Schedule };
  setImmediate?: Schedule;
  setTimeout: (job: () => void, ms: number) => unknown;
}

const platform: Platform = globalThis;

/**
 * Calls `job` once the promise callbacks of this turn are through, those included that they make, so
 * that what they load joins the batch. Node's next-tick queue is for this; elsewhere it is the next
 * task.
 */
export const afterPromises: Schedule = scheduleOf(platform);

/** Takes what the platform has when this is loaded, so that faked timers do not hold up a batch. */
function scheduleOf({ process, setImmediate, setTimeout }: Platform): Schedule {
  const nextTick = process?.nextTick;
  if (typeof nextTick === 'function') {
    // A tick asked for in a promise callback comes after all promise callbacks.
    const resolved = Promise.resolve();
    return (job) => {
      void resolved.then(() => {
        nextTick(job);
      });
    };
  }
  if (typeof setImmediate === 'function') return (job) => setImmediate(job);
  return (job) => {
    setTimeout(job, 0);
  };
}
