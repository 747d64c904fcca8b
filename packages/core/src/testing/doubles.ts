import type { Clock } from '../clock.js';
import type { Persistence } from '../persistence.js';
import type { Tier, TierAnswer, TierLease, TierNamespace } from '../tier.js';

/** What a double does to a call before, or instead of, handing it on. */
type Fault = <T>(call: () => Promise<T>) => Promise<T>;

/** A switch for a double that is well and ill by turns. */
export interface Ailment {
  active: boolean;
}

/** A tier whose calls reject while `ailment` is active; nothing reaches the tier behind it. */
export function failingTier(tier: Tier, ailment: Ailment = { active: true }): Tier {
  return faultyTier(tier, failing(ailment), ailment);
}

/** A tier whose calls never settle while `ailment` is active. */
export function hangingTier(tier: Tier, ailment: Ailment = { active: true }): Tier {
  return faultyTier(tier, hanging(ailment), ailment);
}

/** A tier whose calls take effect at once and answer `ms` milliseconds later. */
export function laggingTier(tier: Tier, clock: Clock, ms: number): Tier {
  return faultyTier(tier, lagging(clock, ms), { active: false });
}

/** A persistence whose `open`, `flush` and `close` reject while `ailment` is active. */
export function failingPersistence(
  persistence: Persistence,
  ailment: Ailment = { active: true },
): Persistence {
  return faultyPersistence(persistence, failing(ailment));
}

/** A persistence whose `open`, `flush` and `close` never settle while `ailment` is active. */
export function hangingPersistence(
  persistence: Persistence,
  ailment: Ailment = { active: true },
): Persistence {
  return faultyPersistence(persistence, hanging(ailment));
}

/** A persistence whose `open`, `flush` and `close` answer `ms` milliseconds late. */
export function laggingPersistence(
  persistence: Persistence,
  clock: Clock,
  ms: number,
): Persistence {
  return faultyPersistence(persistence, lagging(clock, ms));
}

function failing(ailment: Ailment): Fault {
  return async (call) => {
    if (ailment.active) throw new Error('out of order');
    return call();
  };
}

function hanging(ailment: Ailment): Fault {
  return (call) => (ailment.active ? new Promise(() => undefined) : call());
}

function lagging(clock: Clock, ms: number): Fault {
  return async (call) => {
    const result = await call();
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, ms);
    });
    return result;
  };
}

function faultyTier(tier: Tier, fault: Fault, ailment: Ailment): Tier {
  return {
    attach(name, host): TierNamespace {
      const behind = tier.attach(name, host);
      const { deadline, busyDeadline, degradedTtl, trust } = behind;
      const setMany = behind.setMany?.bind(behind);
      return {
        ...(deadline === undefined ? {} : { deadline }),
        ...(busyDeadline === undefined ? {} : { busyDeadline }),
        ...(degradedTtl === undefined ? {} : { degradedTtl }),
        ...(trust === undefined ? {} : { trust }),
        ...(setMany === undefined ? {} : { setMany: (entries) => fault(() => setMany(entries)) }),
        ready: fault(() => behind.ready),
        coherent: () => !ailment.active && behind.coherent(),
        lookup: (requests) =>
          fault(async () =>
            (await behind.lookup(requests)).map((answer) => faultyAnswer(answer, fault)),
          ),
        set: (key, entry) => fault(() => behind.set(key, entry)),
        delete: (key) => fault(() => behind.delete(key)),
        expire: (key) => fault(() => behind.expire(key)),
        invalidateTags: (tags) => fault(() => behind.invalidateTags(tags)),
        clear: () => fault(() => behind.clear()),
        flush: () => fault(() => behind.flush()),
        close: () => fault(() => behind.close()),
      };
    },
  };
}

function faultyAnswer(answer: TierAnswer, fault: Fault): TierAnswer {
  if (answer.kind === 'busy') {
    return {
      ...answer,
      settled: () => fault(async () => faultyAnswer(await answer.settled(), fault)),
    };
  }
  if (!('lease' in answer) || answer.lease === undefined) return answer;
  return { ...answer, lease: faultyLease(answer.lease, fault) };
}

function faultyLease(lease: TierLease, fault: Fault): TierLease {
  return {
    commit: (entry) => fault(() => lease.commit(entry)),
    release: () => fault(() => lease.release()),
  };
}

function faultyPersistence(behind: Persistence, fault: Fault): Persistence {
  return {
    open: (host) => fault(() => behind.open(host)),
    set: (key, entry) => {
      behind.set(key, entry);
    },
    delete: (key) => {
      behind.delete(key);
    },
    clear: () => {
      behind.clear();
    },
    flush: () => fault(() => behind.flush()),
    close: () => fault(() => behind.close()),
  };
}
