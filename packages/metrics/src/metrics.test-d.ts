import { AsyncCache } from '@acache/core';
import { metrics } from '@opentelemetry/api';
import { register, Registry } from 'prom-client';
import { opentelemetry, prometheus, type ObservedCache } from './index.js';

const cache = new AsyncCache<string, number>({ name: 'c' });

// What the ecosystems give is what is taken, without a cast.
const unregister: () => void = prometheus(cache, register);
prometheus([cache], new Registry());
declare const openMetrics: Registry<'application/openmetrics-text; version=1.0.0; charset=utf-8'>;
prometheus([cache], openMetrics);
prometheus({ users: cache }, register, { maxCaches: 10 });
prometheus(new Map([['users', cache]]), register);
prometheus(() => [cache, ['other', cache]], register);
opentelemetry([cache], metrics.getMeter('m'));
unregister();

// A cached function of @acache/decorators has what it takes.
declare const cached: ObservedCache & (() => Promise<number>);
prometheus([cached], register);

// @ts-expect-error -- a name is no cache
prometheus(['users'], register);
// @ts-expect-error -- a meter is no registry
prometheus([cache], metrics.getMeter('m'));
