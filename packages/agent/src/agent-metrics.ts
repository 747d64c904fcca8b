/** What was counted of the calls of one tool. */
export interface ToolMetrics {
  /** Calls that a session let through, those that joined and those that were answered from the cache included. */
  calls: number;
  /** Reads that were answered from the cache. */
  hits: number;
  /** Reads that were not, those that joined included: hits + misses are the reads. */
  misses: number;
  /** hits / (hits + misses); 0 when both are 0. */
  hitRate: number;
  /** Reads that waited for the same call of another one. */
  joined: number;
  /** How often the tool of a read ran. */
  loads: number;
  /** Mutations, and calls of `invalidate`. */
  invalidations: number;
  /** Loads that a mutation overlapped, so that what they brought was not stored. */
  straddled: number;
  /** Loops that were found, whatever was done about them. */
  loopDetections: number;
  /** Calls that were answered by an earlier outcome because of a loop. */
  shortCircuits: number;
  /** Calls that were answered by a text because of a loop. */
  steers: number;
  /** Calls that failed: the tool threw, or `isError` said so. */
  errors: number;
}

/** What was counted, of all tools and of each. */
export interface AgentMetrics extends ToolMetrics {
  /** By name; of the first 256, and of all others as `(other tools)`. */
  byTool: Record<string, ToolMetrics>;
}

/** What can be counted. */
export type Counted = Exclude<keyof ToolMetrics, 'hitRate'>;

type Counts = Record<Counted, number>;

const MAX_TOOLS = 256;
const OTHERS = '(other tools)';

/** Counts for a session, or for a runtime. */
export class AgentCounters {
  readonly #byTool = new Map<string, Counts>();
  /** What is of no tool. */
  readonly #own = noCounts();

  /** @param tool - its name; `undefined` for what is of no tool */
  count(tool: string | undefined, what: Counted): void {
    const counts = tool === undefined ? this.#own : (this.#byTool.get(tool) ?? this.#begin(tool));
    counts[what]++;
  }

  snapshot(): AgentMetrics {
    const total = { ...this.#own };
    const byTool: [string, ToolMetrics][] = [];
    for (const [tool, counts] of this.#byTool) {
      for (const what of Object.keys(total) as Counted[]) total[what] += counts[what];
      byTool.push([tool, metricsOf(counts)]);
    }
    // Not by assignment: a tool may be called `__proto__`.
    return { ...metricsOf(total), byTool: Object.fromEntries(byTool) };
  }

  #begin(tool: string): Counts {
    const name = this.#byTool.size < MAX_TOOLS ? tool : OTHERS;
    const counts = this.#byTool.get(name) ?? noCounts();
    this.#byTool.set(name, counts);
    return counts;
  }
}

function metricsOf(counts: Counts): ToolMetrics {
  const { calls, hits, misses, ...rest } = counts;
  const reads = hits + misses;
  return { calls, hits, misses, hitRate: reads === 0 ? 0 : hits / reads, ...rest };
}

function noCounts(): Counts {
  return {
    calls: 0,
    hits: 0,
    misses: 0,
    joined: 0,
    loads: 0,
    invalidations: 0,
    straddled: 0,
    loopDetections: 0,
    shortCircuits: 0,
    steers: 0,
    errors: 0,
  };
}
