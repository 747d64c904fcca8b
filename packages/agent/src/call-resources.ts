import { fillTemplate, parsePath, type ResourcePath } from './resource-path.js';
import type { Tool } from './tool.js';
import { warnOnce } from './warn-once.js';

/**
 * What one call reads or changes. Where its policy cannot tell, it is everything that has a resource:
 * what is broader is safe.
 */
export function resourcesOf(tool: Tool, args: readonly unknown[]): readonly ResourcePath[] {
  const { resource } = tool;
  if (typeof resource !== 'function') {
    return resource.map((template) => {
      const { path, widened } = fillTemplate(template, args);
      if (widened) {
        const message = `${tool.name} was called without a value for '${template.text}': it concerns all of '${path.join(':')}'`;
        warnOnce(tool, 'ACACHE_AGENT_RESOURCE', message);
      }
      return path;
    });
  }
  try {
    const paths: unknown = resource(...args);
    return (Array.isArray(paths) ? (paths as unknown[]) : [paths]).map(toPath);
  } catch (error) {
    tool.parts.report(error, 'policy', { tool: tool.name });
    const message = `the resource function of ${tool.name} failed, so that the call concerns every resource: ${String(error)}`;
    warnOnce(tool, 'ACACHE_AGENT_RESOURCE', message);
    return [[]];
  }
}

function toPath(path: unknown): ResourcePath {
  if (typeof path === 'string') return parsePath(path);
  throw new TypeError('resource must return a path such as cart:7, or an array of paths');
}
