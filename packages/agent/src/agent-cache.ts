import { defaultParts } from './runtime-parts.js';
import { toolDecorator, type ToolDecorator } from './tool-decorator.js';
import type { ToolPolicy } from './tool-policy.js';

/**
 * Caches a tool that reads: a function as a wrapper, a method as a decorator of either kind.
 *
 * ```ts
 * const getCart = AgentCache({ name: 'getCart', resource: 'cart:{userId}' })(
 *   async ({ userId }: { userId: string }) => shop.cartOf(userId),
 * );
 * ```
 *
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function AgentCache(policy?: ToolPolicy): ToolDecorator;
export function AgentCache(policy: ToolPolicy = {}, ...further: unknown[]): ToolDecorator {
  return toolDecorator({ effect: 'read', who: 'AgentCache', policy, parts: defaultParts }, further);
}
