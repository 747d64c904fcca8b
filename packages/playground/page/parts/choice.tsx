import type { SelectHTMLAttributes } from 'preact';

/** A list to choose from, with its label. */
export function Choice({
  label,
  name,
  options,
  ...select
}: {
  label: string;
  name: string;
  options: readonly (readonly [value: string, text: string])[];
} & SelectHTMLAttributes) {
  const id = `field-${name}`;
  return (
    <div class={options.some(([, text]) => text.length > 20) ? 'field wide' : 'field'}>
      <label for={id}>{label}</label>
      <select id={id} name={name} {...select}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  );
}
