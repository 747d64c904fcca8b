/** What one process tells the others where Redis does not. */
export interface Announcement {
  /** The attached cache that did it: it need not hear of it. */
  readonly from: string;
  /** The cache's name. */
  readonly name: string;
  readonly keys?: readonly string[];
  readonly tags?: readonly string[];
  readonly all?: true;
  /** Proves that the link hears. */
  readonly proof?: string;
}

export function writeAnnouncement(announcement: Announcement): string {
  return JSON.stringify(announcement);
}

/** What was announced; `undefined` for what is no announcement of ours. */
export function readAnnouncement(payload: unknown): Announcement | undefined {
  try {
    const { from, name, keys, tags, all, proof } = JSON.parse(String(payload)) as Record<
      string,
      unknown
    >;
    if (typeof from !== 'string' || typeof name !== 'string') return undefined;
    return {
      from,
      name,
      ...(isTexts(keys) && { keys }),
      ...(isTexts(tags) && { tags }),
      ...(all === true && { all }),
      ...(typeof proof === 'string' && { proof }),
    };
  } catch {
    // Anybody may publish on the channel.
    return undefined;
  }
}

function isTexts(given: unknown): given is string[] {
  return Array.isArray(given) && given.every((text) => typeof text === 'string');
}
