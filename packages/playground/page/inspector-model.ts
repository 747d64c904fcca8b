import { signal } from '@preact/signals';
import type { InspectorSnapshot } from '../src/inspector/snapshot.js';
import type { Sample } from '../src/messages.js';

const EVERY = 1000;
const MOST_SAMPLES = 240;

export const snapshot = signal<InspectorSnapshot | undefined>(undefined);
/** What was seen of each cache, by its name. */
export const history = signal<Readonly<Record<string, readonly Sample[]>>>({});
/** Why nothing is seen at the moment, where nothing is. */
export const trouble = signal('');

/** Looks every second, and not at all while nobody sees the page. */
export function beginToLook(): void {
  const look = async (): Promise<void> => {
    if (document.hidden) return;
    try {
      const response = await fetch('snapshot.json');
      if (!response.ok) throw new Error((await response.text()).trim());
      note((await response.json()) as InspectorSnapshot);
      trouble.value = '';
    } catch (error) {
      trouble.value = error instanceof Error ? error.message : String(error);
    }
  };
  const goOn = async (): Promise<void> => {
    await look();
    setTimeout(() => void goOn(), EVERY);
  };
  void goOn();
}

function note(seen: InspectorSnapshot): void {
  snapshot.value = seen;
  history.value = Object.fromEntries(
    seen.caches.map(({ name, metrics }) => {
      const before = history.value[name] ?? [];
      return [name, [...before.slice(1 - MOST_SAMPLES), { at: seen.at, metrics, latency: null }]];
    }),
  );
}
