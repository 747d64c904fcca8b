/** Expressions for Prometheus, which Shiki does not know: what they name, in colours. */
export const promql = {
  name: 'promql',
  scopeName: 'source.promql',
  patterns: [
    { match: '#.*$', name: 'comment' },
    { match: '"[^"]*"', name: 'string' },
    { match: '\\b\\d[\\w.]*\\b', name: 'constant.numeric' },
    {
      match: '\\b(by|without|on|and|or|unless|ignoring|group_left|group_right)\\b',
      name: 'keyword',
    },
    { match: '\\b\\w+(?=\\s*\\()', name: 'entity.name.function' },
  ],
  repository: {},
};
