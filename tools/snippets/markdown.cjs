// CommonJS, since both jest and the release rehearsal read it.
const { readFileSync } = require('node:fs');

/** What the documentation writes for a Redis of the reader's. */
const READERS_REDIS = 'redis://localhost:6379';

/**
 * A block of TypeScript in the documentation.
 *
 * @typedef {object} Snippet
 * @property {number} line where it begins
 * @property {string} code
 * @property {boolean} legacy of a NestJS project, whose `tsconfig.json` asks for the old decorators: it begins with `ts legacy-decorators`
 * @property {readonly string[]} printed what it says that it prints: `console.log(x); // → text`
 */

/**
 * @param {string} file of Markdown
 * @param {'ts' | 'typescript'} language `ts` for programs, `typescript` for parts of programs
 * @returns {Snippet[]}
 */
function readSnippets(file, language) {
  const text = readFileSync(file, 'utf8');
  const blocks = new RegExp(`^\`\`\`${language}( legacy-decorators)?\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(blocks)].map((match) => {
    const [, legacy = '', code = ''] = match;
    return {
      line: text.slice(0, match.index).split('\n').length,
      code,
      legacy: legacy !== '',
      printed: [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, printed = '']) => printed),
    };
  });
}

module.exports = { READERS_REDIS, readSnippets };
