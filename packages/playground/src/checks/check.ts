import type { Rigs } from './rig.js';

/** What came of a check. */
export interface Finding {
  readonly pass: boolean;
  /** What was done and what was seen, a line each. */
  readonly evidence: readonly string[];
}

/** Something that the cache promises, tried on a cache that is set up like the running one. */
export interface Check {
  readonly id: string;
  readonly promise: string;
  run(rigs: Rigs): Promise<Finding>;
}

/** A check and what came of it. */
export interface CheckResult extends Finding {
  readonly id: string;
  readonly promise: string;
  readonly ms: number;
}

/** Gathers what was seen, and whether it was as expected. */
export class Evidence implements Finding {
  pass = true;
  readonly evidence: string[] = [];

  note(text: string): void {
    this.evidence.push(text);
  }

  /** Notes what was seen, and fails where it is not what was expected. */
  expect(what: string, seen: unknown, expected: unknown): void {
    const isSame = Object.is(seen, expected);
    if (!isSame) this.pass = false;
    this.note(
      isSame ? `${what}: ${shown(seen)}` : `${what}: ${shown(seen)}, expected ${shown(expected)}`,
    );
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}
