import type { Backend } from '../../src/settings.js';
import { act, announcement } from '../model.js';
import { Field, valuesOf } from './field.js';
import { Panel } from './panel.js';

/** How the database behind the cache behaves: it changes at once, and the cache stays. */
export function DatabaseForm({ backend }: { backend: Backend }) {
  const behave = async (latency: number, failures: number): Promise<void> => {
    const done = await act('backend', { latency, failures });
    if (done !== undefined) announcement.value = 'The database behaves differently now';
  };
  const isDown = backend.failures === 1;
  return (
    <Panel id="database" title="Database behind it">
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const { latency, failures } = valuesOf(event.currentTarget);
          void behave(Number(latency), Number(failures) / 100);
        }}
      >
        <Field
          label="A load takes (ms)"
          name="latency"
          type="number"
          min="0"
          max="10000"
          defaultValue={String(backend.latency)}
        />
        <Field
          label="Loads that fail (%)"
          name="failures"
          type="number"
          min="0"
          max="100"
          defaultValue={String(Math.round(backend.failures * 100))}
        />
        <div class="buttons">
          <button>Change</button>
          <button
            type="button"
            aria-pressed={isDown}
            onClick={() => void behave(backend.latency, isDown ? 0 : 1)}
          >
            {isDown ? 'It is down: bring it up' : 'Take it down'}
          </button>
        </div>
      </form>
    </Panel>
  );
}
