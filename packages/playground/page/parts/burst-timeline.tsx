import type { Burst, BurstCall, BurstLoad, CallStatus } from '../../src/burst.js';
import { burst } from '../model.js';
import { count, counted, milliseconds } from '../text.js';
import { Panel } from './panel.js';
import { Table } from './table.js';

const STATUSES: Record<CallStatus, { letter: string; label: string }> = {
  miss: { letter: 'L', label: 'loaded' },
  joined: { letter: 'J', label: 'joined' },
  hit: { letter: 'H', label: 'hit' },
  stale: { letter: 'S', label: 'stale' },
  'error-stale': { letter: 'E', label: 'stale, the load failed' },
  error: { letter: 'X', label: 'failed' },
};
const ROW = 10;
const LEFT = 26;
const WIDTH = 900;
const MOST_LANES = 16;
const AXIS = 14;

/** The calls of the last run, one under the other: who loaded, who joined, and for how long. */
export function BurstTimeline() {
  const shown = burst.value;
  return (
    <Panel id="burst" title="Last burst">
      {shown === undefined ? (
        <p class="empty">Run a collection: each call is a bar here.</p>
      ) : (
        <Timeline burst={shown} />
      )}
    </Panel>
  );
}

function Timeline({
  burst: { calls, counts: all, duration, loads, title, unshown },
}: {
  burst: Burst;
}) {
  const counts = countsOf(all);
  const summary = counts.map(([status, n]) => `${n} ${STATUSES[status].label}`).join(', ');
  const scale = (WIDTH - LEFT) / Math.max(1, duration);
  const allLanes = lanesOf(loads, scale);
  const lanes = allLanes.slice(0, MOST_LANES);
  const hidden = allLanes.slice(MOST_LANES).flat().length;
  const callsAt = AXIS + lanes.length * ROW + 18;
  const height = callsAt + calls.length * ROW + 4;
  return (
    <>
      <p>
        <b>{title}</b>, {milliseconds(duration)}, {counted(loads.length, 'load')}: {summary}
        {unshown > 0 && ` (the first ${count(calls.length)} calls are shown)`}
      </p>
      <ul class="legend">
        {counts.map(([status, n]) => (
          <li key={status}>
            <span class={`swatch fill-${status}`} aria-hidden="true">
              {STATUSES[status].letter}
            </span>
            {STATUSES[status].label} <b>{n}</b>
          </li>
        ))}
        <li>
          <span class="swatch fill-load" aria-hidden="true" /> a load of the database
          {hidden > 0 && ` (${count(hidden)} more are not drawn)`}
        </li>
      </ul>
      <div
        class="scroll timeline"
        tabIndex={0}
        role="group"
        aria-label="Timeline of the last burst"
      >
        <svg
          viewBox={`0 0 ${WIDTH} ${height}`}
          width="100%"
          role="img"
          aria-label={`${title}: ${summary}, ${counted(loads.length, 'load')} in ${milliseconds(duration)}`}
        >
          {[0, 0.25, 0.5, 0.75].map((share) => (
            <g key={share}>
              <line
                x1={LEFT + share * (WIDTH - LEFT)}
                x2={LEFT + share * (WIDTH - LEFT)}
                y1={AXIS - 2}
                y2={height}
                class="stroke-line"
              />
              <text x={LEFT + share * (WIDTH - LEFT)} y={9} class="letter">
                {milliseconds(share * duration)}
              </text>
            </g>
          ))}
          {lanes.map((lane, row) =>
            lane.map((load) => (
              <rect
                key={load.load}
                x={LEFT + load.start * scale}
                y={AXIS + row * ROW + 2}
                width={Math.max(3, ((load.end ?? duration) - load.start) * scale)}
                height={ROW - 3}
                rx="2"
                class={load.failed ? 'fill-error' : 'fill-load'}
              >
                <title>{describeLoad(load)}</title>
              </rect>
            )),
          )}
          <line x1={0} x2={WIDTH} y1={callsAt - 8} y2={callsAt - 8} class="stroke-line" />
          {calls.map((call, row) => (
            <g key={call.call}>
              <text x="4" y={callsAt + row * ROW + 8} class="letter">
                {STATUSES[call.status].letter}
              </text>
              <rect
                x={LEFT + call.start * scale}
                y={callsAt + row * ROW + 1}
                width={Math.max(3, (call.end - call.start) * scale)}
                height={ROW - 2}
                rx="2"
                class={`fill-${call.status}`}
              >
                <title>{describeCall(call)}</title>
              </rect>
            </g>
          ))}
        </svg>
      </div>
      <details>
        <summary>As a table</summary>
        <Table
          label="Calls of the last burst"
          columns={['Call', 'Item', 'Answered', 'From load', 'Began at', 'Took']}
          caption={<caption class="unseen">Calls of the last burst</caption>}
        >
          {calls.map((call) => (
            <tr key={call.call}>
              <td>{call.call}</td>
              <td>{call.id}</td>
              <td>{STATUSES[call.status].label}</td>
              <td>{call.load === 0 ? '–' : call.load}</td>
              <td>{milliseconds(call.start)}</td>
              <td>{milliseconds(call.end - call.start)}</td>
            </tr>
          ))}
        </Table>
      </details>
    </>
  );
}

function countsOf(all: Burst['counts']): [CallStatus, number][] {
  return (Object.keys(STATUSES) as CallStatus[])
    .map((status): [CallStatus, number] => [status, all[status] ?? 0])
    .filter(([, n]) => n > 0);
}

/** Loads in as few rows as they fit in without touching. */
function lanesOf(loads: readonly BurstLoad[], scale: number): BurstLoad[][] {
  const lanes: BurstLoad[][] = [];
  for (const load of loads) {
    const free = lanes.find((lane) => {
      const last = lane.at(-1);
      return last?.end != null && (load.start - last.end) * scale >= 2;
    });
    if (free === undefined) lanes.push([load]);
    else free.push(load);
  }
  return lanes;
}

function describeCall({ call, end, id, load, start, status }: BurstCall): string {
  const from = load === 0 ? '' : ` by load ${load}`;
  return `call ${call} of ${id}: ${STATUSES[status].label}${from}, ${milliseconds(end - start)}`;
}

function describeLoad({ end, failed, ids, load, start }: BurstLoad): string {
  const took = end === null ? 'still running' : milliseconds(end - start);
  return `load ${load} of ${ids.join(', ')}: ${failed ? 'failed, ' : ''}${took}`;
}
