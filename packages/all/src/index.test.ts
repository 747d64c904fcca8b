import * as agent from '@acache/agent';
import * as batch from '@acache/batch';
import * as core from '@acache/core';
import * as decorators from '@acache/decorators';
import * as file from '@acache/persist-file';
import * as redis from '@acache/redis-tier';
import * as all from './index.js';

describe('@acache/all', () => {
  it('has what every package has, and two packages have nothing of one name', () => {
    const parts = [core, batch, decorators, redis, file, agent];
    const names = parts.flatMap((part) => Object.keys(part));
    expect(new Set(names).size).toBe(names.length);
    expect(Object.keys(all).sort()).toEqual([...names, 'createCache'].sort());
    for (const part of parts) expect(all).toMatchObject(part);
  });
});
