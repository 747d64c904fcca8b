import { signal } from '@preact/signals';
import type { Burst } from '../src/burst.js';
import type { CheckResult } from '../src/checks/check.js';
import type { EntryPage } from '../src/ledger.js';
import type { LogLine, Message, Progress, Sample, State } from '../src/messages.js';

/** Samples that the charts show: two minutes of them. */
const MOST_SAMPLES = 240;
const MOST_LINES = 200;

export const state = signal<State | undefined>(undefined);
export const samples = signal<readonly Sample[]>([]);
export const entries = signal<EntryPage>({ rows: [], total: 0 });
export const progress = signal<Progress | undefined>(undefined);
export const burst = signal<Burst | undefined>(undefined);
export const checks = signal<readonly CheckResult[]>([]);
export const lines = signal<readonly (LogLine & { readonly number: number })[]>([]);
export const isConnected = signal(true);

/** What is said to whoever does not see the page. */
export const announcement = signal('');
/** What went wrong with what was asked for last. */
export const problem = signal('');

let lineNumber = 0;

/** Follows the live stream, and goes on after a break. */
export function connect(): void {
  const stream = new EventSource('api/stream');
  stream.onopen = () => {
    // It tells everything anew.
    lines.value = [];
    isConnected.value = true;
  };
  stream.onerror = () => {
    isConnected.value = false;
  };
  stream.onmessage = ({ data }) => {
    hear(JSON.parse(data as string) as Message);
  };
}

function hear(message: Message): void {
  switch (message.type) {
    case 'state':
      state.value = message.state;
      break;
    case 'sample':
      samples.value = [...samples.value.slice(1 - MOST_SAMPLES), message.sample];
      break;
    case 'entries':
      entries.value = message.page;
      break;
    case 'progress':
      progress.value = message.progress;
      break;
    case 'burst':
      burst.value = message.burst;
      break;
    case 'check':
      checks.value = [...checks.value.filter(({ id }) => id !== message.result.id), message.result];
      break;
    case 'log':
      lines.value = [{ ...message.line, number: ++lineNumber }, ...lines.value].slice(
        0,
        MOST_LINES,
      );
      break;
  }
}

/** Asks the playground to do something; what goes wrong is shown, and `undefined` returned. */
export async function act<T = unknown>(name: string, body: object = {}): Promise<T | undefined> {
  problem.value = '';
  try {
    const response = await fetch(`api/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { result: T } | { error: string };
    if ('error' in answer) throw new Error(answer.error);
    if (typeof answer.result === 'string') announcement.value = answer.result;
    return answer.result;
  } catch (error) {
    problem.value = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}
