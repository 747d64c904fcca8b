import { lines } from '../model.js';
import { clockTime } from '../text.js';
import { Panel } from './panel.js';

/** What was done, and what went wrong unseen. */
export function LogPanel() {
  return (
    <Panel id="log" title="Log">
      {lines.value.length === 0 ? (
        <p class="empty">Nothing yet.</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="log-title">
          <ol class="lines">
            {lines.value.map((line) => (
              <li key={line.number} class={line.kind}>
                <time>{clockTime(line.at)}</time> {line.kind === 'error' && <b>error </b>}
                {line.text}
              </li>
            ))}
          </ol>
        </div>
      )}
    </Panel>
  );
}
