import { spawn } from 'node:child_process';
import { messageOf } from './message-of.js';
import { within } from './until.js';

/**
 * Runs a program until standard input says a word or ends, as it does when the owner dies, however it dies: then the
 * program is killed, even when it is stopped, and its folder removed. 'kill' keeps the folder until the next word, and
 * 'keep' keeps it for good. That standard output ends tells the owner that the program is going, that standard error
 * ends, that it is gone with all that it held.
 */
const guard = `
folder=$1
shift
exec 3<&0 4>&2 2>/dev/null
"$@" 2>&1 3<&- 4>&- &
program=$!
echo "$program"
exec >/dev/null
read -r word <&3
kill -KILL "$program"
wait "$program"
exec 4>&-
[ "$word" != kill ] || read -r word <&3
[ "$word" = keep ] || rm -rf "$folder"
`;

const logLimit = 64 * 1024;

/** A program that never outlives this process. It does not keep this process alive either. */
export class GuardedProcess {
  /** Resolves when the program has ended, by itself or not. */
  readonly ended: Promise<void>;
  #pid: number | undefined;
  #log = '';
  #hasEnded = false;
  #isKilled = false;
  readonly #started: Promise<void>;
  readonly #released: Promise<void>;
  readonly #gone: Promise<void>;
  readonly #say: (word: 'kill' | 'keep' | 'remove') => void;
  readonly #listeners = new Set<() => void>();

  /** @param folder where it runs, and what is removed with it */
  constructor(command: string, args: readonly string[], folder: string) {
    // A session of its own: Ctrl-C in the terminal reaches the owner only, and the guard is there to clean up.
    const child = spawn('/bin/sh', ['-c', guard, 'redis-guard', folder, command, ...args], {
      cwd: folder,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    child.stdin.on('error', () => undefined);
    this.#say = (word) => {
      if (child.stdin.writable) child.stdin.write(`${word}\n`);
    };
    this.#gone = new Promise((resolve) => child.stderr.resume().once('close', () => resolve()));
    this.#started = new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    this.#started.catch(() => undefined);
    this.#released = new Promise((resolve) => child.once('close', () => resolve()));
    this.ended = new Promise((resolve) => {
      child.stdout.once('close', () => {
        this.#hasEnded = true;
        for (const listener of this.#listeners) listener();
        resolve();
      });
    });
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) {
      (handle as { unref?: () => void }).unref?.();
    }
  }

  /** What it printed: the last 64 kB. */
  get log(): string {
    return this.#log;
  }

  get isRunning(): boolean {
    return this.#pid !== undefined && !this.#hasEnded;
  }

  /** @throws when it does not run */
  get pid(): number {
    if (this.#pid === undefined || this.#hasEnded) throw new Error('the process is not running');
    return this.#pid;
  }

  /**
   * Resolves when the log has matched.
   * @throws when the program ends before that, or takes too long; the error has the log
   */
  async says(pattern: RegExp): Promise<void> {
    await this.#started;
    const said = new Promise<boolean>((resolve) => {
      const listen = (): void => {
        const matches = pattern.test(this.#log);
        if (!matches && !this.#hasEnded) return;
        this.#listeners.delete(listen);
        resolve(matches);
      };
      this.#listeners.add(listen);
      listen();
    });
    const inTime = await within('the server to be ready', said).catch(messageOf);
    if (inTime === true) return;
    const why = inTime === false ? 'the server ended instead of starting' : inTime;
    throw new Error(`${why}; it said:\n${this.#log.trim() || '(nothing)'}`);
  }

  /** Ends it at once, and waits until it is gone. */
  async kill(): Promise<void> {
    if (!this.#isKilled) this.#say('kill');
    this.#isKilled = true;
    await within('the process to end', Promise.all([this.#gone, this.ended]));
  }

  /** Ends it with its guard. */
  async release({ keepFolder = false } = {}): Promise<void> {
    this.#say(keepFolder ? 'keep' : 'remove');
    await within('the guard of the process to end', this.#released);
  }

  #hear(text: string): void {
    this.#log = (this.#log + text).slice(-logLimit);
    if (this.#pid === undefined && this.#log.includes('\n')) {
      this.#pid = Number.parseInt(this.#log, 10);
      this.#log = this.#log.slice(this.#log.indexOf('\n') + 1);
    }
    for (const listener of this.#listeners) listener();
  }
}
