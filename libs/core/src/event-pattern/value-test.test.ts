import { describe, expect, it } from 'vitest';
import { parseEventText } from './number-text.ts';
import { parsePattern } from './parse-pattern.ts';
import { compileTests } from './value-test.ts';

/** The entries of a list in a pattern, a value of an event, and whether it passes. All as JSON text. */
type Case = readonly [tests: string, value: string, passes: boolean];

const TEXTS: readonly Case[] = [
  ['"a"', '"a"', true],
  ['"a"', '"A"', false],
  ['""', '""', true],
  ['"a","b","c"', '"c"', true],
  ['"a",1,null,true', 'true', true],
  ['"a",1,null,true', 'false', false],
  ['null', 'null', true],
  ['null', '"null"', false],
  ['{"prefix":""}', '""', true],
  ['{"prefix":""}', '1', false],
  ['{"prefix":"ab"}', '"abc"', true],
  ['{"prefix":"ab"}', '"a"', false],
  // The engine has the quotes around the text, and a prefix may reach beyond the closing one.
  ['{"prefix":"a\\""}', '"a"', true],
  ['{"prefix":"a\\""}', '"a\\"b"', true],
  ['{"suffix":"\\"a"}', '"a"', true],
  ['{"suffix":"bc"}', '"abc"', true],
  ['{"suffix":"bc"}', '"b"', false],
  ['{"suffix":""}', '"b"', true],
];

const CASES: readonly Case[] = [
  ['{"equals-ignore-case":"aBc"}', '"AbC"', true],
  ['{"equals-ignore-case":"aBc"}', '"abcd"', false],
  ['{"equals-ignore-case":"éa"}', '"ÉA"', true],
  ['{"equals-ignore-case":"ß"}', '"SS"', true],
  ['{"equals-ignore-case":"ß"}', '"ss"', false],
  ['{"equals-ignore-case":"ß"}', '"ß"', true],
  ['{"equals-ignore-case":"ǅ"}', '"ǅ"', true],
  ['{"equals-ignore-case":"ǅ"}', '"ǆ"', true],
  ['{"equals-ignore-case":"İ"}', '"i̇"', true],
  ['{"equals-ignore-case":"A😀"}', '"a😀"', true],
  ['{"equals-ignore-case":"😀"}', '"??"', false],
  ['{"equals-ignore-case":"𐐀"}', '"𐐨"', true],
  ['{"suffix":{"equals-ignore-case":"😀A"}}', '"x😀a"', true],
  ['{"anything-but":{"equals-ignore-case":"😀"}}', '"😀"', false],
  ['{"prefix":{"equals-ignore-case":"straß"}}', '"STRASSE"', true],
  ['{"prefix":{"equals-ignore-case":"a\\""}}', '"A"', true],
  ['{"suffix":{"equals-ignore-case":"ße"}}', '"STRASSE"', true],
  ['{"suffix":{"equals-ignore-case":"bc"}}', '"C"', false],
  ['{"suffix":{"equals-ignore-case":"\\"a"}}', '"A"', true],
  ['{"anything-but":{"equals-ignore-case":["a","b"]}}', '"B"', false],
];

const NUMBERS: readonly Case[] = [
  ['300', '300.0', true],
  ['300', '3.0e2', true],
  ['0', '-0.0', true],
  ['300', '"300"', false],
  ['1,2', '2.0', true],
  ['{"numeric":["=",3.018e2]}', '301.8', true],
  ['{"numeric":[">",0,"<=",5]}', '0', false],
  ['{"numeric":[">",0,"<=",5]}', '5', true],
  ['{"numeric":["<",5]}', 'null', false],
  ['{"numeric":["<",5]}', '"1"', false],
  ['1234567890123456789', '1234567890123456789', true],
  ['1234567890123456789', '1234567890123456788', false],
  ['1234567890123456789', '1234567890123456789.0', true],
  ['1234567890123456789', '1.234567890123456789e18', true],
  ['1234567890123456789', '"1234567890123456789"', false],
  ['1234567890123456789,5', '5', true],
  ['{"anything-but":1234567890123456789}', '1234567890123456788', true],
  ['{"anything-but":1234567890123456789}', '1234567890123456789', false],
  ['{"numeric":[">",1234567890123456788,"<",1234567890123456790]}', '1234567890123456789', true],
  ['{"numeric":[">",1234567890123456789]}', '1234567890123456789', false],
  ['{"numeric":[">=",1234567890123456789]}', '1234567890123456789', true],
  ['{"numeric":["<=",-1234567890123456789]}', '-1234567890123456790', true],
  ['{"numeric":[">",0]}', '1234567890123456789', true],
  ['1e999999999', '10e999999998', true],
  ['1e999999999', '1e999999998', false],
  ['{"numeric":[">",1e999999999]}', '1e1000000000', true],
  ['{"numeric":["<",1e-999999999]}', '0', true],
];

const OTHERS: readonly Case[] = [
  ['{"anything-but":"a"}', '"b"', true],
  ['{"anything-but":"a"}', '"a"', false],
  ['{"anything-but":"a"}', 'null', true],
  ['{"anything-but":["a","b","c"]}', '"c"', false],
  ['{"anything-but":[1,2]}', '2.0', false],
  ['{"anything-but":{"prefix":["a","b"]}}', '"bc"', false],
  ['{"anything-but":{"prefix":"a"}}', '7', true],
  ['{"anything-but":{"wildcard":"a*"}}', '"ba"', true],
  ['{"exists":true}', 'null', true],
  ['{"exists":false}', 'null', false],
  ['{"exists":false},"a"', '"a"', true],
  ['{"cidr":"10.0.0.0/24"}', '"10.0.0.255"', true],
  ['{"cidr":"10.0.0.0/24"}', '10', false],
  ['{"wildcard":"a*c"}', '"abc"', true],
  // In a list a text that is an IP address is that address.
  ['"2001:db8::1"', '"2001:DB8:0:0:0:0:0:1"', true],
  ['{"anything-but":"2001:db8::1"}', '"2001:DB8:0:0:0:0:0:1"', true],
];

describe.each([
  ['texts', TEXTS],
  ['upper and lower case', CASES],
  ['numbers', NUMBERS],
  ['other tests', OTHERS],
])('%s', (_, cases) => {
  it.each(cases)('[%s] on %s: %s', (tests, value, passes) => {
    const parsed = parsePattern(`{"a":[${tests}]}`);
    const field = parsed.ok ? parsed.pattern.root.fields[0] : undefined;
    expect(compileTests(field?.tests ?? [])(parseEventText(value))).toBe(passes);
  });
});
