import { describe, expect, it } from 'vitest';
import { compareDecimals, parseDecimal } from './decimal.ts';
import { NumberText, parseEventText } from './number-text.ts';

describe('decimals', () => {
  it.each([
    ['1e2', '100.0', 0],
    ['0', '-0e5', 0],
    ['0.001', '1E-3', 0],
    ['-1', '1', -1],
    ['-2', '-1', -1],
    ['-10', '-9', -1],
    ['0', '1e-400', -1],
    ['0', '-1e-400', 1],
    ['10', '9', 1],
    ['0.12', '0.119', 1],
    ['1e999999999', '1e1000000000', -1],
    ['9007199254740993', '9007199254740992', 1],
    [`1e${'9'.repeat(4000)}`, `1e${'9'.repeat(3999)}8`, 1],
    [`1e${'9'.repeat(100_000)}`, `1e${'9'.repeat(4000)}`, 1],
    [`1e-${'9'.repeat(100_000)}`, '1e-999', -1],
    [`1e${'0'.repeat(100_000)}2`, '100', 0],
    [`${'0.'.padEnd(100_000, '0')}1`, '0', 1],
  ])('%.40s and %.40s: %i', (one, other, order) => {
    expect(Math.sign(compareDecimals(parseDecimal(one), parseDecimal(other)))).toBe(order);
    expect(Math.sign(compareDecimals(parseDecimal(other), parseDecimal(one)))).toBe(order === 0 ? 0 : -order);
  });
});

describe('an event with number texts', () => {
  it('has them only in place of numbers that a double cannot hold', () => {
    const event = parseEventText('{"a":[1.50,1e2,12345678901234567890,0.1234567890123456789,1e400],"b":"1e400"}');
    expect(event).toEqual({ a: [1.5, 100, expect.any(NumberText), expect.any(NumberText), expect.any(NumberText)], b: '1e400' });
  });

  it.each([
    '{"a":{"b":[null,true,"x"]},"n":1e3}',
    '[]',
    '[[{"x":1e1}],{}]',
    '{"a":1e1,"a":2e1}',
    '{"__proto__":{"a":1e1},"constructor":1}',
    '" 1e5 "',
    '5e0',
  ])('is else what JSON.parse gives: %s', (text) => {
    expect(parseEventText(text)).toEqual(JSON.parse(text));
    expect(JSON.stringify(parseEventText(text))).toBe(JSON.stringify(JSON.parse(text)));
  });

  it('may be nested 100,000 deep', () => {
    let value = parseEventText(`${'[{"a":'.repeat(50_000)}12345678901234567890${'}]'.repeat(50_000)}`);
    for (let depth = 0; depth < 50_000; depth += 1) value = (value as { readonly a: unknown }[])[0]?.a;
    expect(value).toBeInstanceOf(NumberText);
  });

  it('has to be JSON', () => {
    expect(() => parseEventText('{"a":1e5')).toThrow(SyntaxError);
  });
});
