import { act, progress } from '../model.js';
import { count } from '../text.js';

/** How far a run is. */
export function ProgressPanel() {
  const now = progress.value;
  const isRunning = now?.running === true;
  const text =
    now === undefined
      ? 'Nothing has been run yet.'
      : `${now.title}: ${count(now.done)} of ${count(now.total)}${isRunning ? '' : now.done < now.total ? ', stopped' : ', done'}`;
  return (
    <div class="progress">
      <label for="progress">{text}</label>
      <progress id="progress" max={now?.total ?? 1} value={now?.done ?? 0} />
      <button
        type="button"
        class="small"
        disabled={!isRunning || now.what !== 'run'}
        onClick={() => void act('cancel')}
      >
        Stop
      </button>
    </div>
  );
}
