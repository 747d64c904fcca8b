/** A page as the sidebar names it, by its path on the site. */
export interface SidebarPage {
  readonly text: string;
  readonly link: string;
}

export interface SidebarGroup {
  readonly text: string;
  readonly collapsed?: boolean;
  readonly items: SidebarPage[];
}

/** The pages in the order in which they are best read; those of packages and entries follow from what is published. */
export function sidebar(entries: readonly string[]): SidebarGroup[] {
  const packages = [...new Set(entries.map((entry) => entry.split('/').slice(0, 2).join('/')))];
  return [
    group('Begin', {
      'What it is': '/',
      'In ten minutes': '/start',
      'Comparison with peers': '/comparison',
      Benchmarks: '/benchmarks',
    }),
    group('Concepts', {
      Freshness: '/concepts/freshness',
      Races: '/concepts/races',
      Tags: '/concepts/tags',
      Tiers: '/concepts/tiers',
    }),
    group('Recipes', {
      'An HTTP service': '/recipes/http-service',
      GraphQL: '/recipes/graphql',
      NestJS: '/recipes/nestjs',
      Fastify: '/recipes/fastify',
      'A Next-style server': '/recipes/next-style-server',
      Workers: '/recipes/workers',
      Agents: '/recipes/agents',
    }),
    group('In production', {
      'Production guide': '/production',
      'Encrypted values': '/encrypted-values',
      'How the Redis tier works': '/redis-tier',
      'How the file works': '/persist-file',
      'The format of the file': '/packages/persist-file-format',
      'How the Keyv tier works': '/keyv-tier',
    }),
    group('Agents', {
      'How the tool cache works': '/agent',
      'With an SDK': '/agent-sdks',
      'Loop detection': '/loop-detection',
    }),
    group('Moving from', {
      'async-cache (Python)': '/from-python',
      dataloader: '/from-dataloader',
      'lru-cache': '/migration/lru-cache',
      'cache-manager and cacheable': '/migration/cache-manager',
      bentocache: '/migration/bentocache',
    }),
    group('Inside', {
      'Extending it': '/extending',
      Architecture: '/architecture',
      'The format of values': '/value-format',
      Contributing: '/contributing',
    }),
    {
      text: 'Packages',
      items: packages.map((name) => ({ text: name, link: name.replace('@acache', '/packages') })),
    },
    {
      text: 'API',
      collapsed: true,
      items: entries.map((entry) => ({ text: entry, link: apiPageOf(entry) })),
    },
  ];
}

/** The page that `api.mjs` makes of what can be imported by this name. */
export function apiPageOf(entry: string): string {
  return `/api/${entry.replace('@acache/', '').replace('/', '.')}`;
}

function group(text: string, pages: Readonly<Record<string, string>>): SidebarGroup {
  return { text, items: Object.entries(pages).map(([text, link]) => ({ text, link })) };
}
