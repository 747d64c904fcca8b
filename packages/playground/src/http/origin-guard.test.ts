import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { createOriginGuard } from './origin-guard.js';

const asked = (headers: Record<string, string>, method = 'POST') =>
  ({ headers: { host: 'localhost:5001', ...headers }, method }) as unknown as IncomingMessage;

describe('a guard of a server on loopback', () => {
  const guard = createOriginGuard('127.0.0.1');

  it.each([
    [{}],
    [{ host: '127.0.0.1:5001' }],
    [{ host: '[::1]:5001' }],
    [{ host: 'LOCALHOST' }],
    [{ origin: 'http://localhost:5001', 'sec-fetch-site': 'same-origin' }],
    [{ 'sec-fetch-site': 'none' }],
  ])('lets %j pass', (headers) => {
    expect(guard(asked(headers))).toBeUndefined();
  });

  it.each([
    ['a name that was pointed here', { host: 'evil.example:5001' }],
    ['a name that begins like ours', { host: 'localhost.evil.example' }],
    ['no name', { host: '' }],
    ['two names', { host: 'localhost, evil.example' }],
    ['an address of the network', { host: '192.168.0.7:5001' }],
    ['another site', { origin: 'https://evil.example' }],
    ['another port of this machine', { origin: 'http://localhost:3000' }],
    ['a page without an origin', { origin: 'null' }],
    ['what the browser says is another site', { 'sec-fetch-site': 'cross-site' }],
    ['what the browser says is a sibling', { 'sec-fetch-site': 'same-site' }],
  ])('refuses %s', (_, headers) => {
    expect(guard(asked(headers))).toMatch(/^this (page|request)/);
  });

  it('lets a link from another site open the page', () => {
    expect(guard(asked({ 'sec-fetch-site': 'cross-site' }, 'GET'))).toBeUndefined();
  });
});

describe('a guard of a server that is open to the network', () => {
  const guard = createOriginGuard('0.0.0.0');

  it.each([['192.168.0.7:5001'], ['[fe80::1]:5001'], [`${hostname()}:5001`], ['localhost:5001']])(
    'lets %s pass',
    (host) => {
      expect(guard(asked({ host }))).toBeUndefined();
    },
  );

  it('refuses a name that was pointed here', () => {
    expect(guard(asked({ host: 'evil.example' }))).toBeDefined();
  });
});
