/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/consistent-type-imports -- ambient; it stands for what any SDK brings */
// What is around the parts of programs in the documentation.

declare const users: import('@acache/core').AsyncCache<string, string>;
declare const session: import('@acache/agent').AgentCacheSession;
declare const instructions: string;
declare const max_tokens: number;
// Of whatever SDK the part is about.
declare const getCart: any;
declare const addToCart: any;
declare const search: any;
declare const model: any;
declare const messages: any;
declare const client: any;
declare const transport: any;
declare const server: any;

// It gives on all of this; what else it brings is not needed here.
declare module '@openai/agents' {
  export * from '@openai/agents-core';
}
