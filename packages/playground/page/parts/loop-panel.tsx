import { useState } from 'preact/hooks';
import type { LoopReport } from '../../src/loop-detection.js';
import { act, announcement } from '../model.js';
import { counted } from '../text.js';
import { Choice } from './choice.js';
import { Field, valuesOf } from './field.js';
import { Panel } from './panel.js';
import { Table } from './table.js';

const SCENARIOS = [
  ['repeat', 'asks the same again and again'],
  ['cycle', 'reads and writes the same in turns'],
  ['retry', 'tries again what fails'],
  ['poll', 'polls an order: no loop'],
  ['work', 'reads, and writes something new: no loop'],
] as const;

const ACTIONS = ['throw', 'warn', 'short-circuit', 'steer'] as const;

/** An agent without a model, which runs in circles or works, and what is done about it. */
export function LoopPanel() {
  const [report, setReport] = useState<LoopReport>();

  const run = async (values: Record<string, string>): Promise<void> => {
    const found = await act<LoopReport>('loops', {
      scenario: values.scenario,
      onLoop: values.onLoop,
      calls: Number(values.calls),
      maxToolRepeats: Number(values.maxToolRepeats),
      maxExecutionDepth: Number(values.maxExecutionDepth),
    });
    if (found === undefined) return;
    setReport(found);
    announcement.value = `${counted(found.steps.length, 'call')}, ${counted(found.loopDetections, 'loop')} found`;
  };

  return (
    <Panel id="loops" title="Loop detection">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run(valuesOf(event.currentTarget));
        }}
      >
        <fieldset>
          <legend class="unseen">What the agent does</legend>
          <div class="fields">
            <Choice label="The agent" name="scenario" options={SCENARIOS} />
            <Choice
              label="onLoop"
              name="onLoop"
              options={ACTIONS.map((action) => [action, action] as const)}
            />
            <Field label="Calls" name="calls" type="number" min="1" max="200" defaultValue="12" />
            <Field
              label="maxToolRepeats"
              name="maxToolRepeats"
              type="number"
              min="1"
              max="1000"
              defaultValue="3"
            />
            <Field
              label="maxExecutionDepth"
              name="maxExecutionDepth"
              type="number"
              min="1"
              max="1000"
              defaultValue="50"
            />
          </div>
          <button>Let it run</button>
        </fieldset>
      </form>
      {report && <Report report={report} />}
    </Panel>
  );
}

function Report({ report: { halted, loopDetections, runs, steps } }: { report: LoopReport }) {
  return (
    <Table
      label="What became of the calls"
      columns={['Call', 'Tool', 'Ran', 'Loop', 'Answer']}
      caption={
        <caption>
          {counted(steps.length, 'call')}, tools ran {counted(runs, 'time')},{' '}
          {counted(loopDetections, 'loop')} found
          {halted && ', and the session is halted'}
        </caption>
      }
    >
      {steps.map((step) => (
        <tr key={step.call} class={step.loop === null ? '' : 'stopped'}>
          <td>{step.call}</td>
          <td>
            <code>{step.tool}</code>
          </td>
          <td>{step.ran ? 'yes' : 'no'}</td>
          <td>{step.loop ?? '–'}</td>
          <td>{step.answer}</td>
        </tr>
      ))}
    </Table>
  );
}
