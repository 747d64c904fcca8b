import { announcement } from '../model.js';
import { Panel } from './panel.js';

/** The program that the settings stand for. */
export function CodePanel({ code }: { code: string }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(code);
      announcement.value = 'Copied';
    } catch {
      announcement.value = 'It could not be copied: select it';
    }
  };
  return (
    <Panel
      id="code"
      title="As code"
      aside={
        <button type="button" class="small" onClick={() => void copy()}>
          Copy
        </button>
      }
    >
      <pre tabIndex={0} role="group" aria-label="The settings as code">
        <code>{code}</code>
      </pre>
    </Panel>
  );
}
