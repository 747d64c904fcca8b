import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { isDark } from '../theme.js';

/** A line of a chart. */
export interface Line {
  readonly label: string;
  /** The name of its colour among the page's. */
  readonly color: string;
  /** Lines differ by more than their colour. */
  readonly dash?: number[];
  readonly values: readonly (number | null)[];
}

const HEIGHT = 150;

/** Lines over time, with what they are at last beside them. */
export function Chart({
  title,
  times,
  lines,
  format,
  top,
}: {
  title: string;
  /** Seconds since the epoch. */
  times: readonly number[];
  lines: readonly Line[];
  format: (value: number) => string;
  /** The top of the scale, where it is always the same. */
  top?: number;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const dark = isDark.value;
  const data = [times, ...lines.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const summary = lines.map((line) => `${line.label} ${lastOf(line, format)}`).join(', ');

  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const made = new uPlot(optionsOf(lines, format, top), latest.current, element);
    plot.current = made;
    const fit = new ResizeObserver(() => {
      made.setSize({ width: element.clientWidth, height: HEIGHT });
    });
    fit.observe(element);
    return () => {
      fit.disconnect();
      made.destroy();
    };
    // Colours are drawn, so that another theme needs another drawing.
  }, [dark, title]);

  useEffect(() => {
    plot.current?.setData(data);
  }, [times]);

  return (
    <figure class="chart">
      <figcaption>
        <b>{title}</b>
        <ul class="legend">
          {lines.map((line) => (
            <li key={line.label}>
              <svg width="22" height="8" aria-hidden="true">
                <line
                  x1="0"
                  y1="4"
                  x2="22"
                  y2="4"
                  class={`stroke-${line.color}`}
                  stroke-width="2.5"
                  stroke-dasharray={line.dash?.join(' ')}
                />
              </svg>
              {line.label} <b>{lastOf(line, format)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={`${title}: ${summary}`} />
    </figure>
  );
}

function lastOf({ values }: Line, format: (value: number) => string): string {
  const last = values.findLast((value) => value !== null);
  return last == null ? '–' : format(last);
}

function optionsOf(
  lines: readonly Line[],
  format: (value: number) => string,
  top: number | undefined,
): uPlot.Options {
  const styles = getComputedStyle(document.documentElement);
  const color = (name: string): string => styles.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: color('quiet'),
    grid: { stroke: color('line'), width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
  };
  return {
    width: 300,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 8, 0, 0],
    scales: {
      y: { range: (_, __, most) => [0, top ?? Math.max(1, most * 1.1)] },
    },
    axes: [
      { ...axis, space: 70, values: '{HH}:{mm}:{ss}', size: 24 },
      { ...axis, size: 54, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.color),
        width: 2,
        spanGaps: true,
        points: { show: false },
        ...(line.dash !== undefined && { dash: line.dash }),
      })),
    ],
  };
}
