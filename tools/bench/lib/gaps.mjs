import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The longest gap between ticks of a 1 ms timer while a task runs, in milliseconds, beside the
 * processor time that the process used: where a gap is much longer than that, another process had the
 * core. perf_hooks.monitorEventLoopDelay says 484 ms of a stall of 3 s.
 *
 * @param {() => unknown} task
 */
export async function watchGaps(task) {
  const gaps = { longest: 0, cpuInLongest: 0, mostCpu: 0, took: 0 };
  let last = 0;
  let used = 0;
  const look = () => {
    const now = performance.now();
    const cpu = cpuMilliseconds();
    if (now - last > gaps.longest) {
      gaps.longest = now - last;
      gaps.cpuInLongest = cpu - used;
    }
    // Helper threads, of garbage collection and of files, may use more than the gap is long.
    gaps.mostCpu = Math.max(gaps.mostCpu, Math.min(now - last, cpu - used));
    last = now;
    used = cpu;
  };
  const ticks = setInterval(look, 1);
  await sleep(20);
  last = performance.now();
  used = cpuMilliseconds();
  Object.assign(gaps, { longest: 0, cpuInLongest: 0, mostCpu: 0 });
  const began = last;
  await task();
  look();
  gaps.took = last - began;
  clearInterval(ticks);
  return gaps;
}

/** Processor time that this process and its helper threads have used. */
export function cpuMilliseconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
