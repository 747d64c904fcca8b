import type { EntryRow } from '../../src/ledger.js';
import { act, entries } from '../model.js';
import { count, duration } from '../text.js';
import { Panel } from './panel.js';
import { Table } from './table.js';

const FRESHNESS = {
  fresh: 'fresh',
  stale: 'stale',
  fallback: 'if the load fails',
  dead: 'gone',
};

/** What is in memory, the entry that was used last first. */
export function EntriesTable() {
  const { rows, total } = entries.value;
  return (
    <Panel
      id="entries"
      title="Entries"
      aside={
        <span class="quiet">
          {count(total)} in memory{total > rows.length && `, ${rows.length} shown`}
        </span>
      }
    >
      {rows.length === 0 ? (
        <p class="empty">Memory is empty.</p>
      ) : (
        <Table
          of="entries"
          class="entries"
          columns={['Key', 'Value', 'Age', 'Time left', 'Tags', 'Do']}
          caption={
            <caption>
              The one used last is at the top; the policy begins at the bottom when there is no
              room.
            </caption>
          }
        >
          {rows.map((row) => (
            <Row key={row.key} row={row} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function Row({ row: { age, freshness, key, tags, ttlLeft, value } }: { row: EntryRow }) {
  return (
    <tr>
      <th scope="row">
        <code>{key}</code>
      </th>
      <td>{value}</td>
      <td class="number">{duration(age)}</td>
      <td class="number">
        {freshness === 'fresh' ? (
          ttlLeft === null ? (
            'for ever'
          ) : (
            <span class="left">
              <span>{duration(ttlLeft)}</span>
              <progress
                max={Math.max(1, age + ttlLeft)}
                value={ttlLeft}
                aria-label={`Time left of ${key}`}
              />
            </span>
          )
        ) : (
          <span class={`state ${freshness}`}>{FRESHNESS[freshness]}</span>
        )}
      </td>
      <td>
        {tags.map((tag) => (
          <button
            key={tag}
            type="button"
            class="tag"
            title={`Invalidate everything with the tag ${tag}`}
            aria-label={`Invalidate the tag ${tag}`}
            onClick={() => void leave('invalidate-tags', { tags: tag })}
          >
            {tag}
          </button>
        ))}
      </td>
      <td class="do">
        <button
          type="button"
          class="small"
          aria-label={`Expire ${key}`}
          onClick={() => void leave('expire', { key })}
        >
          Expire
        </button>
        <button
          type="button"
          class="small"
          aria-label={`Delete ${key}`}
          onClick={() => void leave('delete', { key })}
        >
          Delete
        </button>
      </td>
    </tr>
  );
}

/** Does what takes a row away, and keeps the focus where the row was. */
async function leave(name: string, body: object): Promise<void> {
  const had = document.activeElement;
  await act(name, body);
  // The row goes when the stream says so.
  for (let waited = 0; waited < 1000 && had?.isConnected === true; waited += 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (document.activeElement !== had) break;
  }
  if (document.activeElement === document.body) document.getElementById('entries-title')?.focus();
}
