import { signal } from '@preact/signals';
import type { CacheSnapshot } from '../src/inspector/snapshot.js';
import { history, snapshot, trouble } from './inspector-model.js';
import { Charts } from './parts/charts.js';
import { MetricTiles } from './parts/metric-tiles.js';
import { Panel } from './parts/panel.js';
import { Scroll } from './parts/scroll.js';
import { Table } from './parts/table.js';
import { ThemeSwitch } from './parts/theme-switch.js';
import { clockTime, count, duration, percent } from './text.js';

const chosen = signal<string | undefined>(undefined);

/** Caches of a service: all in a table, and one of them closely. */
export function InspectorPage() {
  const seen = snapshot.value;
  const caches = seen?.caches ?? [];
  const shown = caches.find(({ name }) => name === chosen.value) ?? caches[0];
  return (
    <>
      <header>
        <div class="title-row">
          <h1>{seen?.title ?? document.title}</h1>
          <ul class="badges" aria-label="What is shown">
            <li class="badge">read-only</li>
            <li class="badge">keys {seen?.showsKeys === true ? 'are shown' : 'are hidden'}</li>
            <li class="badge">values {seen?.showsValues === true ? 'are shown' : 'are hidden'}</li>
          </ul>
          <ThemeSwitch />
        </div>
        <div role="alert" class="alerts">
          {trouble.value !== '' && <p class="alert">Nothing is seen: {trouble}</p>}
        </div>
      </header>
      <main class="inspector">
        <Panel id="caches" title="Caches">
          {caches.length === 0 ? (
            <p class="empty">There are none.</p>
          ) : (
            <Overview caches={caches} shown={shown} />
          )}
        </Panel>
        {shown && <Closely cache={shown} key={shown.name} />}
      </main>
    </>
  );
}

function Overview({
  caches,
  shown,
}: {
  caches: readonly CacheSnapshot[];
  shown: CacheSnapshot | undefined;
}) {
  return (
    <Table
      of="caches"
      columns={['Name', 'Hit rate', 'Hits', 'Misses', 'Loads', 'Errors', 'Entries', 'Evictions']}
      caption={<caption class="unseen">All caches; choose one to see it closely</caption>}
    >
      {caches.map(({ metrics, name }) => (
        <tr key={name}>
          <th scope="row">
            <button
              type="button"
              class="small"
              aria-pressed={name === shown?.name}
              onClick={() => {
                chosen.value = name;
              }}
            >
              {name}
            </button>
          </th>
          <td class="number">{percent(metrics.hitRate)}</td>
          <td class="number">{count(metrics.hits)}</td>
          <td class="number">{count(metrics.misses)}</td>
          <td class="number">{count(metrics.loads)}</td>
          <td class="number">{count(metrics.loadErrors)}</td>
          <td class="number">{count(metrics.size)}</td>
          <td class="number">{count(metrics.evictions)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Closely({ cache: { events, keys, metrics, name } }: { cache: CacheSnapshot }) {
  return (
    <>
      <h2 class="chosen">{name}</h2>
      <MetricTiles metrics={metrics} withTier={metrics.tierHits + metrics.tierErrors > 0} />
      <Charts samples={history.value[name] ?? []} />
      {keys !== null && (
        <Panel id="keys" title="Keys that were seen of late">
          {keys.length === 0 ? (
            <p class="empty">None since you look.</p>
          ) : (
            <Table
              of="keys"
              columns={['Key', 'Memory', 'Value', 'Seen']}
              caption={<caption class="unseen">Keys, the last seen first</caption>}
            >
              {keys.map(({ fresh, key, seen, value }) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                  </th>
                  <td>{fresh ? 'has it, fresh' : 'has it not, or stale'}</td>
                  <td>{value ?? '–'}</td>
                  <td class="number">{duration(seen)} ago</td>
                </tr>
              ))}
            </Table>
          )}
        </Panel>
      )}
      <Panel id="events" title="Some of what happens">
        {events.length === 0 ? (
          <p class="empty">Nothing since you look.</p>
        ) : (
          <Scroll of="events">
            <ol class="lines">
              {events.map(({ at, detail, event, key }, index) => (
                <li key={index} class={event}>
                  <time>{clockTime(at)}</time> <b>{event}</b> {key} {detail}
                </li>
              ))}
            </ol>
          </Scroll>
        )}
      </Panel>
    </>
  );
}
