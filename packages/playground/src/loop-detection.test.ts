import { detectLoops, readLoopRequest, type LoopRequest } from './loop-detection.js';

const request: LoopRequest = {
  scenario: 'repeat',
  onLoop: 'throw',
  calls: 12,
  maxToolRepeats: 3,
  maxExecutionDepth: 50,
};

describe('detectLoops', () => {
  it('tells what became of each call, up to the one that was stopped', async () => {
    const { steps, ...rest } = await detectLoops(request);
    expect(steps.map(({ tool, ran, loop }) => [tool, ran, loop])).toEqual([
      ['check_stock', true, null],
      ['check_stock', false, null],
      ['check_stock', false, null],
      ['check_stock', false, 'repeat'],
    ]);
    expect(rest).toEqual({ loopDetections: 1, runs: 1, halted: true });
  });

  it.each([
    ['cycle', 4, 'Cycle detected: check_stock -> update_stock'],
    ['retry', 4, 'Loop detected: pay was called 4 times'],
  ] as const)('finds a %s', async (scenario, calls, message) => {
    const { steps } = await detectLoops({ ...request, scenario });
    expect(steps).toHaveLength(calls);
    expect(steps.at(-1)?.answer).toContain(message);
  });

  it.each([
    ['poll', 12],
    ['work', 12],
  ] as const)('finds none in what is none: %s', async (scenario, runs) => {
    const report = await detectLoops({ ...request, scenario });
    expect(report).toMatchObject({ loopDetections: 0, runs, halted: false });
  });

  it.each([
    ['warn', 12, 'stock is 3'],
    ['short-circuit', 3, 'stock is 3'],
    ['steer', 3, 'You have called update_stock'],
  ] as const)('goes on where it is to %s', async (onLoop, runs, answer) => {
    const report = await detectLoops({ ...request, scenario: 'cycle', onLoop });
    expect(report).toMatchObject({ runs, halted: false, loopDetections: 9 });
    expect(report.steps).toHaveLength(12);
    expect(report.steps.at(-1)?.answer).toContain(answer);
  });

  it('counts no deeper than it may', async () => {
    const report = await detectLoops({ ...request, scenario: 'work', maxExecutionDepth: 5 });
    expect(report.steps.at(-1)).toMatchObject({ call: 6, loop: 'depth', ran: false });
  });

  it.each([
    ['scenario must be', { scenario: 'chat' }],
    ['onLoop must be', { onLoop: 'stop' }],
    ['calls must be', { calls: 1000 }],
    ['maxToolRepeats must be', { maxToolRepeats: 0 }],
    ['maxExecutionDepth must be', { maxExecutionDepth: 'many' }],
  ])('says what is wrong: %s', (message, change) => {
    expect(() => readLoopRequest({ ...request, ...change })).toThrow(message);
  });
});
