import { describe, expect, it } from 'vitest';
import { compiledMatches } from '../../test-data/compiled-match.ts';

type Example = readonly [pattern: string, event: string, matches: boolean];

/** What EventBridge or Lambda did with the pattern and the event, by the rule they show. */
const RULES: Readonly<Record<string, readonly Example[]>> = {
  'keys are case-sensitive': [['{"MY_KEY":["v"]}', '{"my_key":"v"}', false]],
  'any element of an array may match': [['{"r":["a"]}', '{"r":["a","b"]}', true]],
  'objects inside arrays are traversed': [['{"a":{"id":[{"exists":true}]}}', '{"a":[{"k":1},{"id":"x"}]}', true]],
  'one element has to satisfy all conditions on elements': [
    ['{"a":{"x":[1],"y":[2]}}', '{"a":[{"x":1,"y":3},{"x":2,"y":2}]}', false],
    ['{"a":{"x":[1],"y":[2]}}', '{"a":[{"x":1,"y":3},{"x":1,"y":2}]}', true],
    ['{"a":{"x":{"p":[1]},"y":[2]}}', '{"a":[{"x":[{"p":1}],"y":3},{"x":[{"p":2}],"y":2}]}', false],
  ],
  'exists: false looks at the element that the conditions before it, by path, chose': [
    ['{"a":{"x":[1],"y":[{"exists":false}]}}', '{"a":[{"x":1},{"x":2,"y":3}]}', true],
    ['{"a":{"x":[1],"b":[{"exists":false}]}}', '{"a":[{"x":1},{"x":2,"b":3}]}', false],
    ['{"a":["x"],"a.b":[{"exists":false}]}', '{"a":["x",{"b":1}]}', false],
    ['{"a":["x"],"a.b":[{"exists":false}]}', '{"a":[["x"],{"b":1}]}', true],
    ['{"a":["x"],"a.b":[{"exists":false}]}', '{"a":["x",["x"],{"b":1}]}', true],
  ],
  'an empty array equals nothing and is no value': [
    ['{"k":[null]}', '{"k":[]}', false],
    ['{"k":[{"exists":true}]}', '{"k":[]}', false],
    ['{"k":[{"exists":false}]}', '{"k":[]}', true],
  ],
  'exists looks at values only, not at objects': [
    ['{"presentKey":[{"exists":true}]}', '{"presentKey":{"S":"x"}}', false],
    ['{"presentKey":[{"exists":false}]}', '{"presentKey":{"S":"x"}}', true],
  ],
  'a missing parent satisfies exists: false': [['{"a":{"b":[{"exists":false}]}}', '{"c":1}', true]],
  'anything-but needs a value, whichever kind it is': [
    ['{"k":[{"anything-but":"x"}]}', '{"c":1}', false],
    ['{"k":[{"anything-but":"x"}]}', '{"k":null}', true],
    ['{"k":[{"anything-but":"x"}]}', '{"k":5}', true],
    ['{"k":[{"anything-but":{"prefix":"5"}}]}', '{"k":5}', true],
  ],
  'null matches JSON null only': [
    ['{"k":[null]}', '{"k":null}', true],
    ['{"k":[null]}', '{"k":"null"}', false],
    ['{"k":[null]}', '{"c":1}', false],
  ],
  'numbers are equal by value': [
    ['{"k":[300]}', '{"k":300.0}', true],
    ['{"k":[300]}', '{"k":3.0e2}', true],
    ['{"k":[{"numeric":[">",100]}]}', '{"k":101.0}', true],
  ],
  'numeric matches no string and no null': [
    ['{"k":[{"numeric":[">",100]}]}', '{"k":"101"}', false],
    ['{"k":[{"numeric":[">",100]}]}', '{"k":null}', false],
    ['{"k":[{"numeric":["<",100]}]}', '{"k":null}', false],
  ],
  'JSON inside a string is not parsed': [['{"detail":{"k":["v"]}}', '{"detail":"{\\"k\\":\\"v\\"}"}', false]],
  'dots join keys, in the pattern and in the event': [
    ['{"state.status":["x"]}', '{"state":{"status":"x"}}', true],
    ['{"state":{"status":["x"]}}', '{"state.status":"x"}', true],
    ['{"state":{"status":["x"]}}', '{"state.status":{"status":"x"}}', false],
  ],
  'of a key that a pattern has twice the last counts': [
    ['{"l":[{"prefix":"us-"}],"l":[{"anything-but":"us-east"}]}', '{"l":"eu-central-1"}', true],
    ['{"l":[{"anything-but":"us-east"}],"l":[{"prefix":"us-"}]}', '{"l":"eu-central-1"}', false],
  ],
  'several operators in one list are alternatives': [['{"k":[{"exists":true},{"prefix":"Z"}]}', '{"k":"my"}', true]],
  'an empty prefix or suffix matches any string': [
    ['{"k":[{"prefix":""}]}', '{"k":"x"}', true],
    ['{"k":[{"suffix":""}]}', '{"k":""}', true],
    ['{"k":[{"prefix":""}]}', '{"k":1}', false],
  ],
  'an empty wildcard matches the empty string only': [
    ['{"k":[{"wildcard":""}]}', '{"k":""}', true],
    ['{"k":[{"wildcard":""}]}', '{"k":"x"}', false],
    ['{"k":[{"anything-but":{"wildcard":""}}]}', '{"k":"x"}', true],
    ['{"k":[{"anything-but":{"wildcard":""}}]}', '{"k":""}', false],
  ],
  'equals-ignore-case looks at every element': [['{"k":[{"equals-ignore-case":"jOhN"}]}', '{"k":["Ann","JOHN"]}', true]],
  'one alternative of $or has to hold': [
    [
      `{"$or":[{"c":[{"numeric":[">",0,"<=",5]}]},{"d":[{"numeric":["<",10]}]},{"x":[{"numeric":["=",301.8]}]}]}`,
      '{"c":0,"d":0,"x":901.8}',
      true,
    ],
    [
      `{"$or":[{"c":[{"numeric":[">",0,"<=",5]}]},{"d":[{"numeric":["<",10]}]},{"x":[{"numeric":["=",301.8]}]}]}`,
      '{"c":0,"d":10,"x":901.8}',
      false,
    ],
  ],
  'cidr matches addresses in the block': [
    ['{"ip":[{"cidr":"10.0.0.0/24"}]}', '{"ip":"10.0.0.255"}', true],
    ['{"ip":[{"cidr":"10.0.0.0/24"}]}', '{"ip":"10.0.0.256"}', false],
    ['{"ip":[{"cidr":"10.0.0.0/24"}]}', '{"ip":10}', false],
    ['{"ip":[{"cidr":"2001:db8::/32"}]}', '{"ip":"2001:db8:0:1::ffff"}', true],
    ['{"ip":[{"cidr":"2001:db8::/32"}]}', '{"ip":"2001:db9::1"}', false],
  ],
  'numbers of DynamoDB are strings': [
    ['{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}', '{"N":"42"}', true],
    ['{"N":[{"numeric":[">",100]},{"anything-but":"101"}]}', '{"N":"101"}', false],
  ],
};

const OPERATORS: Readonly<Record<string, readonly Example[]>> = {
  'a string literal, exactly': [
    ['{"k":["Ab"]}', '{"k":"Ab"}', true],
    ['{"k":["Ab"]}', '{"k":"ab"}', false],
    ['{"k":["1"]}', '{"k":1}', false],
  ],
  'a boolean': [
    ['{"k":[true]}', '{"k":true}', true],
    ['{"k":[true]}', '{"k":"true"}', false],
    ['{"k":[false]}', '{"k":null}', false],
  ],
  'the empty string': [
    ['{"k":[""]}', '{"k":""}', true],
    ['{"k":[""]}', '{"k":null}', false],
  ],
  prefix: [
    ['{"k":[{"prefix":"us-"}]}', '{"k":"us-east-1"}', true],
    ['{"k":[{"prefix":"us-"}]}', '{"k":"US-east-1"}', false],
    ['{"k":[{"prefix":"1"}]}', '{"k":12}', false],
  ],
  suffix: [
    ['{"k":[{"suffix":".png"}]}', '{"k":"a.png"}', true],
    ['{"k":[{"suffix":".png"}]}', '{"k":"a.png.gz"}', false],
  ],
  'equals-ignore-case': [
    ['{"k":[{"equals-ignore-case":"alice"}]}', '{"k":"ALICE"}', true],
    ['{"k":[{"equals-ignore-case":"alice"}]}', '{"k":"ALICES"}', false],
  ],
  'anything-but of values': [
    ['{"k":[{"anything-but":["a","b"]}]}', '{"k":"c"}', true],
    ['{"k":[{"anything-but":["a","b"]}]}', '{"k":"b"}', false],
    ['{"k":[{"anything-but":5}]}', '{"k":5.0}', false],
    ['{"k":[{"anything-but":[5,6]}]}', '{"k":"5"}', true],
  ],
  'numeric with every comparison': [
    ['{"k":[{"numeric":["=",5]}]}', '{"k":5}', true],
    ['{"k":[{"numeric":[">",5]}]}', '{"k":5}', false],
    ['{"k":[{"numeric":[">=",5]}]}', '{"k":5}', true],
    ['{"k":[{"numeric":["<",5]}]}', '{"k":4.9}', true],
    ['{"k":[{"numeric":["<=",5]}]}', '{"k":5.1}', false],
    ['{"k":[{"numeric":[">=",100,"<",200]}]}', '{"k":100}', true],
    ['{"k":[{"numeric":[">=",100,"<",200]}]}', '{"k":200}', false],
  ],
  exists: [
    ['{"k":[{"exists":true}]}', '{"k":null}', true],
    ['{"k":[{"exists":true}]}', '{"c":1}', false],
    ['{"k":[{"exists":false}]}', '{"c":1}', true],
    ['{"k":[{"exists":false}]}', '{"k":null}', false],
  ],
  '$or across fields, beside others': [
    ['{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}', '{"s":"x","b":2}', true],
    ['{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}', '{"s":"y","b":2}', false],
    ['{"s":["x"],"$or":[{"a":[1]},{"b":[2]}]}', '{"s":"x"}', false],
    ['{"d":{"$or":[{"a":[1]},{"$or":[{"b":[2]},{"c":[3]}]}]}}', '{"d":{"c":3}}', true],
  ],
  'anything-but of prefix, suffix, equals-ignore-case and wildcard': [
    ['{"k":[{"anything-but":{"prefix":"init"}}]}', '{"k":"pending"}', true],
    ['{"k":[{"anything-but":{"prefix":["init","err"]}}]}', '{"k":"error"}', false],
    ['{"k":[{"anything-but":{"suffix":".txt"}}]}', '{"k":"a.txt"}', false],
    ['{"k":[{"anything-but":{"suffix":[".txt",".md"]}}]}', '{"k":"a.png"}', true],
    ['{"k":[{"anything-but":{"equals-ignore-case":["INIT","x"]}}]}', '{"k":"init"}', false],
    ['{"k":[{"anything-but":{"wildcard":"*/lib/*"}}]}', '{"k":"a/lib/b"}', false],
    ['{"k":[{"anything-but":{"wildcard":["*/lib/*","*.tmp"]}}]}', '{"k":"a/b"}', true],
    ['{"k":[{"anything-but":{"prefix":"init"}}]}', '{"c":1}', false],
  ],
  'prefix and suffix without regard to case': [
    ['{"k":[{"prefix":{"equals-ignore-case":"EventB"}}]}', '{"k":"eventbridge"}', true],
    ['{"k":[{"suffix":{"equals-ignore-case":".PNG"}}]}', '{"k":"a.Png"}', true],
    ['{"k":[{"suffix":{"equals-ignore-case":".PNG"}}]}', '{"k":"a.pngs"}', false],
  ],
  'wildcard over the whole string, with escapes': [
    ['{"k":[{"wildcard":"dir/*.png"}]}', '{"k":"dir/a/b.png"}', true],
    ['{"k":[{"wildcard":"dir/*.png"}]}', '{"k":"xdir/a.png"}', false],
    ['{"k":[{"wildcard":"a\\\\*b"}]}', '{"k":"a*b"}', true],
    ['{"k":[{"wildcard":"a\\\\*b"}]}', '{"k":"axb"}', false],
    ['{"k":[{"wildcard":"a\\\\\\\\*"}]}', '{"k":"a\\\\b"}', true],
  ],
  'cidr of IPv4 and IPv6': [
    ['{"ip":[{"cidr":"10.0.0.0/8"}]}', '{"ip":"10.255.0.1"}', true],
    ['{"ip":[{"cidr":"::/127"}]}', '{"ip":"::2"}', false],
  ],
  'a 19-digit id, exactly': [
    ['{"id":[1234567890123456789]}', '{"id":1234567890123456789}', true],
    ['{"id":[1234567890123456789]}', '{"id":1234567890123456788}', false],
    ['{"id":[1234567890123456789]}', '{"id":1234567890123456789.0}', true],
    ['{"id":[1234567890123456800]}', '{"id":1234567890123456800}', true],
    ['{"id":[1234567890123456800]}', '{"id":1234567890123456789}', false],
  ],
};

function rows(table: Readonly<Record<string, readonly Example[]>>): { name: string; examples: readonly Example[] }[] {
  return Object.entries(table).map(([name, examples]) => ({ name, examples }));
}

function check(examples: readonly Example[]): void {
  for (const [pattern, event, matches] of examples) expect(compiledMatches(pattern, event), `${pattern} and ${event}`).toBe(matches);
}

describe('FLT-01 the rules of matching', () => {
  it.each(rows(RULES))('FLT-01 $name', ({ examples }) => check(examples));
});

describe('FLT-01 the operators', () => {
  it.each(rows(OPERATORS))('FLT-01 $name', ({ examples }) => check(examples));
});

describe('what a pattern asks of an event', () => {
  it('matches no event that is not an object', () => {
    for (const event of ['[1]', '"a"', '1', 'null']) expect(compiledMatches('{"a":[{"exists":false}]}', event)).toBe(false);
  });

  it('knows own members only', () => {
    const inherited = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'length', '0'];
    for (const key of inherited) {
      for (const path of [`{"${key}":[{"exists":true}]}`, `{"a":{"${key}":[{"exists":true}]}}`, `{"${key}":{"name":[{"exists":true}]}}`]) {
        expect(compiledMatches(path, '{"a":["x"],"b":"y"}'), path).toBe(false);
      }
      expect(compiledMatches(`{"${key}":["x"]}`, `{"${key}":"x"}`), key).toBe(true);
      expect(compiledMatches(`{"${key}":{"a":["x"]}}`, `{"${key}":{"a":"x"}}`), key).toBe(true);
    }
  });
});
