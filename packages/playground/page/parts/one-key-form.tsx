import { useRef, useState } from 'preact/hooks';
import { act } from '../model.js';
import { Field, valuesOf } from './field.js';
import { Panel } from './panel.js';

/** One key, and what can be done to it; a tag, and everything. */
export function OneKeyForm() {
  const form = useRef<HTMLFormElement>(null);
  const [outcome, setOutcome] = useState('');

  const on = async (name: string): Promise<void> => {
    if (form.current === null) return;
    const { id, text } = valuesOf(form.current);
    setOutcome((await act<string>(name, name === 'set' ? { id, text } : { id })) ?? '');
  };

  return (
    <Panel id="one-key" title="One key">
      <form
        ref={form}
        onSubmit={(event) => {
          event.preventDefault();
          void on('get');
        }}
      >
        <div class="fields">
          <Field label="Item" name="id" defaultValue="item 1" required />
          <Field label="Value, for set" name="text" defaultValue="set by hand" />
        </div>
        <div class="buttons">
          <button>Get</button>
          <button type="button" onClick={() => void on('set')}>
            Set
          </button>
          <button type="button" onClick={() => void on('delete')}>
            Delete
          </button>
          <button type="button" onClick={() => void on('refresh')}>
            Force refresh
          </button>
        </div>
      </form>
      <p class="outcome">{outcome}</p>
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void act('invalidate-tags', { tags: valuesOf(event.currentTarget).tags });
        }}
      >
        <Field label="Tags" hint="items are odd or even" name="tags" defaultValue="odd" />
        <div class="buttons">
          <button>Invalidate</button>
          <button type="button" class="danger" onClick={() => void act('clear')}>
            Clear all
          </button>
        </div>
      </form>
    </Panel>
  );
}
