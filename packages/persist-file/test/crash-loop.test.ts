import { fork } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { bundle } from './bundle.js';

/** How often the child is killed; `ACACHE_KILLS=200 npx jest packages/persist-file/test` for the long run. */
const KILLS = Number(process.env.ACACHE_KILLS ?? 10);
const KEYS = 3000;

interface Message {
  readonly kind: 'opened' | 'acknowledged' | 'failed';
  readonly state?: readonly (readonly [key: string, number: number])[];
  readonly number?: number;
  readonly errors?: readonly string[];
  readonly error?: string;
}

/** What a key may be after a crash: what was acknowledged last, or anything that was tried later. */
class Oracle {
  /** By key the number of the set that counts; absent for none. */
  state = new Map<string, number>();
  operations = 0;

  /** @returns what is wrong */
  check(
    found: ReadonlyMap<string, number>,
    intents: readonly string[],
    acknowledged: number,
  ): string[] {
    const allowed = new Map<string, Set<number | undefined>>();
    const sure = new Map(this.state);
    const late: [number: number, kind: string, key: string][] = [];
    for (const line of intents) {
      const [number, kind, key] = line.split(' ') as [string, string, string];
      if (Number(number) > acknowledged) late.push([Number(number), kind, key]);
      else if (kind === 'clear') sure.clear();
      else if (kind === 'delete') sure.delete(key);
      else sure.set(key, Number(number));
    }
    const optionsOf = (key: string): Set<number | undefined> => {
      const options = allowed.get(key) ?? new Set([sure.get(key)]);
      allowed.set(key, options);
      return options;
    };
    let wasCleared = false;
    for (const [number, kind, key] of late) {
      if (kind === 'clear') wasCleared = true;
      else optionsOf(key).add(kind === 'set' ? number : undefined);
    }
    const wrong: string[] = [];
    for (const key of new Set([...sure.keys(), ...found.keys(), ...allowed.keys()])) {
      const options = optionsOf(key);
      if (wasCleared) options.add(undefined);
      if (!options.has(found.get(key))) {
        wrong.push(`${key}: ${found.get(key)} is none of ${[...options].join()}`);
      }
    }
    this.state = new Map(found);
    this.operations += intents.length;
    return wrong;
  }
}

describe('a process that is killed', () => {
  it(
    `loses nothing that was acknowledged and brings nothing back, ${KILLS} times`,
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'persist-file-crash-'));
      const file = join(folder, 'cache.acache');
      const intentLog = join(folder, 'intents');
      const worker = join(folder, 'worker.cjs');
      bundle('crash-worker.ts', worker);
      const oracle = new Oracle();
      let inCompaction = 0;
      let compactions = 0;
      let acknowledged = 0;
      let first = 0;
      /** What the run before tried, and up to where that was acknowledged. */
      let tried: string[] = [];
      let sure = 0;
      try {
        for (let kill = 0; kill <= KILLS; kill++) {
          await writeFile(intentLog, '');
          const before = first;
          const run = await runAndKill({
            args: [worker, file, intentLog, String(first), String(KEYS)],
            file,
            wantsCompaction: kill % 2 === 1,
            checkOnly: kill === KILLS,
          });
          expect(run.failures).toEqual([]);
          // What the run before left behind is judged by what this one found.
          expect(oracle.check(run.state, tried, sure)).toEqual([]);
          tried = (await readFile(intentLog, 'utf8')).split('\n').slice(0, -1);
          sure = run.acknowledged ?? before;
          acknowledged += sure - before;
          first = Number(tried.at(-1)?.split(' ')[0] ?? first);
          if (run.inCompaction) inCompaction++;
          compactions += run.compactions;
        }
        if (KILLS > 20) {
          console.log(
            `${KILLS} kills, ${inCompaction} of them inside a compaction; ${compactions} compactions seen; ` +
              `${oracle.operations} operations, ${acknowledged} acknowledged: 0 lost, 0 back, 0 wrong`,
          );
        }
        expect(inCompaction).toBeGreaterThan(0);
        expect(await leftovers(file)).toEqual([]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    30_000 + KILLS * 5000,
  );
});

async function leftovers(file: string): Promise<string[]> {
  const names = await readdir(dirname(file));
  return names.filter((name) => /\.(compact|bad)-|takeover/.test(name));
}

async function runAndKill(options: {
  readonly args: readonly string[];
  readonly file: string;
  readonly wantsCompaction: boolean;
  readonly checkOnly: boolean;
}): Promise<{
  state: Map<string, number>;
  acknowledged: number | undefined;
  failures: string[];
  inCompaction: boolean;
  compactions: number;
}> {
  const { args, file, wantsCompaction, checkOnly } = options;
  const [script, ...rest] = args as [string, ...string[]];
  const child = fork(script, rest, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  });
  const state = new Map<string, number>();
  const failures: string[] = [];
  let acknowledged: number | undefined;
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  const opened = new Promise<void>((resolve) => {
    child.on('message', (message: Message) => {
      failures.push(...(message.errors ?? []));
      if (message.kind === 'failed') failures.push(message.error ?? '');
      for (const [key, number] of message.state ?? []) state.set(key, number);
      if (message.kind === 'acknowledged') acknowledged = message.number;
      if (message.kind !== 'acknowledged') resolve();
    });
  });
  await Promise.race([opened, exited]);
  let compactions = 0;
  if (!checkOnly) {
    const { ino } = await stat(file).catch(() => ({ ino: 0 }));
    const until = Date.now() + 20 + Math.random() * 350;
    while (Date.now() < until) await pause(5);
    // At a random moment while there is a temporary file.
    const latest = Date.now() + 4000;
    while (wantsCompaction && Date.now() < latest && !(await isCompacting(file))) await pause(0);
    if (wantsCompaction) await pause(Math.random() * 8);
    compactions = (await stat(file).catch(() => ({ ino: 0 }))).ino === ino ? 0 : 1;
  }
  child.kill('SIGKILL');
  await exited;
  return { state, acknowledged, failures, inCompaction: await isCompacting(file), compactions };
}

async function isCompacting(file: string): Promise<boolean> {
  const names = await readdir(dirname(file));
  return names.some((name) => name.startsWith(`${basename(file)}.compact-`));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
