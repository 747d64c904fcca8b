import { defaultParts } from './runtime-parts.js';
import { toolDecorator, type ToolDecorator } from './tool-decorator.js';
import type { ToolPolicy } from './tool-policy.js';

/**
 * Makes invalid what a tool changes, before and after each call, also when it fails: a function as a
 * wrapper, a method as a decorator of either kind.
 *
 * ```ts
 * const addToCart = AgentCacheInvalidator({ name: 'addToCart', resource: 'cart:{userId}' })(
 *   async ({ userId, item }: { userId: string; item: string }) => shop.add(userId, item),
 * );
 * ```
 *
 * @throws InvalidOptionError for a policy that cannot be meant
 */
export function AgentCacheInvalidator(policy: ToolPolicy): ToolDecorator;
export function AgentCacheInvalidator(
  policy: ToolPolicy = {},
  ...further: unknown[]
): ToolDecorator {
  const who = 'AgentCacheInvalidator';
  return toolDecorator({ effect: 'mutate', who, policy, parts: defaultParts }, further);
}
