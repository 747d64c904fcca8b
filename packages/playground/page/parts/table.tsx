import type { ComponentChildren, VNode } from 'preact';
import { Scroll, type Named } from './scroll.js';

/** A table that scrolls by itself, under the heads of its columns; its children are its rows. */
export function Table({
  caption,
  children,
  class: name,
  columns,
  ...named
}: Named & {
  caption: VNode;
  children: ComponentChildren;
  class?: string;
  columns: readonly string[];
}) {
  return (
    <Scroll {...named}>
      <table class={name}>
        {caption}
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scroll>
  );
}
