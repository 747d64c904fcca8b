import { lines } from '../model.js';
import { clockTime } from '../text.js';
import { Panel } from './panel.js';
import { Scroll } from './scroll.js';

/** What was done, and what went wrong unseen. */
export function LogPanel() {
  return (
    <Panel id="log" title="Log">
      {lines.value.length === 0 ? (
        <p class="empty">Nothing yet.</p>
      ) : (
        <Scroll of="log">
          <ol class="lines">
            {lines.value.map((line) => (
              <li key={line.number} class={line.kind}>
                <time>{clockTime(line.at)}</time> {line.kind === 'error' && <b>error </b>}
                {line.text}
              </li>
            ))}
          </ol>
        </Scroll>
      )}
    </Panel>
  );
}
