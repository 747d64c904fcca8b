import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { prometheus, type ObservedCache } from '../src/index.js';

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: {
    readonly x: number;
    readonly y: number;
    readonly w: number;
    readonly h: number;
  };
  readonly targets: readonly { readonly expr: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly definition?: string }[];
  };
}

const text = readFileSync(join(__dirname, '../grafana-dashboard.json'), 'utf8');
const { panels, templating } = JSON.parse(text) as Dashboard;
const variables = templating.list.map(({ name }) => name);
const queries = [
  ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ...templating.list.flatMap(({ definition }) => definition ?? []),
];

/** The metrics that there are, each with its labels and their values. */
async function exposed(): Promise<Map<string, Map<string, Set<string>>>> {
  const registry = new Registry();
  const numbers = { hits: 1, misses: 1, size: 1, hitRate: 1, staleHits: 1, joined: 1, loads: 1 };
  const more = {
    loadErrors: 1,
    evictions: 1,
    expirations: 1,
    tierHits: 1,
    tierErrors: 1,
    loadTimeMs: 1,
  };
  const on = (): (() => void) => () => undefined;
  const cache: ObservedCache = { name: 'c', on, getMetrics: () => ({ ...numbers, ...more }) };
  const state = { down: false, coherent: true, unsent: 0 };
  const events = { outages: 1, resets: 1, invalidations: 1, rereads: 1, leases: 1, waits: 1 };
  const tier = { getMetrics: () => ({ ...state, ...events, refusals: 1, unreadable: 1 }) };
  prometheus([cache], registry, { tiers: { t: tier } });
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const { name, type, values } of await registry.getMetricsAsJSON()) {
    // A query asks for the buckets of a histogram.
    const labels = new Map<string, Set<string>>();
    for (const { labels: of } of values) {
      for (const [label, value] of Object.entries(of)) {
        labels.set(label, (labels.get(label) ?? new Set()).add(String(value)));
      }
    }
    metrics.set(String(type) === 'histogram' ? `${name}_bucket` : name, labels);
  }
  return metrics;
}

describe('the dashboard', () => {
  it('asks for metrics that there are, and for all of them', async () => {
    const asked = new Set(queries.flatMap((query) => query.match(/\bacache_\w+/g) ?? []));
    expect([...asked].sort()).toEqual([...(await exposed()).keys()].sort());
  });

  it('asks for labels that they have, with values that there are', async () => {
    const metrics = await exposed();
    for (const query of queries) {
      for (const [, metric = '', matchers = ''] of query.matchAll(/(acache_\w+)\{([^}]*)\}/g)) {
        for (const [, label = '', value = ''] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
          const values = metrics.get(metric)?.get(label);
          expect([metric, label, values === undefined]).toEqual([metric, label, false]);
          if (value.startsWith('$')) expect(variables).toContain(value.slice(1));
          else for (const one of value.split('|')) expect(values).toContain(one);
        }
      }
      const metric = /acache_\w+/.exec(query)?.[0] ?? '';
      for (const [, labels = ''] of query.matchAll(/by \(([^)]*)\)/g)) {
        for (const label of labels.split(', ')) {
          expect([...(metrics.get(metric)?.keys() ?? [])]).toContain(label);
        }
      }
    }
  });

  it('takes the rate of counters, and of nothing else', () => {
    for (const query of queries) {
      for (const [metric] of query.matchAll(/acache_\w+/g)) {
        const isRate = new RegExp(`rate\\(${metric}(\\{[^}]*\\})?\\[\\$__rate_interval\\]\\)`).test(
          query,
        );
        const grows = /_(?:total|bucket)$/.test(metric);
        expect([query, metric, isRate]).toEqual([query, metric, grows]);
      }
    }
  });

  it('shows each panel in a place of its own', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos: a, id, title } of panels) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      const over = panels.filter(
        ({ gridPos: b, id: other }) =>
          other !== id && a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h,
      );
      expect([title, over.map((panel) => panel.title)]).toEqual([title, []]);
    }
  });

  it('is closed wherever it is opened', () => {
    for (const query of queries) {
      for (const [open, close] of [
        ['(', ')'],
        ['{', '}'],
        ['[', ']'],
      ] as const) {
        expect(query.split(open).length).toBe(query.split(close).length);
      }
    }
  });
});
