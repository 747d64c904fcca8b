import {
  createAgentCache,
  type AgentCacheSession,
  type AgentLoopDetectedError,
  type LoopAction,
  type LoopKind,
} from '@acache/all';
import { describeError } from './describe-error.js';
import { fieldsOf, isWhole, wrong } from './settings.js';

export const LOOP_ACTIONS: readonly LoopAction[] = ['throw', 'warn', 'short-circuit', 'steer'];

/** What the agent of the playground does, which has no model: some of it is a loop, some is work. */
export type LoopScenario = 'repeat' | 'cycle' | 'retry' | 'poll' | 'work';
export const LOOP_SCENARIOS: readonly LoopScenario[] = ['repeat', 'cycle', 'retry', 'poll', 'work'];

export interface LoopRequest {
  readonly scenario: LoopScenario;
  readonly onLoop: LoopAction;
  readonly calls: number;
  readonly maxToolRepeats: number;
  readonly maxExecutionDepth: number;
}

/** One call of a tool. */
export interface LoopStep {
  readonly call: number;
  readonly tool: string;
  /** Whether the tool itself ran, or was answered for. */
  readonly ran: boolean;
  readonly answer: string;
  /** The kind of loop that was found at this call, where one was. */
  readonly loop: LoopKind | null;
}

export interface LoopReport {
  readonly steps: readonly LoopStep[];
  readonly loopDetections: number;
  /** How often a tool ran. */
  readonly runs: number;
  /** Whether the session was halted: an agent that goes on is refused every call. */
  readonly halted: boolean;
}

/** @throws InvalidOptionError for what cannot be meant */
export function readLoopRequest(given: unknown): LoopRequest {
  const fields = fieldsOf(given, 'loop');
  const { calls, maxExecutionDepth, maxToolRepeats, onLoop, scenario } = fields;
  if (!LOOP_SCENARIOS.includes(scenario as LoopScenario)) {
    throw wrong('scenario', `one of ${LOOP_SCENARIOS.join(', ')}`, scenario);
  }
  if (!LOOP_ACTIONS.includes(onLoop as LoopAction)) {
    throw wrong('onLoop', `one of ${LOOP_ACTIONS.join(', ')}`, onLoop);
  }
  if (!isWhole(calls, 1, 200)) throw wrong('calls', 'a whole number from 1 to 200', calls);
  if (!isWhole(maxToolRepeats, 1, 1000)) {
    throw wrong('maxToolRepeats', 'a whole number from 1 to 1000', maxToolRepeats);
  }
  if (!isWhole(maxExecutionDepth, 1, 1000)) {
    throw wrong('maxExecutionDepth', 'a whole number from 1 to 1000', maxExecutionDepth);
  }
  return {
    scenario: scenario as LoopScenario,
    onLoop: onLoop as LoopAction,
    calls,
    maxToolRepeats,
    maxExecutionDepth,
  };
}

/** Lets an agent call tools as the scenario has it, and tells what became of each call. */
export async function detectLoops(request: LoopRequest): Promise<LoopReport> {
  const { calls, scenario, ...limits } = request;
  const shop = openShop();
  const session = shop.agents.session(limits);
  const steps: LoopStep[] = [];
  let found: LoopKind | null = null;
  shop.agents.on('loop', ({ loop }) => {
    found = loop.kind;
  });
  try {
    await session.run(async () => {
      for (let call = 1; call <= calls && session.halted === undefined; call++) {
        const [tool, make] = shop.next(scenario, call);
        const runsBefore = shop.runs();
        found = null;
        const answer = await answerOf(make);
        steps.push({ call, tool, ran: shop.runs() > runsBefore, answer, loop: found });
      }
    });
    return { steps, runs: shop.runs(), ...endOf(session) };
  } finally {
    await session.end();
  }
}

function endOf(session: AgentCacheSession): Pick<LoopReport, 'loopDetections' | 'halted'> {
  const halted: AgentLoopDetectedError | undefined = session.halted;
  return { loopDetections: session.getMetrics().loopDetections, halted: halted !== undefined };
}

/** A shop: its stock is read and changed, a payment fails, an order is polled. */
function openShop() {
  const agents = createAgentCache();
  let runs = 0;
  let stock = 3;
  const check = agents.read({ name: 'check_stock', resource: 'stock' }, () => {
    runs++;
    return Promise.resolve(stock);
  });
  const update = agents.mutate({ name: 'update_stock', resource: 'stock' }, (to: number) => {
    runs++;
    stock = to;
    return Promise.resolve(`stock is ${stock}`);
  });
  const pay = agents.mutate({ name: 'pay', resource: 'payment' }, () => {
    runs++;
    return Promise.reject(new Error('the card was declined'));
  });
  const poll = agents.read(
    { name: 'poll_order', resource: 'order', ttl: 0, loop: { poll: true } },
    () => {
      runs++;
      return Promise.resolve('not shipped yet');
    },
  );
  type Step = readonly [tool: string, make: () => Promise<unknown>];
  const readStock: Step = ['check_stock', () => check()];
  const writeStock = (to: number): Step => ['update_stock', () => update(to)];
  const next = (scenario: LoopScenario, call: number): Step => {
    switch (scenario) {
      case 'repeat':
        return readStock;
      case 'cycle':
        return call % 2 === 1 ? readStock : writeStock(3);
      case 'retry':
        return ['pay', () => pay()];
      case 'poll':
        return ['poll_order', () => poll()];
      case 'work':
        // Each change brings something new: this is no loop, however often it goes round.
        return call % 2 === 1 ? readStock : writeStock(call);
    }
  };
  return { agents, next, runs: () => runs };
}

async function answerOf(make: () => Promise<unknown>): Promise<string> {
  try {
    return String(await make());
  } catch (error) {
    return describeError(error);
  }
}
