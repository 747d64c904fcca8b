import type { ComponentChildren } from 'preact';

/** Named by the title of a panel, or by a text that is not seen. */
export type Named = { of: string; label?: never } | { label: string; of?: never };

/** What scrolls by itself, also by the keyboard. */
export function Scroll({ children, label, of }: Named & { children: ComponentChildren }) {
  return (
    <div
      class="scroll"
      tabIndex={0}
      role="group"
      aria-label={label}
      aria-labelledby={of === undefined ? undefined : `${of}-title`}
    >
      {children}
    </div>
  );
}
