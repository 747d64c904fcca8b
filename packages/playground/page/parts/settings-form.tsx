import { useState } from 'preact/hooks';
import type { Kind, Settings } from '../../src/settings.js';
import { act, announcement, burst, checks, samples } from '../model.js';
import { Choice } from './choice.js';
import { Field, valuesOf } from './field.js';
import { Panel } from './panel.js';

const KINDS: readonly { kind: Kind; label: string; about: string }[] = [
  { kind: 'AsyncTTL', label: 'AsyncTTL', about: 'a function whose results live for a time' },
  { kind: 'AsyncLRU', label: 'AsyncLRU', about: 'a function whose last results are kept' },
  { kind: 'AsyncCache', label: 'AsyncCache', about: 'a cache by itself' },
  { kind: 'batch', label: 'Batch loader', about: 'a cache that loads many keys in one call' },
];

const POLICIES = ['lru', 'tinylfu'].map((policy) => [policy, policy] as const);

/** How the cache is set up. To apply it makes a new one. */
export function SettingsForm({ settings }: { settings: Settings }) {
  const [kind, setKind] = useState(settings.kind);
  const isFunction = kind === 'AsyncTTL' || kind === 'AsyncLRU';

  const apply = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const values = valuesOf(event.currentTarget as HTMLFormElement);
    const applied = await act('configure', {
      kind,
      policy: values.policy,
      maxSize: numberOr(values.maxSize, null),
      ttl: durationOr(values.ttl, null),
      staleWhileRevalidate: durationOr(values.staleWhileRevalidate, 0),
      staleIfError: durationOr(values.staleIfError, 0),
      skipArgs: numberOr(values.skipArgs, settings.skipArgs),
      window: durationOr(values.window, settings.window),
      maxBatchSize: numberOr(values.maxBatchSize, settings.maxBatchSize),
    });
    if (applied === undefined) return;
    // What is seen from here on is of the new cache.
    samples.value = samples.value.slice(-1);
    burst.value = undefined;
    checks.value = [];
    announcement.value = 'A new cache is set up';
  };

  return (
    <Panel id="settings" title="Cache">
      <form onSubmit={(event) => void apply(event)}>
        <fieldset class="kinds">
          <legend>What to drive</legend>
          {KINDS.map((each) => (
            <label key={each.kind} class="kind">
              <input
                type="radio"
                name="kind"
                value={each.kind}
                checked={kind === each.kind}
                onChange={() => {
                  setKind(each.kind);
                }}
              />
              <span>
                <b>{each.label}</b> <small>{each.about}</small>
              </span>
            </label>
          ))}
        </fieldset>
        <div class="fields">
          <Field
            label="maxSize"
            hint="entries; nothing: no bound"
            name="maxSize"
            inputMode="numeric"
            defaultValue={settings.maxSize === null ? '' : String(settings.maxSize)}
          />
          <Choice label="policy" name="policy" options={POLICIES} defaultValue={settings.policy} />
          <Field
            label="ttl"
            hint="such as 60s or 250; nothing: for ever"
            name="ttl"
            defaultValue={settings.ttl === null ? '' : String(settings.ttl)}
          />
          <Field
            label="staleWhileRevalidate"
            name="staleWhileRevalidate"
            defaultValue={String(settings.staleWhileRevalidate)}
          />
          <Field
            label="staleIfError"
            name="staleIfError"
            defaultValue={String(settings.staleIfError)}
          />
          {isFunction && (
            <Field
              label="skipArgs"
              hint="of findItem(connection, id)"
              name="skipArgs"
              inputMode="numeric"
              defaultValue={String(settings.skipArgs)}
            />
          )}
          {kind === 'batch' && (
            <>
              <Field
                label="window"
                hint="such as 5 or 20ms"
                name="window"
                defaultValue={String(settings.window)}
              />
              <Field
                label="maxBatchSize"
                hint="keys"
                name="maxBatchSize"
                inputMode="numeric"
                defaultValue={String(settings.maxBatchSize)}
              />
            </>
          )}
        </div>
        <button class="primary">Apply: make a new cache</button>
      </form>
    </Panel>
  );
}

function numberOr<T>(text: string | undefined, otherwise: T): number | string | T {
  if (text === undefined || text === '') return otherwise;
  // What is no number is sent as it is, and refused with a reason.
  return Number.isNaN(Number(text)) ? text : Number(text);
}

function durationOr<T>(text: string | undefined, otherwise: T): number | string | T {
  if (text === undefined || text === '') return otherwise;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
