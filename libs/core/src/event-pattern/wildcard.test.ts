import { describe, expect, it } from 'vitest';
import { compileWildcard } from './wildcard.ts';

describe('a wildcard', () => {
  it.each([
    [[''], '', true],
    [[''], 'a', false],
    [['abc'], 'abc', true],
    [['', ''], '', true],
    [['a', 'c'], 'abbc', true],
    [['a', 'c'], 'ac', true],
    [['ab', 'ba'], 'aba', false],
    [['a', 'b', 'a'], 'aba', true],
    [['a', 'b', 'ba'], 'abba', true],
    [['a', 'bb', 'ba'], 'abba', false],
    [['', 'ab', ''], 'xxabyy', true],
    [['', 'ab', 'ab', ''], 'xaby', false],
    [['*', '\\'], '*a\\', true],
    [['', 'é', ''], 'né', true],
    [['', 'abababababababababac', ''], 'abababababababababababababababac', true],
    [['', 'abababababababababac', ''], 'abababababababababababababababab', false],
    [['a', 'abababababababababac', 'c'], 'aabababababababababac', false],
  ])('of %j on "%s": %s', (parts, value, matches) => {
    expect(compileWildcard(parts)(value)).toBe(matches);
  });

  it.each([
    ['many stars', ['', ...Array.from({ length: 200 }, () => 'a'), 'b'], 'a'.repeat(600)],
    ['many stars and no end in sight', ['', ...Array.from({ length: 200 }, () => 'aab'), ''], 'a'.repeat(600)],
    ['a part that almost fits everywhere', ['', `${'a'.repeat(300)}b`, ''], 'a'.repeat(600)],
    ['a part that almost fits everywhere, from its end', ['', `b${'a'.repeat(300)}`, ''], 'a'.repeat(600)],
    ['a large value', ['', `${'ab'.repeat(1000)}c`, ''], 'ab'.repeat(524_288)],
  ])('reads each character once: %s', (_, parts, value) => {
    const counter = { steps: 0 };
    expect(compileWildcard(parts)(value, counter)).toBe(false);
    expect(counter.steps).toBeLessThanOrEqual(value.length);
  });
});
