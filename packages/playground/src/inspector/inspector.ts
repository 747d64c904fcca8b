import { CacheWatch } from './cache-watch.js';
import { namedCaches, type Inspected, type InspectorOptions } from './inspector-options.js';
import type { CacheSnapshot, InspectorSnapshot } from './snapshot.js';

/** For so long after the last look the caches are listened to. A page looks every second. */
const LEASE = 5000;
/** Caches that one page can show. */
const MOST_CACHES = 100;

/** Looks at caches when it is asked, and listens to them only while somebody asks. */
export class Inspector {
  readonly #options: InspectorOptions;
  readonly #watches: CacheWatch[];
  #lease: NodeJS.Timeout | undefined;

  constructor(caches: Inspected, options: InspectorOptions) {
    this.#options = options;
    const { showKeys = false, showValues = false } = options;
    this.#watches = namedCaches(caches)
      .slice(0, MOST_CACHES)
      .map(([name, cache]) => new CacheWatch(name, cache, { showKeys, showValues }));
  }

  look(): InspectorSnapshot {
    this.#watch();
    const { showKeys = false, showValues = false, title = 'Caches' } = this.#options;
    return {
      title,
      at: Date.now(),
      caches: this.#watches
        .map((watch) => watch.look())
        .filter((found): found is CacheSnapshot => found !== undefined),
      showsKeys: showKeys,
      showsValues: showValues,
    };
  }

  #watch(): void {
    if (this.#lease !== undefined) {
      this.#lease.refresh();
      return;
    }
    for (const watch of this.#watches) watch.begin();
    this.#lease = setTimeout(() => {
      this.#lease = undefined;
      for (const watch of this.#watches) watch.end();
    }, LEASE).unref();
  }
}
