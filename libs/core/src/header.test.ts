import { describe, expect, it } from 'vitest';
import { headerProblem } from './header.ts';

describe('headerProblem', () => {
  it.each([
    ['x-api-key', 'abc 123'],
    ['X-Amzn-Trace-Id', 'Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1'],
    ['x-empty', ''],
    ['x-tab', 'a\tb'],
    ['x-latin1', 'é'],
    ['Host', 'orders.internal'],
  ])('lets %s: %s through', (name, value) => {
    expect(headerProblem(name, value)).toBeUndefined();
  });

  it.each([
    ['', 'x', /not a header name/],
    ['x key', 'x', /not a header name/],
    ['x:key', 'x', /not a header name/],
    ['x\r\nevil', 'x', /'x\?\?evil' is not/],
    ['ключ', 'x', /not a header name/],
    ['Content-Length', '3', /set by the HTTP client/],
    ['transfer-encoding', 'chunked', /set by the HTTP client/],
    ['x-a', 'b\r\nevil: 1', /line break/],
    ['x-a', 'b\nc', /line break/],
    ['x-a', '\u0000', /line break/],
    ['x-a', '\u007f', /line break/],
    ['x-a', '→', /not latin1/],
  ])('refuses %j: %j', (name, value, reason) => {
    expect(headerProblem(name, value)).toMatch(reason);
  });

  it('never repeats the value', () => {
    expect(headerProblem('authorization', 'Bearer hunter2\n')).not.toContain('hunter2');
  });
});
