import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** What tells one process from all others, as far as the system says. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it began, in the system's own ticks; `null` where the system does not tell. */
  readonly started: string | null;
  /** Of the running system: another one after each boot. */
  readonly boot: string | null;
  /** The namespace in which the pid counts: each container has its own. */
  readonly namespace: string | null;
  readonly host: string;
}

/** What can be said of another process from here. */
export type Vitality = 'alive' | 'dead' | 'unknown';

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    started: startOf(process.pid),
    boot: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    namespace: attempt(() =>
      // Where /proc shows the pids of an outer namespace, it tells nothing of those that are known here.
      readlinkSync('/proc/self') === String(process.pid) ? readlinkSync('/proc/self/ns/pid') : null,
    ),
    host: hostname(),
  };
}

/** Whether a process still runs; `unknown` where its pid means nothing here. */
export function vitalityOf(other: ProcessIdentity, own: ProcessIdentity): Vitality {
  const isSamePlace =
    own.boot === null || own.namespace === null
      ? other.boot === null && other.host === own.host
      : other.boot === own.boot && other.namespace === own.namespace;
  if (!isSamePlace) return 'unknown';
  if (!exists(other.pid)) return 'dead';
  // Pids are used again: whoever has it now began at another time.
  const started = startOf(other.pid);
  return started !== null && other.started !== null && started !== other.started ? 'dead' : 'alive';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Anything else (EPERM) says that it is there and somebody else's.
    return (error as { code?: unknown }).code !== 'ESRCH';
  }
}

/** Field 22 of its stat file. The name before it may hold spaces and brackets. */
function startOf(pid: number): string | null {
  return attempt(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie has ended; only its parent has not noticed.
    if (fields[0] === 'Z' || fields[0] === 'X') return 'ended';
    return fields[19] ?? null;
  });
}

function attempt<T>(read: () => T | null): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
