import { errorResult, isAnswer, isErrorResult } from './tool-result.js';

const content = [{ type: 'text', text: 'x' }];

it.each([
  ['a result', { content }, true],
  ['one that is complete', { content, resultType: 'complete' }, true],
  ['one with other metadata', { content, _meta: { trace: 1 } }, true],
  ['a question', { resultType: 'input_required', inputRequests: {} }, false],
  ['a task', { task: { taskId: '1' } }, false],
  ['one not to be cached', { content, _meta: { cache_hint: 'no-cache' } }, false],
  ['nothing', undefined, false],
])('says whether %s is an answer', (_, result, expected) => {
  expect(isAnswer(result)).toBe(expected);
});

it('tells errors', () => {
  expect(
    [errorResult('x'), { content }, { content, isError: false }, null].map(isErrorResult),
  ).toEqual([true, false, false, false]);
});
