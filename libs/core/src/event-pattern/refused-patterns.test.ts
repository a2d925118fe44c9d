import { expect, it } from 'vitest';
import { parsePattern } from './parse-pattern.ts';

/** What EventBridge refuses, and Lambda with `Invalid filter pattern definition.`, by the reason. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'a value that is not in a list': ['{"k":42}', '{"k":"v"}', '{"k":null}', '{"k":true}', '{"a":{"k":42}}', '{"body":"abc"}'],
  'an empty list': ['{"k":[]}', '{"a":{"k":[]}}'],
  'a pattern that is no object': ['[]', '["a"]', '"a"', '5', 'null', 'true'],
  'an empty object': ['{}', '{"a":{}}', '{"a":[{}]}'],
  'no JSON': [
    '',
    ' ',
    '{',
    '{"a":["x"]',
    '{"a":["x"]}}',
    "{'a':['x']}",
    '{"a":["x",]}',
    '{"a":[01]}',
    '{"a":["\n"]}',
    '{"a":[NaN]}',
    'not json',
  ],
  'a list in a list': ['{"k":[["a"]]}'],
  'an unknown operator': [
    '{"k":[{"EXISTS":true}]}',
    '{"k":[{"Prefix":"a"}]}',
    '{"k":[{"regex":"a"}]}',
    '{"k":[{"":"a"}]}',
    '{"k":[{"toString":"a"}]}',
  ],
  'two operators in one object': ['{"k":[{"prefix":"a","suffix":"b"}]}', '{"k":[{"prefix":"a","prefix":"b"}]}'],
  'numeric without a list': ['{"k":[{"numeric":5}]}', '{"k":[{"numeric":"<5"}]}', '{"k":[{"numeric":{"<":5}}]}'],
  'numeric of an odd length': [
    '{"k":[{"numeric":[]}]}',
    '{"k":[{"numeric":[">"]}]}',
    '{"k":[{"numeric":[">",1,"<"]}]}',
    '{"k":[{"numeric":[5]}]}',
  ],
  'numeric with too many bounds': ['{"k":[{"numeric":[">",1,"<",2,"<",3]}]}', '{"k":[{"numeric":["=",1,"<",2]}]}'],
  'numeric with bounds of one side or in the wrong order': [
    '{"k":[{"numeric":[">",1,">",2]}]}',
    '{"k":[{"numeric":[">",1,">=",2]}]}',
    '{"k":[{"numeric":["<",5,"<",9]}]}',
    '{"k":[{"numeric":["<",5,">",1]}]}',
    '{"k":[{"numeric":[">",1,"=",2]}]}',
  ],
  'numeric whose bottom is not below its top': [
    '{"k":[{"numeric":[">",5,"<",5]}]}',
    '{"k":[{"numeric":[">=",5,"<=",5]}]}',
    '{"k":[{"numeric":[">",6,"<",5]}]}',
    '{"k":[{"numeric":[">",5.0,"<",50e-1]}]}',
    '{"k":[{"numeric":[">",1234567890123456789,"<",1234567890123456788]}]}',
  ],
  'numeric with what is no comparison or no number': [
    '{"k":[{"numeric":["!=",5]}]}',
    '{"k":[{"numeric":[">","5"]}]}',
    '{"k":[{"numeric":[5,">"]}]}',
    '{"k":[{"numeric":["<",null]}]}',
  ],
  'prefix and suffix of anything but a string': [
    '{"k":[{"prefix":5}]}',
    '{"k":[{"prefix":["a"]}]}',
    '{"k":[{"suffix":null}]}',
    '{"k":[{"suffix":["a","b"]}]}',
    '{"k":[{"prefix":{"prefix":"a"}}]}',
    '{"k":[{"prefix":{"equals-ignore-case":["a"]}}]}',
    '{"k":[{"suffix":{"equals-ignore-case":5}}]}',
    '{"k":[{"suffix":{}}]}',
  ],
  'equals-ignore-case of anything but a string': ['{"k":[{"equals-ignore-case":5}]}', '{"k":[{"equals-ignore-case":["a"]}]}'],
  'wildcard of anything but a string': ['{"k":[{"wildcard":5}]}', '{"k":[{"wildcard":["a*"]}]}'],
  'wildcard with neighbouring * or a wrong escape': [
    '{"k":[{"wildcard":"a**b"}]}',
    '{"k":[{"wildcard":"a\\\\b"}]}',
    '{"k":[{"wildcard":"a\\\\"}]}',
    '{"k":[{"anything-but":{"wildcard":"**"}}]}',
    '{"k":[{"anything-but":{"wildcard":["a","**"]}}]}',
  ],
  'a wildcard that is too complex': [
    '{"k":[{"wildcard":"*:*:*:*:*:event-bus/*"}]}',
    '{"k":[{"anything-but":{"wildcard":"*:*:*:*:*:event-bus/*"}}]}',
  ],
  'a malformed block of addresses': [
    '{"k":[{"cidr":"10.0.0.0"}]}',
    '{"k":[{"cidr":"10.0.0.0/"}]}',
    '{"k":[{"cidr":"10.0.0.0/-1"}]}',
    '{"k":[{"cidr":"10.0.0.0/33"}]}',
    '{"k":[{"cidr":"10.0.0.0/8/8"}]}',
    '{"k":[{"cidr":"10.0.0.256/8"}]}',
    '{"k":[{"cidr":"10.0.0/8"}]}',
    '{"k":[{"cidr":"::/129"}]}',
    '{"k":[{"cidr":"::1::/64"}]}',
    '{"k":[{"cidr":"bad/8"}]}',
    '{"k":[{"cidr":""}]}',
  ],
  'a block of addresses that is no string': ['{"k":[{"cidr":["10.0.0.0/8"]}]}', '{"k":[{"cidr":10}]}'],
  'exists of anything but true and false': [
    '{"k":[{"exists":"true"}]}',
    '{"k":[{"exists":1}]}',
    '{"k":[{"exists":null}]}',
    '{"k":[{"exists":[true]}]}',
  ],
  'anything-but null, a boolean, or a list with one of them': [
    '{"k":[{"anything-but":null}]}',
    '{"k":[{"anything-but":true}]}',
    '{"k":[{"anything-but":["a",null]}]}',
    '{"k":[{"anything-but":[1,false]}]}',
    '{"k":[{"anything-but":[["a"]]}]}',
  ],
  'anything-but of strings and numbers': ['{"k":[{"anything-but":["a",1]}]}'],
  'anything-but of nothing': ['{"k":[{"anything-but":[]}]}', '{"k":[{"anything-but":{}}]}', '{"k":[{"anything-but":{"prefix":[]}}]}'],
  'anything-but of an empty prefix or suffix': [
    '{"k":[{"anything-but":{"prefix":""}}]}',
    '{"k":[{"anything-but":{"suffix":""}}]}',
    '{"k":[{"anything-but":{"prefix":["a",""]}}]}',
    '{"k":[{"anything-but":{"suffix":["a",""]}}]}',
  ],
  'anything-but of a prefix or suffix without regard to case': [
    '{"k":[{"anything-but":{"prefix":{"equals-ignore-case":"a"}}}]}',
    '{"k":[{"anything-but":{"suffix":{"equals-ignore-case":"a"}}}]}',
  ],
  'anything-but of other operators': [
    '{"k":[{"anything-but":{"exists":true}}]}',
    '{"k":[{"anything-but":{"numeric":[">",1]}}]}',
    '{"k":[{"anything-but":[{"prefix":"a"}]}]}',
  ],
  '$or with fewer than two alternatives': ['{"$or":[{"a":[1]}]}', '{"$or":[]}'],
  '$or whose alternatives are no objects with fields': [
    '{"$or":[{"a":[1]},5]}',
    '{"$or":[{"a":[1]},{}]}',
    '{"$or":"a"}',
    '{"$or":[{"a":[1]},{"b":2}]}',
  ],
  'more characters than Lambda takes': [`{"k":["${'x'.repeat(4_089)}"]}`],
  'more combinations of $or than EventBridge takes': [
    `{${Array.from({ length: 10 }, (_, index) => `"p${index}":{"$or":[{"a":[1]},{"b":[2]}]}`).join(',')}}`,
  ],
};

it.each(Object.entries(REFUSED).map(([name, patterns]) => ({ name, patterns })))('FLT-02 refuses $name', ({ patterns }) => {
  for (const pattern of patterns) {
    const read = parsePattern(pattern);
    expect(read.ok, pattern).toBe(false);
    if (read.ok) continue;
    expect(read.reason, pattern).not.toBe('');
    expect(read.offset, pattern).toBeGreaterThanOrEqual(0);
    expect(read.offset, pattern).toBeLessThanOrEqual(pattern.length);
  }
});

it('takes what is just inside the limits', () => {
  const accepted = [
    `{"k":["${'x'.repeat(4_096 - 10)}"]}`,
    '{"k":[{"numeric":[">",1234567890123456788,"<",1234567890123456789]}]}',
    '{"k":[{"wildcard":"*a*b*c*"}]}',
    '{"k":[{"cidr":"0.0.0.0/0"}]}',
    '{"k":[{"cidr":"::/0"}]}',
    `{${Array.from({ length: 9 }, (_, index) => `"p${index}":{"$or":[{"a":[1]},{"b":[2]}]}`).join(',')}}`,
    ' {"k" : [ "a" ] } ',
  ];
  for (const pattern of accepted) expect(parsePattern(pattern), pattern).toMatchObject({ ok: true });
});
