import { tool } from 'ai';
import { z } from 'zod';
import type { Step } from './scripted-model.js';
import type { Outcome, UseCase } from './use-case.js';

/** A shop: the cart is read until it changes, the product all the time. */
const shopping: UseCase = {
  title: '1. Shopping',
  world() {
    const cart: string[] = [];
    return {
      tools: {
        get_cart: tool({ inputSchema: z.object({ user: z.string() }), execute: () => [...cart] }),
        get_product: tool({
          inputSchema: z.object({ id: z.string() }),
          execute: ({ id }) => ({ id, price: 3 }),
        }),
        add_to_cart: tool({
          inputSchema: z.object({ user: z.string(), id: z.string() }),
          execute: ({ id }) => cart.push(id),
        }),
        checkout: tool({
          inputSchema: z.object({ user: z.string() }),
          execute: () => cart.splice(0).length,
        }),
      },
      state: () => `${cart.length} in the cart`,
    };
  },
  policies: {
    get_cart: { effect: 'read', resource: 'cart:{user}' },
    get_product: { effect: 'read', resource: 'product:{id}' },
    add_to_cart: { effect: 'mutate', resource: 'cart:{user}' },
    checkout: { effect: 'mutate', resource: 'cart:{user}' },
  },
  runs: [
    steps(
      call('get_cart', { user: 'ada' }),
      call('get_cart', { user: 'ada' }),
      call('get_product', { id: 'apple' }),
      call('add_to_cart', { user: 'ada', id: 'apple' }),
      call('get_cart', { user: 'ada' }),
      call('get_product', { id: 'apple' }),
      call('checkout', { user: 'ada' }),
    ),
  ],
  expected: {
    bare: outcome({ modelCalls: 8, toolRuns: 7, state: '0 in the cart' }),
    guarded: outcome({ modelCalls: 8, toolRuns: 5, hits: 2, state: '0 in the cart' }),
  },
};

/** Support: each conversation has a session, which sees nothing of another's. */
const support: UseCase = {
  title: '2. Support tickets',
  world() {
    const tickets = new Map([['t1', 'open']]);
    return {
      tools: {
        get_ticket: tool({
          inputSchema: z.object({ id: z.string() }),
          execute: ({ id }) => ({ id, status: tickets.get(id) }),
        }),
        update_ticket: tool({
          inputSchema: z.object({ id: z.string(), status: z.string() }),
          execute: ({ id, status }) => {
            tickets.set(id, status);
            return { id, status };
          },
        }),
      },
      state: () => `t1 is ${tickets.get('t1') ?? 'gone'}`,
    };
  },
  policies: {
    get_ticket: { effect: 'read', resource: 'ticket:{id}' },
    update_ticket: { effect: 'mutate', resource: 'ticket:{id}' },
  },
  runs: [
    steps(
      call('get_ticket', { id: 't1' }),
      call('get_ticket', { id: 't1' }),
      call('update_ticket', { id: 't1', status: 'closed' }),
      call('get_ticket', { id: 't1' }),
    ),
    steps(call('get_ticket', { id: 't1' }), call('get_ticket', { id: 't1' })),
    steps(call('get_ticket', { id: 't1' })),
  ],
  expected: {
    bare: outcome({ modelCalls: 10, toolRuns: 7, state: 't1 is closed' }),
    guarded: outcome({ modelCalls: 10, toolRuns: 5, hits: 2, state: 't1 is closed' }),
  },
};

/** Research: the model asks the same again and again. */
const research: UseCase = {
  title: '3. Research',
  world: () => ({
    tools: {
      search: tool({
        inputSchema: z.object({ query: z.string() }),
        execute: ({ query }) => [`about ${query}`],
      }),
    },
  }),
  policies: { search: { effect: 'read' } },
  session: { maxToolRepeats: 3 },
  runs: [() => call('search', { query: 'cats' })],
  expected: {
    bare: outcome({ modelCalls: 20, toolRuns: 20 }),
    guarded: outcome({ modelCalls: 4, toolRuns: 1, hits: 2, loop: 'search' }),
  },
};

/** Inventory: the model goes back and forth between two tools. */
const inventory: UseCase = {
  title: '4. Inventory',
  world() {
    let stock = 10;
    return {
      tools: {
        check_stock: tool({ inputSchema: z.object({ sku: z.string() }), execute: () => stock }),
        update_stock: tool({
          inputSchema: z.object({ sku: z.string(), change: z.number() }),
          execute: ({ change }) => (stock += change),
        }),
      },
      state: () => `${stock} in stock`,
    };
  },
  policies: {
    check_stock: { effect: 'read', resource: 'stock:{sku}' },
    update_stock: { effect: 'mutate', resource: 'stock:{sku}' },
  },
  runs: [
    (step) =>
      step % 2 === 0
        ? call('check_stock', { sku: 'apple' })
        : call('update_stock', { sku: 'apple', change: -1 }),
  ],
  expected: {
    bare: outcome({ modelCalls: 20, toolRuns: 20, state: '0 in stock' }),
    guarded: outcome({
      modelCalls: 4,
      toolRuns: 3,
      loop: 'Cycle detected: check_stock -> update_stock',
      state: '9 in stock',
    }),
  },
};

/** Payment: the model charges a card that is refused, until something stops it. */
const payment: UseCase = {
  title: '5. Payment',
  world() {
    let charges = 0;
    return {
      tools: {
        charge: tool({
          inputSchema: z.object({ card: z.string(), amount: z.number() }),
          execute: (): string => {
            charges++;
            throw new Error('the card was refused');
          },
        }),
      },
      state: () => `${charges} charges`,
    };
  },
  policies: { charge: { effect: 'mutate', resource: 'card:{card}' } },
  session: { maxToolRepeats: 3 },
  runs: [() => call('charge', { card: '4242', amount: 30 })],
  expected: {
    bare: outcome({ modelCalls: 20, toolRuns: 20, state: '20 charges' }),
    guarded: outcome({ modelCalls: 4, toolRuns: 3, loop: 'charge', state: '3 charges' }),
  },
};

export const useCases: readonly UseCase[] = [shopping, support, research, inventory, payment];

function call(name: string, input: object): Step {
  return { tool: name, input };
}

/** These steps, and then the end. */
function steps(...script: readonly Step[]): (step: number) => Step {
  return (step) => script[step] ?? 'done';
}

function outcome(given: Partial<Outcome> & Pick<Outcome, 'modelCalls' | 'toolRuns'>): Outcome {
  return { hits: 0, loop: undefined, state: undefined, ...given };
}
