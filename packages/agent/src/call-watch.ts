import { isOneShot } from './one-shot.js';
import { AgentLoopDetectedError } from './loop-error.js';
import type { LoopInfo } from './loop-info.js';
import type { WatchedCall } from './loop-detector.js';
import type { SessionState, Verdict } from './session-state.js';
import { NOTHING, type CallResult, type ToolCall } from './tool-call.js';

/** Answers a loop in the form of an SDK. */
export type Steered = (message: string, loop: LoopInfo) => unknown;

/** A loop that is answered without the tool. */
type Diversion = Exclude<Verdict, { readonly action: 'run' }>;

/** A call on its way through its session: whether it may run, and what is learnt of how it ended. */
export class CallWatch {
  readonly #call: ToolCall;
  readonly #steered: Steered | undefined;
  /** Set once it is let through, unless it joins one that the detector knows. */
  #watched: WatchedCall | undefined = undefined;
  #runs = false;

  constructor(call: ToolCall, steered: Steered | undefined) {
    this.#call = call;
    this.#steered = steered;
  }

  /**
   * Lets the call through. Synchronous.
   *
   * @returns what answers it instead, where it is a loop
   * @throws AgentLoopDetectedError, or what else a call of this session is refused with
   */
  admit(): (() => unknown) | undefined {
    const call = this.#call;
    const { state } = call;
    if (state !== undefined) {
      call.status = 'refused';
      state.checkOpen();
      const diversion = this.#admitTo(state);
      if (diversion !== undefined) return () => this.#divert(diversion, state);
      call.status = 'bypass';
    }
    this.#runs = true;
    call.count('calls');
    return undefined;
  }

  /** The tool or the cache has answered. @returns the answer */
  settled({ fresh, value }: CallResult): unknown {
    const call = this.#call;
    const answer = value === NOTHING ? undefined : value;
    const failed = this.#runs && call.isError(answer);
    if (failed) call.count('errors');
    if (this.#watched !== undefined) {
      const status = failed ? 'failed' : fresh ? 'fresh' : 'cached';
      call.state?.settle(this.#watched, { status, value: answer });
    }
    this.#remember(value);
    call.ended({ value: answer, failed });
    return answer;
  }

  /** It was refused, failed, or its caller has left. @returns the error */
  failed(error: unknown): unknown {
    const call = this.#call;
    if (this.#runs && call.hasLeft(error)) return this.#left(error);
    if (this.#runs) {
      call.count('errors');
      if (this.#watched !== undefined) {
        call.state?.settle(this.#watched, { status: 'failed', value: error });
      }
      // What a read failed with is no answer; what became of a mutation is not known better.
      if (call.tool.effect !== 'read' && call.token !== undefined) {
        call.state?.outcomes?.set(call.token, { kind: 'error', error });
      }
    }
    call.ended({ error, failed: true });
    return error;
  }

  /** The consumer of a stream has left it. */
  left(): void {
    this.#left(undefined);
  }

  #left(reason: unknown): unknown {
    // It says nothing about the tool, neither that it failed nor that it brought something.
    if (this.#watched !== undefined) this.#call.state?.settle(this.#watched, { status: 'left' });
    this.#call.ended({ error: reason, failed: false });
    return reason;
  }

  #admitTo(state: SessionState): Diversion | undefined {
    const call = this.#call;
    const watched = call.watched();
    if (state.isJoining(watched)) return undefined;
    const verdict = this.#verdict(watched, state);
    call.loop = verdict.loop;
    if (verdict.action !== 'run') return verdict;
    this.#watched = watched;
    return undefined;
  }

  #verdict(watched: WatchedCall, state: SessionState): Verdict {
    const call = this.#call;
    try {
      return state.admit(watched, call.tool.parts, call.about);
    } catch (error) {
      // The error says of the loop what a verdict does.
      if (error instanceof AgentLoopDetectedError) call.loop = error;
      throw error;
    }
  }

  /** Answers a loop: by what the same call brought last, else by a text. */
  #divert({ action, loop }: Diversion, state: SessionState): unknown {
    const call = this.#call;
    const { events } = call.tool.parts;
    const last = call.token === undefined ? undefined : state.outcomes?.get(call.token);
    if (action === 'short-circuit' && last !== undefined) {
      call.count('shortCircuits');
      call.status = 'short-circuit';
      events.tell('short-circuit', () => ({ ...call.about, loop }));
      if (last.kind === 'error') throw last.error;
      return call.copy(last.value)?.value ?? last.value;
    }
    call.count('steers');
    call.status = 'steer';
    events.tell('steer', () => ({ ...call.about, loop }));
    const { modelMessage } = loop;
    return this.#steered === undefined ? modelMessage : this.#steered(modelMessage, loop);
  }

  #remember(value: unknown): void {
    const { state, token } = this.#call;
    if (!this.#runs || token === undefined || value === NOTHING || isOneShot(value)) return;
    const { outcomes } = state ?? {};
    const copy = outcomes && this.#call.copy(value);
    if (copy !== undefined) outcomes?.set(token, { kind: 'value', value: copy.value });
  }
}
