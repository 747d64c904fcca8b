/** @import { Kind } from '../workspace.mjs' */

/**
 * Who may depend on whom. Nothing is an arrow that this table does not have.
 * @type {Record<Kind, { may: Kind[], because: string }>}
 */
export const arrows = {
  core: { may: [], because: 'core depends on nothing' },
  feature: { may: ['core'], because: 'a feature depends on core only' },
  tool: {
    may: ['core', 'feature', 'tool', 'all'],
    because: 'a tool depends on any package, and not on an example',
  },
  all: { may: ['core', 'feature'], because: 'all depends on core and features' },
  example: { may: ['core', 'feature', 'tool', 'all'], because: 'nothing depends on an example' },
};
