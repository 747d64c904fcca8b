/**
 * The limit of a guarded call: the tool itself.
 *
 * @type {import('../lib/contestant.mjs').OpenCalls}
 */
export const openCalls = ({ sdk, load }) => {
  const options = { toolCallId: '1', messages: [], context: undefined };
  const tool = {
    execute: (/** @type {{ key: string }} */ { key }, _options = options) => load(key),
  };
  return { call: sdk ? (key) => tool.execute({ key }, options) : load, within: (work) => work() };
};

/** @type {import('../lib/contestant.mjs').OpenToolSet} */
export const openToolSet = async (tools) => ({
  tools,
  as: (_user, work) => work(),
  close: () => undefined,
});
