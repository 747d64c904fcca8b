import type { TierHost } from '@acache/core';
import type { Commands } from './commands.js';
import type { NamespaceKeys } from './key-space.js';
import type { Returned } from './lease.js';
import type { Counts } from './metrics.js';
import type { Announcement } from './announcement.js';
import type { Settings } from './options.js';
import type { OwnWrites } from './own-writes.js';
import type { Renewals } from './renewals.js';
import type { Stamps } from './stamps.js';

/** What the parts of one namespace share. */
export interface NamespaceParts {
  readonly host: TierHost;
  readonly keys: NamespaceKeys;
  readonly settings: Settings;
  readonly commands: Commands;
  readonly stamps: Stamps;
  readonly ownWrites: OwnWrites;
  readonly renewals: Renewals;
  readonly counts: Counts;
  /** Settles when there is, or was, a connection; `undefined` once there has been. */
  readonly opened: () => Promise<unknown> | undefined;
  /** An id for a write of this process. */
  readonly newId: () => Buffer;
  /** What could not be taken away: a claim, which runs out, or an invalid value, which must go. */
  readonly owe: (key: string, claim: Returned) => void;
  /** What a script publishes, so that the other processes hear of what it changes. */
  readonly tell: (
    what: Pick<Announcement, 'keys' | 'tags' | 'all'>,
  ) => readonly [channel: string, message: string];
}
