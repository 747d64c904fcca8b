import { announcement } from '../model.js';

/** Says what happened to whoever does not see it. */
export function Announcer() {
  return (
    <p class="unseen" role="status">
      {announcement}
    </p>
  );
}
