import type { Tool } from './tool.js';

/** What Node, Bun and Deno have to warn by. */
interface Warner {
  emitWarning?: (message: string, options: { type: string; code: string }) => void;
}

/** Warns of something that is likely a mistake in a tool's policy, once per tool. */
export function warnOnce(tool: Tool, code: string, message: string): void {
  if (tool.warned.has(code)) return;
  tool.warned.add(code);
  const { process } = globalThis as { process?: Warner };
  process?.emitWarning?.(`@acache/agent: ${message}`, { type: 'AcacheWarning', code });
}
