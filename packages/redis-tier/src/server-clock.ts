/**
 * What the clock of a server shows, as far as its answers tell. Thought to be as far ahead as it can
 * be: whoever compares with it must never find something late that is in time.
 */
export class ServerClock {
  /** Server time less ours, in milliseconds; `undefined` before the first answer. */
  #ahead: number | undefined;

  /** The server showed `time` at some instant between `sentAt` and `heardAt`, which are ours. */
  saw(time: number, sentAt: number, heardAt: number): void {
    const most = time - sentAt;
    const least = time - heardAt;
    // Below the least, its clock was set forward; above the most, it is known better now.
    if (this.#ahead === undefined || this.#ahead < least || this.#ahead > most) this.#ahead = most;
  }

  /** What it shows at an instant of ours, in whole milliseconds; `undefined` before any answer. */
  at(instant: number): number | undefined {
    return this.#ahead === undefined ? undefined : Math.ceil(this.#ahead + instant);
  }
}
