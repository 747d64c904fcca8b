import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

interface Sample {
  minutes: number;
  heap: number;
  timers: number;
  handles: number;
  listeners: number;
}
interface Verdict {
  flat: boolean;
  reasons: string[];
  bytesPerHour?: number;
}

const MB = 2 ** 20;
const verdictModule = pathToFileURL(join(__dirname, 'verdict.mjs')).href;

/** The verdicts on several runs; jest cannot import the module itself. */
function judgeAll(...runs: Sample[][]): Verdict[] {
  const program = `import { judge } from '${verdictModule}'; console.log(JSON.stringify(${JSON.stringify(runs)}.map(judge)))`;
  const args = ['--input-type=module', '-e', program];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Verdict[];
}

/** An hour with a line a minute. */
function hour(sampleAt: (minute: number) => Partial<Sample>, minutes = 60): Sample[] {
  return Array.from({ length: minutes }, (_, at) => ({
    minutes: at + 1,
    heap: 30 * MB,
    timers: 2,
    handles: 2,
    listeners: 7,
    ...sampleAt(at + 1),
  }));
}

/** Up and down by as much as two runs of the same code differ. */
const noise = (minute: number): number => MB * Math.sin(minute * 1.7);

describe('judge', () => {
  it('is content with memory that goes up and down, and with a heap that grows while caches fill', () => {
    const verdicts = judgeAll(
      hour((minute) => ({ heap: 30 * MB + noise(minute) })),
      hour((minute) => ({ heap: 30 * MB - 20 * MB * Math.exp(-minute / 4) })),
      hour((minute) => ({ heap: minute === 50 ? 90 * MB : 30 * MB })),
    );
    for (const verdict of verdicts) expect(verdict).toMatchObject({ flat: true, reasons: [] });
    expect(Math.abs(verdicts[2].bytesPerHour!)).toBeLessThan(MB / 10);
  });

  it('asks more of a short run whose samples differ much', () => {
    const some = [31, 27, 30, 26, 32, 28, 31, 27, 33, 30, 34, 31];
    const [short, long] = judgeAll(
      hour((minute) => ({ heap: some[minute - 1] * MB }), 12),
      hour((minute) => ({ heap: (some[minute % 6] + minute / 3) * MB })),
    );
    expect(short.flat).toBe(true);
    expect(long.reasons).toEqual([expect.stringContaining('the heap grew by')]);
  });

  it('finds a leak under the noise', () => {
    const [verdict] = judgeAll(
      hour((minute) => ({ heap: 30 * MB + noise(minute) + 0.15 * MB * minute })),
    );
    expect(verdict).toMatchObject({ flat: false });
    expect(verdict.reasons).toEqual([
      expect.stringMatching(/^the heap grew by 6\.\d MB, at most 5\.\d MB$/),
    ]);
    expect(verdict.bytesPerHour! / MB).toBeCloseTo(9, 0);
  });

  it('allows a large heap more', () => {
    const [verdict] = judgeAll(hour((minute) => ({ heap: 200 * MB + 0.15 * MB * minute })));
    expect(verdict.flat).toBe(true);
  });

  it.each(['timers', 'handles', 'listeners'] as const)('finds %s that grow', (what) => {
    const [grows, wavers] = judgeAll(
      hour((minute) => ({ [what]: 2 + Math.floor(minute / 5) })),
      hour((minute) => ({ [what]: 2 + (minute % 4) })),
    );
    expect(grows.reasons).toEqual([expect.stringMatching(`^${what} grew from \\d+ to \\d+$`)]);
    expect(wavers.flat).toBe(true);
  });

  it('says nothing about a run that was too short', () => {
    const [verdict] = judgeAll(hour((minute) => ({ heap: minute * 50 * MB }), 5));
    expect(verdict).toMatchObject({ flat: true, reasons: ['too short to say'] });
  });
});
