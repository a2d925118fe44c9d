import { expect, test } from 'vitest';
import { parseListen, reachableUrl } from './admin-address.ts';

test.each([
  ['127.0.0.1:9401', { host: '127.0.0.1', port: 9401 }],
  ['[::1]:0', { host: '::1', port: 0 }],
  ['localhost:80', { host: 'localhost', port: 80 }],
])('%s is parsed', (text, expected) => {
  expect(parseListen(text)).toEqual(expected);
});

const outside = { address: '10.1.2.3', family: 'IPv4', internal: false, netmask: '', mac: '', cidr: null } as const;
const loopback = { ...outside, address: '127.0.0.1', internal: true };
const six = { ...outside, address: 'fd00::1', family: 'IPv6', scopeid: 0 } as const;

test.each([
  ['a fixed address is the address', '127.0.0.1', 'http://127.0.0.1:9401'],
  ['any address becomes the first one that others can reach', '0.0.0.0', 'http://10.1.2.3:9401'],
  ['so does any address of IPv6', '::', 'http://10.1.2.3:9401'],
  ['an IPv6 address gets brackets', '::1', 'http://[::1]:9401'],
])('%s', (_name, host, expected) => {
  expect(reachableUrl({ host, port: 9401 }, { lo: [loopback], eth0: [six, outside] })).toBe(expected);
});

test('a machine with IPv6 alone is reached by it', () => {
  expect(reachableUrl({ host: '::', port: 9401 }, { lo: [loopback], eth0: [six] })).toBe('http://[fd00::1]:9401');
});
