import type { InputHTMLAttributes } from 'preact';

/** An input with its label, and what is to be known about it. */
export function Field({
  label,
  hint,
  name,
  ...input
}: { label: string; hint?: string; name: string } & InputHTMLAttributes) {
  const id = `field-${name}`;
  const hintId = hint === undefined ? undefined : `${id}-hint`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input id={id} name={name} aria-describedby={hintId} autocomplete="off" {...input} />
      {hint !== undefined && (
        <small id={hintId} class="hint">
          {hint}
        </small>
      )}
    </div>
  );
}

/** What is in the fields of a form, by their names. */
export function valuesOf(form: HTMLFormElement): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') values[name] = value.trim();
  }
  return values;
}
