import { expect, test } from 'vitest';
import { PATTERN_CHARACTERS_MAX, parsePattern } from './parse-pattern.ts';
import type { PatternTest } from './pattern.ts';

/** `▸` marks the offset of the fault. The field `k` is at fault unless another is given. */
const invalid: readonly (readonly [pattern: string, reason: string, path?: string])[] = [
  ['▸', 'Not JSON: expected a value, but the text ends', ''],
  ['{"k":["v"▸}', "Not JSON: expected ',' or ']'", ''],
  ['{"k":["v"]} ▸x', 'Not JSON: expected the end of the text', ''],
  ['▸\uFEFF{"k":[1]}', 'Not JSON: expected a value', ''],
  [' ▸["v"]', 'Filter is not an object', ''],
  ['▸"v"', 'Filter is not an object', ''],
  ['▸null', 'Filter is not an object', ''],
  ['▸{}', 'Empty objects are not allowed', ''],
  ['{"k":▸{}}', 'Empty objects are not allowed'],
  ['{"k":▸42}', '"k" must be an object or an array'],
  ['{"k":▸"v"}', '"k" must be an object or an array'],
  ['{"k":▸null}', '"k" must be an object or an array'],
  ['{"a":{"k\\"":▸true}}', '"k\\"" must be an object or an array', 'a.k"'],
  ['{"k":▸5,"k":[1]}', '"k" must be an object or an array'],
  ['{"k":▸[]}', 'Empty arrays are not allowed'],
  ['{"a.b":{"k":["x",▸["y"]]}}', 'Match value must be a string, number, true, false, null or an operator object', 'a.b.k'],
  ['{"k":[▸{}]}', 'Match expression name not found'],
  ['{"k":[{▸"prefx":"v"}]}', 'Unrecognized match type prefx'],
  ['{"k":[{▸"EXISTS":true}]}', 'Unrecognized match type EXISTS'],
  ['{"k":[{▸"Prefix":"a"}]}', 'Unrecognized match type Prefix'],
  ['{"k":[{▸"constructor":"a"}]}', 'Unrecognized match type constructor'],
  ['{"k":[{▸"$or":[{"a":[1]},{"b":[2]}]}]}', 'Unrecognized match type $or'],
  ['{"k":[{"prefix":"a",▸"suffix":"b"}]}', 'Only one key allowed in match expression'],
  ['{"k":[{"prefix":"a",▸"prefix":"b"}]}', 'Only one key allowed in match expression'],

  ['{"k":[{"prefix":▸1}]}', 'Value of prefix must be a string'],
  ['{"k":[{"prefix":▸["a"]}]}', 'Value of prefix must be a string'],
  ['{"k":[{"suffix":▸null}]}', 'Value of suffix must be a string'],
  ['{"k":[{"suffix":▸["a"]}]}', 'Value of suffix must be a string'],
  ['{"k":[{"prefix":▸{}}]}', 'Match expression name not found'],
  ['{"k":[{"prefix":{▸"wildcard":"a"}}]}', 'Unrecognized match type wildcard in prefix'],
  ['{"k":[{"suffix":{"equals-ignore-case":▸["a"]}}]}', 'Value of equals-ignore-case must be a string'],
  ['{"k":[{"suffix":{"equals-ignore-case":"a",▸"x":1}}]}', 'Only one key allowed in match expression'],
  ['{"k":[{"equals-ignore-case":▸5}]}', 'Value of equals-ignore-case must be a string'],
  ['{"k":[{"equals-ignore-case":▸["a"]}]}', 'Value of equals-ignore-case must be a string'],
  ['{"k":[{"exactly":▸1}]}', 'Value of exactly must be a string'],
  ['{"k":[{"exists":▸"true"}]}', 'Value of exists must be true or false'],
  ['{"k":[{"exists":▸null}]}', 'Value of exists must be true or false'],

  ['{"k":[{"wildcard":▸1}]}', 'Value of wildcard must be a string'],
  ['{"k":[{"wildcard":▸["a*"]}]}', 'Value of wildcard must be a string'],
  ['{"k":[{"wildcard":▸"a**b"}]}', 'Consecutive wildcard characters at pos 2'],
  ['{"k":[{"wildcard":▸"é\\\\\\\\**"}]}', 'Consecutive wildcard characters at pos 5'],
  ['{"k":[{"wildcard":▸"a\\\\b"}]}', 'Invalid escape character at pos 2'],
  ['{"k":[{"wildcard":▸"😀\\\\"}]}', 'Invalid escape character at pos 5'],
  ['{"k":[{"wildcard":▸"*:*:*:*:*:event-bus/*"}]}', 'Wildcard is too complex: use fewer * or less repetition after them'],
  [
    '{"k":[{"anything-but":{"wildcard":["a",▸"*:*:*:*:*:event-bus/*"]}}]}',
    'Wildcard is too complex: use fewer * or less repetition after them',
  ],

  ['{"k":[{"cidr":▸1}]}', 'Value of cidr must be a string'],
  ['{"k":[{"cidr":▸["10.0.0.0/8"]}]}', 'Value of cidr must be a string'],
  ['{"k":[{"cidr":▸"10.0.0.0"}]}', "Malformed CIDR, one '/' required"],
  ['{"k":[{"cidr":▸"10.0.0.0/8/"}]}', "Malformed CIDR, one '/' required"],
  ['{"k":[{"cidr":▸"10.0.0.0/"}]}', 'Malformed CIDR, mask bits must be an integer'],
  ['{"k":[{"cidr":▸"10.0.0.0/x"}]}', 'Malformed CIDR, mask bits must be an integer'],
  ['{"k":[{"cidr":▸"10.0.0.0/-1"}]}', 'Malformed CIDR, mask bits must be an integer'],
  ['{"k":[{"cidr":▸"10.0.0.0/32"}]}', 'Malformed CIDR, IPv4 mask bits must be less than 32'],
  ['{"k":[{"cidr":▸"::/128"}]}', 'Malformed CIDR, IPv6 mask bits must be less than 128'],
  ['{"k":[{"cidr":▸"::ffff:a00:1/96"}]}', 'Malformed CIDR, IPv4 mask bits must be less than 32'],
  ['{"k":[{"cidr":▸"10.0.0/8"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],
  ['{"k":[{"cidr":▸"10.0.0.256/8"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],
  ['{"k":[{"cidr":▸"1::2::3/8"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],
  ['{"k":[{"cidr":▸"1:2:3:4:5:6:7/8"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],
  ['{"k":[{"cidr":▸"fe80::1%eth0/10"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],
  ['{"k":[{"cidr":▸"/8"}]}', 'Malformed CIDR, an IPv4 or IPv6 address is required'],

  ['{"k":[{"numeric":▸5}]}', 'Value of numeric must be an array.'],
  ['{"k":[{"numeric":▸">5"}]}', 'Value of numeric must be an array.'],
  ['{"k":[{"numeric":[▸]}]}', 'Numeric range must be pairs of an operator and a number'],
  ['{"k":[{"numeric":[▸5]}]}', 'Numeric range must be pairs of an operator and a number'],
  ['{"k":[{"numeric":[▸"!=",5]}]}', 'Bad numeric range operator: !='],
  ['{"k":[{"numeric":[">"▸]}]}', 'Value of > must be numeric'],
  ['{"k":[{"numeric":["<",▸"5"]}]}', 'Value of < must be numeric'],
  ['{"k":[{"numeric":["=",▸null]}]}', 'Value of = must be numeric'],
  ['{"k":[{"numeric":[">",1,"<"▸]}]}', 'Value of < must be numeric'],
  ['{"k":[{"numeric":[">",1,▸2]}]}', 'Numeric range must be pairs of an operator and a number'],
  ['{"k":[{"numeric":[">",1,▸">",2]}]}', 'Bad numeric range operator: >'],
  ['{"k":[{"numeric":[">",1,▸">=",2]}]}', 'Bad numeric range operator: >='],
  ['{"k":[{"numeric":[">",1,▸"=",2]}]}', 'Bad numeric range operator: ='],
  ['{"k":[{"numeric":["<",9,▸">",1]}]}', 'Too many terms in numeric range'],
  ['{"k":[{"numeric":["=",9,▸"<",10]}]}', 'Too many terms in numeric range'],
  ['{"k":[{"numeric":[">",1,"<",5,▸"<",6]}]}', 'Too many terms in numeric range'],
  ['{"k":[{"numeric":[">",5,"<",▸1]}]}', 'Bottom must be less than top'],
  ['{"k":[{"numeric":[">=",5,"<=",▸5.0]}]}', 'Bottom must be less than top'],
  ['{"k":[{"numeric":[">",1234567890123456789,"<",▸1234567890123456788]}]}', 'Bottom must be less than top'],
  ['{"k":[{"numeric":[">",-0.1,"<",▸-1e-1]}]}', 'Bottom must be less than top'],

  ['{"k":[{"anything-but":▸null}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":▸true}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":["a",▸null]}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":[1,▸false]}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":[▸["a"]]}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":[▸{"prefix":"a"}]}]}', 'Value of anything-but must be a string, a number or a list of either'],
  ['{"k":[{"anything-but":["a",▸1]}]}', 'Values of anything-but must be all strings or all numbers'],
  ['{"k":[{"anything-but":[1,▸"a"]}]}', 'Values of anything-but must be all strings or all numbers'],
  ['{"k":[{"anything-but":▸[]}]}', 'Empty arrays are not allowed'],
  ['{"k":[{"anything-but":▸{}}]}', 'Match expression name not found'],
  ['{"k":[{"anything-but":{▸"numeric":["=",1]}}]}', 'Unrecognized match type numeric in anything-but'],
  ['{"k":[{"anything-but":{"prefix":▸""}}]}', 'Null prefix/suffix not allowed'],
  ['{"k":[{"anything-but":{"suffix":["a",▸""]}}]}', 'Null prefix/suffix not allowed'],
  ['{"k":[{"anything-but":{"prefix":▸[]}}]}', 'Empty arrays are not allowed'],
  ['{"k":[{"anything-but":{"prefix":▸1}}]}', 'Value of anything-but prefix must be a string or a list of strings'],
  ['{"k":[{"anything-but":{"suffix":["a",▸null]}}]}', 'Value of anything-but suffix must be a string or a list of strings'],
  ['{"k":[{"anything-but":{"prefix":▸{"equals-ignore-case":"a"}}}]}', 'Value of anything-but prefix must be a string or a list of strings'],
  [
    '{"k":[{"anything-but":{"equals-ignore-case":[▸1]}}]}',
    'Value of anything-but equals-ignore-case must be a string or a list of strings',
  ],
  ['{"k":[{"anything-but":{"wildcard":▸"a**"}}]}', 'Consecutive wildcard characters at pos 2'],
  ['{"k":[{"anything-but":{"prefix":"a"},▸"x":1}]}', 'Only one key allowed in match expression'],
];

const marks = invalid.map(([marked, reason, path = 'k']) => [marked, reason, path] as const);

test.each(marks)('FLT-02 %s is refused at the mark: %s', (marked, reason, path) => {
  expect(parsePattern(marked.replace('▸', ''))).toEqual({ ok: false, reason, offset: marked.indexOf('▸'), path });
});

const tests: readonly (readonly [entry: string, test: PatternTest])[] = [
  ['"v"', { kind: 'equals', value: 'v' }],
  ['""', { kind: 'equals', value: '' }],
  ['"\\ud800"', { kind: 'equals', value: '\ud800' }],
  ['null', { kind: 'equals', value: null }],
  ['false', { kind: 'equals', value: false }],
  ['{"exactly":"v"}', { kind: 'equals', value: 'v' }],
  ['{"prefix":""}', { kind: 'prefix', text: '', ignoreCase: false }],
  ['{"suffix":"a"}', { kind: 'suffix', text: 'a', ignoreCase: false }],
  ['{"prefix":{"equals-ignore-case":"A"}}', { kind: 'prefix', text: 'A', ignoreCase: true }],
  ['{"suffix":{"equals-ignore-case":""}}', { kind: 'suffix', text: '', ignoreCase: true }],
  ['{"equals-ignore-case":""}', { kind: 'equals-ignore-case', text: '' }],
  ['{"exists":false}', { kind: 'exists', value: false }],
  ['{"cidr":"10.0.0.0/24"}', { kind: 'cidr', block: '10.0.0.0/24' }],
  ['{"cidr":"010.0.0.0/0"}', { kind: 'cidr', block: '010.0.0.0/0' }],
  ['{"cidr":"2001:db8::/127"}', { kind: 'cidr', block: '2001:db8::/127' }],
  ['{"cidr":"1:2:3:4:5:6:7::/64"}', { kind: 'cidr', block: '1:2:3:4:5:6:7::/64' }],
  ['{"wildcard":""}', { kind: 'wildcard', parts: [''] }],
  ['{"wildcard":"a*b*"}', { kind: 'wildcard', parts: ['a', 'b', ''] }],
  ['{"wildcard":"\\\\*\\\\\\\\*"}', { kind: 'wildcard', parts: ['*\\', ''] }],
  ['{"wildcard":"arn:aws:*:*:*:event-bus/*"}', { kind: 'wildcard', parts: ['arn:aws:', ':', ':', ':event-bus/', ''] }],
  [
    '{"numeric":["=",5]}',
    { kind: 'numeric', lower: { number: { value: 5 }, isInclusive: true }, upper: { number: { value: 5 }, isInclusive: true } },
  ],
  ['{"numeric":["<",5]}', { kind: 'numeric', upper: { number: { value: 5 }, isInclusive: false } }],
  ['{"numeric":["<=",-1e2]}', { kind: 'numeric', upper: { number: { value: -100 }, isInclusive: true } }],
  ['{"numeric":[">",0]}', { kind: 'numeric', lower: { number: { value: 0 }, isInclusive: false } }],
  [
    '{"numeric":[">=",1,"<",1.5]}',
    { kind: 'numeric', lower: { number: { value: 1 }, isInclusive: true }, upper: { number: { value: 1.5 }, isInclusive: false } },
  ],
  ['{"anything-but":"a"}', { kind: 'anything-but', tests: [{ kind: 'equals', value: 'a' }] }],
  ['{"anything-but":0}', { kind: 'anything-but', tests: [{ kind: 'number', number: { value: 0 } }] }],
  [
    '{"anything-but":["a",""]}',
    {
      kind: 'anything-but',
      tests: [
        { kind: 'equals', value: 'a' },
        { kind: 'equals', value: '' },
      ],
    },
  ],
  ['{"anything-but":{"prefix":"a"}}', { kind: 'anything-but', tests: [{ kind: 'prefix', text: 'a', ignoreCase: false }] }],
  ['{"anything-but":{"suffix":["a"]}}', { kind: 'anything-but', tests: [{ kind: 'suffix', text: 'a', ignoreCase: false }] }],
  ['{"anything-but":{"equals-ignore-case":[""]}}', { kind: 'anything-but', tests: [{ kind: 'equals-ignore-case', text: '' }] }],
  ['{"anything-but":{"wildcard":"a*"}}', { kind: 'anything-but', tests: [{ kind: 'wildcard', parts: ['a', ''] }] }],
];

test.each(tests)('the entry %s is read', (entry, expected) => {
  const result = parsePattern(`{"k":[${entry}]}`);
  expect(result.ok && result.pattern.root.fields[0]?.tests).toEqual([expected]);
});

const numbers: readonly (readonly [text: string, value: number, exact: boolean])[] = [
  ['300', 300, false],
  ['3.0e2', 300, false],
  ['0.1', 0.1, false],
  ['-0', 0, false],
  ['1e-7', 1e-7, false],
  ['9007199254740991', 9007199254740991, false],
  ['1e21', 1e21, true],
  ['1234567890123450000', 1234567890123450000, true],
  ['9007199254740993', 9007199254740992, true],
  ['1234567890123456789', 1234567890123456800, true],
  ['0.10000000000000001', 0.1, true],
  ['1e400', Infinity, true],
  ['-1e400', -Infinity, true],
  ['1e-400', 0, true],
  ['0e99999999999999999999', 0, false],
];

test.each(numbers)('the number %s is %d, and its text is kept only where it has to be', (text, value, isExact) => {
  const number = isExact ? { value, exact: text } : { value };
  const result = parsePattern(`{"k":[${text}]}`);
  expect(result.ok && result.pattern.root.fields[0]?.tests).toEqual([{ kind: 'number', number }]);
  for (const pattern of [`[${text}]`, `[{"numeric":["<",${text}]}]`, `[{"anything-but":[1,${text}]}]`]) {
    expect(parsePattern(`{"a":{"k":${pattern}}}`)).toMatchObject({ ok: true, pattern: { needsNumberText: isExact } });
  }
});

const textOf = (length: number) => `{"k":["${'x'.repeat(length - 10)}"]}`;

test('a pattern may have as many characters as Lambda takes, and no more', () => {
  expect(parsePattern(textOf(PATTERN_CHARACTERS_MAX))).toMatchObject({ ok: true });
  expect(parsePattern(textOf(PATTERN_CHARACTERS_MAX + 1))).toEqual({
    ok: false,
    reason: 'Pattern is longer than 4096 characters',
    offset: 4096,
    path: '',
  });
});

test('keys that every object inherits are keys like any other', () => {
  const text = '{"__proto__":{"constructor":["x"]},"toString":[1]}';
  const result = parsePattern(text);
  expect(result.ok && result.pattern.root.fields).toMatchObject([
    { path: '__proto__.constructor', keys: ['__proto__', 'constructor'], offset: 28 },
    { path: 'toString', keys: ['toString'], offset: 46 },
  ]);
  expect(result.ok && result.pattern.text).toBe(text);
});

test('a pattern as deep as its length allows is read, or refused at its place', () => {
  const depth = 680;
  const deep = `${'{"a":'.repeat(depth)}[1]${'}'.repeat(depth)}`;
  const result = parsePattern(deep);
  expect(result.ok && result.pattern.root.fields[0]?.keys).toHaveLength(depth);
  expect(parsePattern('{"":'.repeat(1024))).toMatchObject({ reason: 'Not JSON: expected a value, but the text ends', offset: 4096 });
});
