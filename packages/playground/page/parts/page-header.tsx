import type { State } from '../../src/messages.js';
import { isConnected, problem } from '../model.js';
import { ThemeSwitch } from './theme-switch.js';

const REDIS = {
  none: 'Redis: none',
  connecting: 'Redis: connecting',
  up: 'Redis: up',
  down: 'Redis: down, memory and loader go on',
};

/** What the page is, what stands behind the cache, and what went wrong last. */
export function PageHeader({ title, state }: { title: string; state: State | undefined }) {
  return (
    <header>
      <div class="title-row">
        <h1>{title}</h1>
        {state && (
          <ul class="badges" aria-label="Behind the cache">
            <li class={`badge ${state.redis}`}>{REDIS[state.redis]}</li>
            <li class="badge">{state.file === null ? 'File: none' : `File: ${state.file}`}</li>
          </ul>
        )}
        <ThemeSwitch />
      </div>
      <div role="alert" class="alerts">
        {!isConnected.value && (
          <p class="alert">The playground does not answer. Is it still running?</p>
        )}
        {state?.fileProblem != null && (
          <p class="alert">
            The file is not used: {state.fileProblem}. Entries are in memory alone.
          </p>
        )}
        {problem.value !== '' && <p class="alert">{problem}</p>}
      </div>
    </header>
  );
}
