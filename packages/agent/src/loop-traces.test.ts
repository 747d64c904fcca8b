import { LoopDetector, type LoopFinding } from './loop-detector.js';
import type { WatchedCall } from './watched-call.js';

/**
 * Sessions written after public reports, of detectors that stopped work and of agents that were not
 * stopped. The thresholds were looked at with these in mind: they show what is meant, not how often it is right.
 */
type Trace = Generator<readonly [tool: string, args?: unknown, answer?: unknown]>;

interface Tool {
  effect: WatchedCall['effect'];
  resource?: (args: never) => string;
  poll?: boolean;
}

/** Those that are not here are tools that no policy names. */
const tools: Record<string, Tool> = {
  read_file: { effect: 'read', resource: (path: string) => `src:${path}` },
  list_files: { effect: 'read', resource: (path: string) => `src:${path}` },
  grep: { effect: 'read', resource: () => 'src' },
  run_tests: { effect: 'read', resource: () => 'src' },
  edit_file: { effect: 'mutate', resource: ({ path }: { path: string }) => `src:${path}` },
  write_file: { effect: 'mutate', resource: ({ path }: { path: string }) => `src:${path}` },
  git_mv: { effect: 'mutate', resource: () => 'src' },
  search: { effect: 'read' },
  fetch_page: { effect: 'read' },
  list_orders: { effect: 'read', resource: () => 'orders' },
  get_ticket: { effect: 'read', resource: (id: number) => `ticket:${id}` },
  get_customer: { effect: 'read', resource: (id: string) => `customer:${id}` },
  update_ticket: { effect: 'mutate', resource: ({ id }: { id: number }) => `ticket:${id}` },
  send_email: { effect: 'mutate' },
  charge: { effect: 'mutate', resource: ({ order }: { order: number }) => `order:${order}` },
  check_stock: { effect: 'read', resource: (sku: string) => `stock:${sku}` },
  update_stock: { effect: 'mutate', resource: ({ sku }: { sku: string }) => `stock:${sku}` },
  exists: { effect: 'read', resource: (path: string) => `src:${path}` },
  audit_package: { effect: 'read' },
  task_list: { effect: 'read', resource: () => 'tasks' },
  claim_task: { effect: 'mutate', resource: (id: number) => `tasks:${id}` },
  todo_read: { effect: 'read', resource: () => 'todo' },
  todo_write: { effect: 'mutate', resource: () => 'todo' },
  job_status: { effect: 'read' },
  job_log: { effect: 'read' },
  wait_for_job: { effect: 'read', poll: true },
  snapshot: { effect: 'read', resource: () => 'page' },
  click: { effect: 'mutate', resource: () => 'page' },
  get_current_time: { effect: 'read' },
};

const FAILED = Symbol('failed');
/** Reads of what changes by itself are not cached. */
const volatileTools = new Set([
  'job_status',
  'job_log',
  'wait_for_job',
  'get_current_time',
  'task_list',
]);

/** Runs a trace with its reads cached, as the runtime does. */
function firstLoop(trace: Trace, warm = false): { at: number; finding: LoopFinding } | undefined {
  const detector = new LoopDetector({
    maxToolRepeats: 5,
    maxToolFailures: 8,
    maxStagnantCalls: 20,
  });
  const cached = new Map<string, { value: unknown; resource: string }>();
  let at = 0;
  for (const [name, args, answer = 'ok'] of trace) {
    at++;
    const { effect, resource: resourceOf, poll = false } = tools[name] ?? { effect: 'unknown' };
    const resource = resourceOf?.(args as never);
    const token = `${name} ${JSON.stringify(args)}`;
    const resources = resource === undefined ? [] : [resource];
    const call: WatchedCall = { tool: name, token, effect, resources, exempt: poll };
    const finding = detector.admit(call);
    if (finding !== undefined) return { at, finding };
    const hit = cached.get(token);
    if (hit !== undefined || (warm && effect === 'read')) {
      detector.settle(call, { status: 'cached', value: hit?.value ?? answer });
      continue;
    }
    if (effect === 'mutate' && resource !== undefined) {
      for (const [key, entry] of cached) if (conflict(entry.resource, resource)) cached.delete(key);
    }
    if (answer === FAILED) {
      detector.settle(call, { status: 'failed' });
    } else {
      if (effect === 'read' && !volatileTools.has(name))
        cached.set(token, { value: answer, resource: resource ?? '-' });
      detector.settle(call, { status: 'fresh', value: answer });
    }
  }
  return undefined;
}

function conflict(one: string, other: string): boolean {
  return `${one}:`.startsWith(`${other}:`) || `${other}:`.startsWith(`${one}:`);
}

const text = (about: unknown) =>
  `a page of text that tells all there is to know about ${String(about)}`;
const results = (about: unknown) => ({
  results: [1, 2, 3].map((id) => ({ id, title: text(`${String(about)} ${id}`) })),
});

function* times<T>(count: number, one: (i: number) => Iterable<T>): Generator<T> {
  for (let i = 0; i < count; i++) yield* one(i);
}

const legitimate: Record<string, () => Trace> = {
  'moves files and updates their imports, one after another (gemini-cli#5873)': () =>
    times(15, (i) => [
      ['grep', `Widget${i}`, `src/a${i}.ts: import Widget${i}`],
      ['git_mv', { from: `w${i}.ts`, to: `widgets/w${i}.ts` }, ''],
      ['grep', `./w${i}`, `src/a${i}.ts:3\nsrc/b${i}.ts:9`],
      ['edit_file', { path: `a${i}.ts`, line: 3 }],
      ['edit_file', { path: `b${i}.ts`, line: 9 }],
    ]),
  'loads and analyses block after block (gemini-cli#7950, #8234)': () =>
    times(40, (i) => [
      ['load_rows', { from: i * 1000 }, '1000 rows loaded into the data frame df'],
      ['python', 'df.describe()', `mean ${i}.5, std 2.${i}`],
      ['python', `report.append(df, ${i})`, ''],
    ]),
  'asks for a job until it is done (OpenMonoAgent#47)': () =>
    times(60, (i) => [['job_status', 7, { state: 'running', percent: Math.floor(i / 2) }]]),
  'waits for a job by a declared poll that says the same each time (router#1123)': () =>
    times(80, () => [['wait_for_job', 7, '']]),
  'asks for a job and looks into its log (openclaw#17118)': () =>
    times(25, (i) => [
      ['job_status', 7, { state: 'running', percent: 4 * i }],
      ['job_log', 7, `step ${i} of 25 done`],
    ]),
  'edits and tests until the tests pass': () =>
    times(20, (i) => [
      ['edit_file', { path: 'parser.ts', patch: i }],
      ['run_tests', 'parser', '3 failed, 40 passed'],
    ]),
  'edits and tests with tools that no policy names, and the tests fail as errors': () =>
    times(15, (i) => [
      [
        'str_replace',
        { path: 'parser.ts', patch: i },
        'The file parser.ts has been edited successfully.',
      ],
      ['npm_test', {}, FAILED],
    ]),
  'reads, edits and reads again, file after file': () =>
    times(12, (file) =>
      times(3, (i) => [
        ['read_file', `f${file}.ts`, text(`${file} ${i}`)],
        ['edit_file', { path: `f${file}.ts`, patch: i }],
      ]),
    ),
  'looks at the working tree between edits (a shell)': () =>
    times(12, (i) => [
      ['bash', 'git status --short', ` M f${i}.ts`],
      ['apply_patch', { i }, 'Done!'],
      ['bash', 'npm test', i % 3 === 0 ? FAILED : `${i} tests failed of 60 in all, see the log`],
    ]),
  'reads a hundred pages': () =>
    times(100, (i) => [
      ['list_orders', { cursor: i }, { orders: [{ id: i, total: text(i) }], next: i + 1 }],
    ]),
  'works through the tasks of a shared board (qwen-code#9492)': () =>
    times(12, (i) => [
      ['task_list', {}, { open: 12 - i, tasks: [`task ${i}`] }],
      ['claim_task', i],
      ['read_file', `task${i}.md`, text(i)],
    ]),
  'looks whether sixty files exist, and none does': () =>
    times(60, (i) => [['exists', `f${i}.ts`, false]]),
  'audits forty packages, and all are well': () =>
    times(40, (i) => [['audit_package', `p${i}`, { vulnerable: false, advisories: [], score: 0 }]]),
  'writes to forty people': () =>
    times(40, (i) => [
      ['send_email', { to: i }, 'Your message was accepted and will be delivered soon.'],
    ]),
  'writes to forty people with a tool that no policy names': () =>
    times(40, (i) => [
      ['post_message', { to: i }, 'Your message was accepted and will be delivered soon.'],
    ]),
  'answers tickets of a few customers': () =>
    times(20, (i) => [
      ['get_ticket', i, { id: i, text: text(i) }],
      ['get_customer', `c${i % 5}`, { name: `c${i % 5}`, plan: 'pro' }],
      ['update_ticket', { id: i, status: 'answered' }],
      ['get_ticket', i, { id: i, text: text(i), status: 'answered' }],
    ]),
  'fetches pages of which some fail at first': () =>
    times(20, (i) => [
      ['fetch_page', i, i % 3 === 0 ? FAILED : text(i)],
      ['fetch_page', i, i % 6 === 0 ? FAILED : text(i)],
      ['fetch_page', i, text(i)],
    ]),
  'fills in a form, looking at the page after each step': () =>
    times(15, (i) => [
      ['click', { on: `field ${i}` }],
      ['snapshot', {}, `page with ${i + 1} fields filled in`],
    ]),
  'keeps a list of what is to be done': () =>
    times(12, (i) => [
      ['todo_write', { done: i }],
      ['read_file', `f${i}.ts`, text(i)],
      ['edit_file', { path: `f${i}.ts`, patch: 1 }],
      ['todo_read', {}, { done: i }],
    ]),
  'searches, and reads what it finds': () =>
    times(20, (i) => [
      ['search', `question ${i}`, results(i)],
      ['fetch_page', `${i}.1`, text(`${i}.1`)],
      ['fetch_page', `${i}.2`, text(`${i}.2`)],
    ]),
};

type Expected = readonly [at: number, kind: LoopFinding['kind'], trace: () => Trace];

const looping: Record<string, Expected> = {
  'reads one file over and over (gemini-cli#8259, nanobot#3073)': [
    6,
    'repeat',
    () => times(50, () => [['read_file', 'history.jsonl', text('history')]]),
  ],
  'lists one folder in two ways (pi#6158)': [
    6,
    'repeat',
    function* () {
      yield* times(6, () => [['bash', 'ls custom', 'a.css'] as const]);
      yield* times(5, () => [['bash', 'ls -la custom', '-rw-r--r-- a.css'] as const]);
    },
  ],
  'edits twice and then only reads (forgecode#3247, kimi-cli#2637)': [
    10,
    'repeat',
    function* () {
      yield ['edit_file', { path: 'route.ts', patch: 1 }];
      yield ['edit_file', { path: 'route.test.ts', patch: 1 }];
      yield* times(2, () => [['grep', 'INVALID_OTP', 'route.test.ts:601'] as const]);
      yield* times(30, () => [['read_file', 'route.test.ts', text('tests')] as const]);
    },
  ],
  'reads two empty files in turn (jcode#797)': [
    4,
    'cycle',
    () => times(90, (i) => [['read_file', i % 2 === 0 ? 'naming.ts' : 'file.ts', '(empty file)']]),
  ],
  'reads two empty files in turn with a tool that no policy names': [
    4,
    'cycle',
    () => times(90, (i) => [['cat', i % 2 === 0 ? 'naming.ts' : 'file.ts', '(empty file)']]),
  ],
  'lists what there is, and there is nothing (superplane#4123)': [
    6,
    'cycle',
    () =>
      times(20, () => [
        ['list_integration_resources', {}, []],
        ['describe_trigger', {}, {}],
        ['list_components', {}, []],
      ]),
  ],
  'writes the same file again and again (nanobot#425)': [
    6,
    'repeat',
    () => times(20, () => [['write_file', { path: 'a.md', text: 'x' }]]),
  ],
  'sends the same message again and again, each with an id of its own (nanobot#1240)': [
    6,
    'repeat',
    () => times(20, (i) => [['message', { to: 'user', text: 'working on it' }, { id: `m${i}` }]]),
  ],
  'checks and updates the same stock': [
    4,
    'cycle',
    () =>
      times(20, (i) => [
        ['check_stock', 'A', { left: 10 - i }],
        ['update_stock', { sku: 'A', by: -1 }],
      ]),
  ],
  'makes a change and takes it back': [
    8,
    'cycle',
    () =>
      times(20, (i) => [
        ['edit_file', { path: 'a.ts', patch: i % 2 === 0 ? 'there' : 'and back' }],
        ['run_tests', 'a', i % 2 === 0 ? '1 failed' : '2 failed'],
      ]),
  ],
  'tries a payment that is refused': [
    6,
    'repeat',
    () => times(20, () => [['charge', { order: 7 }, FAILED]]),
  ],
  'calls a tool with arguments it does not take, always others (gemini-cli#4936)': [
    9,
    'retry-storm',
    () => times(30, (i) => [['read_file', `#${i}`, FAILED]]),
  ],
  'edits what is not there, and reads the file after each time (Roo-Code#5496)': [
    18,
    'retry-storm',
    () =>
      times(30, (i) => [
        ['read_file', 'a.ts', text('a.ts')],
        ['edit_file', { path: 'a.ts', old: `guess ${i}` }, FAILED],
      ]),
  ],
  'asks the same in other words': [
    22,
    'no-progress',
    () => times(60, (i) => [['search', `wording ${i}`, results('it')]]),
  ],
  'searches in other words, and opens what it opened before': [
    27,
    'no-progress',
    () =>
      times(40, (i) => [
        ['search', `wording ${i}`, results('it')],
        ['fetch_page', i % 3, text(i % 3)],
      ]),
  ],
  'reads twenty files round and round': [
    41,
    'no-progress',
    () => times(60, (i) => [['read_file', `f${i % 20}.ts`, text(i % 20)]]),
  ],
  'reads ten files again after each compaction': [
    20,
    'cycle',
    () => times(60, (i) => [['read_file', `f${i % 10}.ts`, text(i % 10)]]),
  ],
  'writes the list of what is to be done, and reads it': [
    4,
    'cycle',
    () =>
      times(20, () => [
        ['todo_write', { items: ['a', 'b'] }],
        ['todo_read', {}, ['a', 'b']],
      ]),
  ],
  'plans, delegates and verifies the same (langgraph#6731)': [
    6,
    'cycle',
    () =>
      times(20, () => [
        ['plan', { goal: 'x' }, 'plan made'],
        ['delegate', { to: 'worker' }, 'the worker could not do it'],
        ['verify', {}, 'not done'],
      ]),
  ],
  'asks for a board that does not change (qwen-code#5019)': [
    6,
    'repeat',
    () => times(20, () => [['task_list', {}, { open: 3 }]]),
  ],
  'looks at two orders in turn while it waits by a declared poll': [
    7,
    'cycle',
    () =>
      times(20, (i) => [
        ['get_customer', `c${i % 2}`, { plan: 'pro' }],
        ['wait_for_job', 7, `${i} %`],
      ]),
  ],
  'reads what flips between two states': [
    23,
    'no-progress',
    () => times(60, (i) => [['job_status', 7, i % 2 === 0 ? 'up' : 'down']]),
  ],
};

/** Work that is stopped all the same, since it cannot be told from a loop: `loop: { poll: true }` says that it is none. */
const mistaken: Record<string, Expected> = {
  'asks for a job that stands, and looks into its log, which grows': [
    4,
    'cycle',
    () =>
      times(25, (i) => [
        ['job_status', 7, { state: 'running' }],
        ['job_log', 7, `step ${i} of 25 done`],
      ]),
  ],
  'turns page after page, always by the same click': [
    4,
    'cycle',
    () =>
      times(25, (i) => [
        ['click', { on: 'next' }],
        ['snapshot', {}, text(`page ${i}`)],
      ]),
  ],
  'tries a change again, having looked whether it may be made now': [
    4,
    'cycle',
    () =>
      times(5, (i) => [
        ['get_ticket', 1, { mayClose: i > 0 }],
        ['update_ticket', { id: 1, status: 'closed' }, i === 0 ? FAILED : 'ok'],
      ]),
  ],
  'asks for a job by a tool that no policy names': [
    6,
    'repeat',
    () => times(25, (i) => [['ci_status', {}, { percent: i }]]),
  ],
};

/** What is known to be missed; depth stops it. */
const missed: Record<string, () => Trace> = {
  'asks for the time, which is always another one (Cogtrix#474)': () =>
    times(50, (i) => [['get_current_time', {}, `12:00:${i}`]]),
  'calls a tool that no policy names, thinking aloud by another one each time': () =>
    times(25, (i) => [
      ['think', `thought ${i}`, ''],
      ['look_up', 'x', 'nothing found'],
    ]),
  'asks in other words, and finds nothing in few words': () =>
    times(50, (i) => [['search', `wording ${i}`, []]]),
};

describe('a session that works', () => {
  it.each(Object.entries(legitimate))('%s', (_, trace) => {
    expect(firstLoop(trace())).toBeUndefined();
  });

  it('reads what others have cached', () => {
    const trace = times(60, (i) => [['read_file', `f${i}.ts`, text(i)] as const]);
    expect(firstLoop(trace, true)).toBeUndefined();
  });
});

describe('a session that loops', () => {
  it.each(Object.entries(looping))('%s', (_, [at, kind, trace]) => {
    const found = firstLoop(trace());
    expect(found && [found.at, found.finding.kind]).toEqual([at, kind]);
  });
});

describe('a session that works and is stopped', () => {
  it.each(Object.entries(mistaken))('%s', (_, [at, kind, trace]) => {
    const found = firstLoop(trace());
    expect(found && [found.at, found.finding.kind]).toEqual([at, kind]);
  });
});

describe('a session that loops unseen', () => {
  it.each(Object.entries(missed))('%s', (_, trace) => {
    expect(firstLoop(trace())).toBeUndefined();
  });
});
