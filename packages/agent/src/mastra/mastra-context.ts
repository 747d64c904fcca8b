import { withMembers } from '../adapter/with-members.js';

/** What a tool of Mastra is handed besides its input. */
export interface MastraContext {
  readonly abortSignal?: AbortSignal | undefined;
  readonly requestContext?: unknown;
  readonly toolCallId?: string | undefined;
  readonly resumeData?: unknown;
  readonly suspend?: Suspend | undefined;
  readonly agent?: Execution | undefined;
  readonly workflow?: Execution | undefined;
}

interface Execution {
  readonly toolCallId?: string | undefined;
  readonly resumeData?: unknown;
  readonly suspend?: Suspend | undefined;
}

type Suspend = (...given: unknown[]) => unknown;

/** Whether the call goes on where one was suspended. */
export function isResumed({ agent, resumeData, workflow }: MastraContext): boolean {
  return [resumeData, agent?.resumeData, workflow?.resumeData].some((data) => data != null);
}

/** Whether the user hands tools something that an answer for everybody may depend on. */
export function hasContext({ requestContext }: MastraContext): boolean {
  if (typeof requestContext !== 'object' || requestContext === null) return false;
  const { size } = requestContext as { size?: unknown };
  if (typeof size === 'function') return (size.call(requestContext) as number) > 0;
  return typeof size === 'number' ? size > 0 : Object.keys(requestContext).length > 0;
}

const inUse = new WeakSet<object>();

/**
 * Runs a tool with its context, in which the signal is that of the flight, and a suspension is noticed.
 *
 * The context stays the same object, since Mastra knows by that what it has validated already; it is as it
 * was in the end.
 */
export async function runWith<T>(
  context: MastraContext,
  flight: { readonly signal: AbortSignal | undefined },
  onSuspend: () => void,
  run: (context: MastraContext) => T | PromiseLike<T>,
): Promise<T> {
  const noticed = <E extends Execution>(execution: E): E =>
    execution.suspend === undefined ? execution : withMembers(execution, suspendOf(execution));
  const suspendOf = ({ suspend }: Execution) => ({
    suspend(...given: unknown[]) {
      onSuspend();
      return suspend?.(...given);
    },
  });
  const { agent, suspend, workflow } = context;
  const changes = Object.getOwnPropertyDescriptors({
    ...(suspend !== undefined && suspendOf(context)),
    ...(agent !== undefined && { agent: noticed(agent) }),
    ...(workflow !== undefined && { workflow: noticed(workflow) }),
    get abortSignal() {
      return flight.signal;
    },
  });
  // One that the user hands to several calls at a time is not changed under their hands.
  if (inUse.has(context) || !isChangeable(context)) {
    return await run(
      Object.create(Object.getPrototypeOf(context) as object | null, {
        ...Object.getOwnPropertyDescriptors(context),
        ...changes,
      }) as MastraContext,
    );
  }
  const before = Object.getOwnPropertyDescriptors(context) as PropertyDescriptorMap;
  inUse.add(context);
  Object.defineProperties(context, changes);
  try {
    return await run(context);
  } finally {
    for (const member of Object.keys(changes)) {
      const was = before[member];
      if (was === undefined) Reflect.deleteProperty(context, member);
      else Object.defineProperty(context, member, was);
    }
    inUse.delete(context);
  }
}

function isChangeable(context: object): boolean {
  return (
    Object.isExtensible(context) &&
    Object.values(Object.getOwnPropertyDescriptors(context)).every(
      ({ configurable }) => configurable === true,
    )
  );
}
