export { createInspector } from './inspector/create-inspector.js';
export type { InspectorHandler } from './inspector/create-inspector.js';
export type { AnyCache, Inspected, InspectorOptions } from './inspector/inspector-options.js';

export { startPlayground } from './start-playground.js';
export type { Playground, PlaygroundOptions } from './start-playground.js';
