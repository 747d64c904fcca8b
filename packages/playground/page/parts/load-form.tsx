import { useRef } from 'preact/hooks';
import { act, progress } from '../model.js';
import { Field, valuesOf } from './field.js';
import { Panel } from './panel.js';

const COLLECTIONS = [
  { name: 'same', label: '100 same' },
  { name: 'unique', label: '100 unique' },
  { name: 'half', label: '50 same + 50 different' },
] as const;

/** Calls for many keys at once: the three collections, and a mix of one's own. */
export function LoadForm() {
  const newKeys = useRef<HTMLInputElement>(null);
  const isBusy = progress.value?.running === true;

  const run = async (mix: object): Promise<void> => {
    await act('run', { ...mix, newKeys: newKeys.current?.checked === true });
  };

  return (
    <Panel id="load" title="Load">
      <p id="collections">Keys, all asked for at once:</p>
      <div class="buttons" role="group" aria-labelledby="collections">
        {COLLECTIONS.map(({ name, label }) => (
          <button
            key={name}
            type="button"
            class="primary"
            disabled={isBusy}
            onClick={() => void run({ collection: name })}
          >
            {label}
          </button>
        ))}
      </div>
      <label class="check">
        <input type="checkbox" ref={newKeys} /> keys that no run had before
      </label>
      <form
        class="own-mix"
        onSubmit={(event) => {
          event.preventDefault();
          const values = valuesOf(event.currentTarget);
          void run(
            Object.fromEntries(
              Object.entries(values).map(([name, value]) => [name, Number(value)]),
            ),
          );
        }}
      >
        <fieldset>
          <legend>A mix of your own</legend>
          <div class="fields">
            <Field
              label="Calls"
              name="requests"
              type="number"
              min="1"
              max="100000"
              defaultValue="2000"
            />
            <Field
              label="of these, one same key"
              name="same"
              type="number"
              min="0"
              defaultValue="500"
            />
            <Field
              label="others: different keys"
              name="different"
              type="number"
              min="0"
              defaultValue="300"
            />
            <Field
              label="at once"
              name="concurrency"
              type="number"
              min="1"
              max="10000"
              defaultValue="50"
            />
          </div>
          <button disabled={isBusy}>Run the mix</button>
        </fieldset>
      </form>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          const { count, loaders } = valuesOf(event.currentTarget);
          void act('warmup', { count: Number(count), concurrency: Number(loaders) });
        }}
      >
        <Field
          label="Warm up items"
          name="count"
          type="number"
          min="1"
          max="10000"
          defaultValue="50"
        />
        <Field label="at once" name="loaders" type="number" min="1" max="1000" defaultValue="8" />
        <div class="buttons">
          <button disabled={isBusy}>Warm up</button>
        </div>
      </form>
    </Panel>
  );
}
