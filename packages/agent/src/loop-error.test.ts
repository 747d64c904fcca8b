import { createContext, runInContext } from 'node:vm';
import { AgentLoopDetectedError } from './loop-error.js';
import { cycleFinding, depthFinding } from './loop-findings.js';

const loop = { ...cycleFinding('update', ['check', 'update'], 2, 2), sessionId: 's1' };

describe('AgentLoopDetectedError', () => {
  it('says what was found', () => {
    const error = new AgentLoopDetectedError(loop);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('AgentLoopDetectedError');
    expect(error.message).toBe('Cycle detected: check -> update');
    expect(Object.fromEntries(Object.entries(error))).toEqual({
      name: 'AgentLoopDetectedError',
      code: 'ERR_ACACHE_AGENT_LOOP',
      kind: 'cycle',
      tool: 'update',
      tools: ['check', 'update'],
      count: 2,
      limit: 2,
      period: 2,
      sessionId: 's1',
      modelMessage: loop.modelMessage,
    });
  });

  it('has a period only for a cycle', () => {
    const error = new AgentLoopDetectedError({ ...depthFinding('a', 51, 50), sessionId: 's' });
    expect(error.period).toBeUndefined();
  });

  it('knows the errors of other copies of the package and of other realms', () => {
    const foreign: unknown = runInContext(
      `Object.assign(new Error('x'), { code: 'ERR_ACACHE_AGENT_LOOP' })`,
      createContext({}),
    );
    expect(foreign instanceof AgentLoopDetectedError).toBe(true);
    for (const other of [new Error('x'), null, undefined, 'ERR_ACACHE_AGENT_LOOP', {}]) {
      expect(other instanceof AgentLoopDetectedError).toBe(false);
    }
  });

  it('may be extended', () => {
    class Mine extends AgentLoopDetectedError {}
    expect(new Mine(loop)).toBeInstanceOf(Mine);
    expect(new Mine(loop)).toBeInstanceOf(AgentLoopDetectedError);
    expect(new AgentLoopDetectedError(loop)).not.toBeInstanceOf(Mine);
  });
});
