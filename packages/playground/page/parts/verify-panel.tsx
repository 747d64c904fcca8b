import { act, announcement, checks, progress } from '../model.js';
import { counted } from '../text.js';
import type { CheckResult } from '../../src/checks/check.js';
import { Panel } from './panel.js';

/** The promises of the cache, checked on caches that are set up like this one. */
export function VerifyPanel() {
  const results = checks.value;
  const passed = results.filter(({ pass }) => pass).length;
  const now = progress.value;
  const isChecking = now?.running === true && now.what === 'verify';

  const verify = async (): Promise<void> => {
    checks.value = [];
    const found = await act<CheckResult[]>('verify');
    if (found === undefined) return;
    const failed = found.filter(({ pass }) => !pass).length;
    announcement.value = failed === 0 ? 'All checks pass' : `${counted(failed, 'check')} failed`;
  };

  return (
    <Panel
      id="verify"
      title="Verify"
      aside={
        <button
          type="button"
          class="primary small"
          disabled={now?.running === true}
          onClick={() => void verify()}
        >
          {isChecking ? 'Checking …' : 'Check these settings'}
        </button>
      }
    >
      {results.length === 0 ? (
        <p class="empty">
          Checks what the cache promises, with these settings, on caches of its own.
        </p>
      ) : (
        <>
          <p>
            <b>
              {passed} of {results.length} pass
            </b>
          </p>
          <ul class="checks">
            {results.map((result) => (
              <Check key={result.id} result={result} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function Check({ result: { evidence, id, ms, pass, promise } }: { result: CheckResult }) {
  return (
    <li class={pass ? 'pass' : 'fail'} data-check={id}>
      <details open={!pass}>
        <summary>
          <span class="verdict">{pass ? '✓ pass' : '✗ fail'}</span> {promise}{' '}
          <span class="quiet">{ms} ms</span>
        </summary>
        <ul>
          {evidence.map((line, at) => (
            <li key={at}>{line}</li>
          ))}
        </ul>
      </details>
    </li>
  );
}
