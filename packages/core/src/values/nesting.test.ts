import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { valueSerializer } from '../values.js';

const serializer = valueSerializer();

describe('nesting', () => {
  const DEPTH = 20_000;
  const nests: Record<string, (inner: unknown) => unknown> = {
    arrays: (inner) => [inner],
    objects: (inner) => ({ inner }),
    maps: (inner) => new Map([[inner, 1]]),
    sets: (inner) => new Set([inner]),
    causes: (cause) => {
      const error = Object.assign(new Error('a'), { cause });
      error.stack = '';
      return error;
    },
  };
  for (const [kind, nest] of Object.entries(nests)) {
    it(`takes no stack: ${kind}`, () => {
      let value: unknown = 'core';
      for (let depth = 0; depth < DEPTH; depth++) value = nest(value);
      const written = serializer.serialize(value);
      expect(serializer.serialize(serializer.deserialize(written)).length).toBe(written.length);
    });
  }

  it('takes no stack where there is little of it', async () => {
    const { outputFiles } = buildSync({
      entryPoints: [`${__dirname}/../values.ts`],
      bundle: true,
      write: false,
      format: 'cjs',
      target: 'es2022',
    });
    const source = `${outputFiles[0]!.text}
      const serializer = module.exports.valueSerializer();
      let value = 1;
      for (let depth = 0; depth < 100000; depth++) value = depth % 2 ? [value] : { value };
      value = serializer.deserialize(serializer.serialize(value));
      let depth = 0;
      for (; typeof value === 'object'; depth++) value = Array.isArray(value) ? value[0] : value.value;
      require('node:worker_threads').parentPort.postMessage(depth);`;
    const worker = new Worker(source, { eval: true, resourceLimits: { stackSizeMb: 0.5 } });
    const depth = await new Promise((resolve, reject) =>
      worker.on('message', resolve).on('error', reject),
    );
    expect(depth).toBe(100_000);
  });
});
