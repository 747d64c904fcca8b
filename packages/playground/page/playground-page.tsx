import { Announcer } from './parts/announcer.js';
import { BurstTimeline } from './parts/burst-timeline.js';
import { Charts } from './parts/charts.js';
import { CodePanel } from './parts/code-panel.js';
import { DatabaseForm } from './parts/database-form.js';
import { EntriesTable } from './parts/entries-table.js';
import { LoadForm } from './parts/load-form.js';
import { LogPanel } from './parts/log-panel.js';
import { LoopPanel } from './parts/loop-panel.js';
import { MetricTiles } from './parts/metric-tiles.js';
import { OneKeyForm } from './parts/one-key-form.js';
import { PageHeader } from './parts/page-header.js';
import { ProgressPanel } from './parts/progress-panel.js';
import { SettingsForm } from './parts/settings-form.js';
import { VerifyPanel } from './parts/verify-panel.js';
import { samples, state } from './model.js';

/** The whole playground: what can be done on the left, what is seen of it on the right. */
export function PlaygroundPage() {
  const now = state.value;
  return (
    <>
      <a class="skip" href="#seen">
        Skip to what is seen
      </a>
      <PageHeader title="acache playground" state={now} />
      {now && (
        <main>
          <div class="column doing">
            <SettingsForm settings={now.settings} key={JSON.stringify(now.settings)} />
            <DatabaseForm backend={now.backend} key={JSON.stringify(now.backend)} />
            <LoadForm />
            <OneKeyForm />
            <CodePanel code={now.code} />
          </div>
          <div class="column seeing" id="seen" tabIndex={-1}>
            <ProgressPanel />
            <MetricTiles
              metrics={samples.value.at(-1)?.metrics}
              maxSize={now.settings.maxSize}
              withTier={now.redis !== 'none'}
            />
            <Charts samples={samples.value} withLatency />
            <BurstTimeline />
            <EntriesTable />
            <VerifyPanel />
            <LoopPanel />
            <LogPanel />
          </div>
        </main>
      )}
      <Announcer />
    </>
  );
}
