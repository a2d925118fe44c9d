import { Buffer } from 'node:buffer';
import { mkdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorsOf, folderWith, loadText, withMappings } from '../test-data/load-text.ts';
import { loadConfig } from './load.ts';

const QUEUE = 'arn:aws:sqs:eu-west-1:123456789012:orders';
const sqs = (more: string) => withMappings(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders, ${more} }`);
const arn = (text: string) => withMappings(`m: { EventSourceArn: "${text}", FunctionName: orders, StartingPosition: LATEST }`);
const kinesis = (more: string) =>
  withMappings(`m: { EventSourceArn: "arn:aws:kinesis:eu-west-1:123456789012:stream/s", FunctionName: orders, ${more} }`);
const target = (url: string, more = '') => `version: 1\n${more}functions:\n  f:\n    target: { http: { url: "${url}" } }\n`;
const timeout = (value: string) => `version: 1\nfunctions:\n  f:\n    Timeout: ${value}\n    target: { http: { url: "http://f" } }\n`;
const lambda = (more: string) =>
  `version: 1\nfunctions: { f: { target: { lambda: { functionName: "arn:aws:lambda:eu-west-1:123456789012:function:f:live", ${more} } } } }\n`;
const settings = (text: string) => `${withMappings(`m: { EventSourceArn: "${QUEUE}", FunctionName: orders }`)}${text}\n`;
const bomb = [
  'a: &a [x]',
  ...'bcdefghijk'.split('').map((c, i) => `${c}: &${c} [${Array.from({ length: 5 }, () => `*${'abcdefghijk'[i]}`).join(', ')}]`),
];
const PATTERN = (pattern: string) => sqs(`FilterCriteria: { Filters: [{ Pattern: ${pattern} }] }`);

/** Input, and what its error has to say. */
const refused: readonly (readonly [name: string, text: string | Uint8Array, expected: RegExp])[] = [
  ['an empty file', '', /^0:0 : wherry\.yaml is empty: no mappings defined/],
  ['only comments', '# nothing\n', /is empty: no mappings defined/],
  ['a tab as indentation', 'version: 1\nfleet:\n\tid: a\n', /^3:1 : tabs are not allowed as indentation \[indent with spaces\]/],
  [
    'bytes that are not UTF-8',
    Buffer.concat([Buffer.from('version: 1\nfleet: { id: a'), Buffer.from([0xff, 0x20])]),
    /^2:15 : the file is not valid UTF-8/,
  ],
  ['a duplicate key', sqs('BatchSize: 5, BatchSize: 6'), /duplicate key "BatchSize" \[first at 6:\d+\]/],
  ['an unknown key', sqs('batchsize: 5'), /m\.batchsize: unknown field "batchsize" \[did you mean "BatchSize"\?\]/],
  ['two documents', 'version: 1\n---\nversion: 1\n', /expected one YAML document, found another one here/],
  ['a bomb of aliases', `${bomb.join('\n')}\n`, /too many aliases \(limit 50\)/],
  ['20,000 levels of lists', `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`, /nesting deeper than 50/],
  ['20,000 levels of compact lists', `${'- '.repeat(20_000)}x\n`, /nesting deeper than 50/],
  ['60 levels', `a: ${'['.repeat(60)}${']'.repeat(60)}\n`, /nesting deeper than 50/],
  ['more than 4 MiB', Buffer.alloc(5 * 1024 * 1024, 'a: 1\n'), /larger than 4 MiB/],
  ['a tag of another language', 'version: !!js/function "x"\n', /^1:10 version: unknown tag !!js\/function/],
  ['an unknown intrinsic function', sqs('Enabled: !If [a, b, c]'), /unknown tag !If \[only !Ref, !GetAtt and !Sub are known\]/],
  [
    '!Ref without a resource',
    arn('x').replace('"x"', '!Ref Queue1'),
    /nothing under resources: is called "Queue1" \[add to resources:\s+Queue1: arn:aws:sqs:…\]/,
  ],
  ['!GetAtt without a resource', arn('x').replace('"x"', '!GetAtt T.StreamArn'), /\[add to resources:\s+T: arn:aws:dynamodb:…\]/],
  ['the key __proto__', 'version: 1\n__proto__: { a: 1 }\n', /^2:1 __proto__: reserved key "__proto__"/],
  ['the key constructor', sqs('constructor: 1'), /reserved key "constructor"/],
  ['the key prototype inside labels', sqs('labels: { prototype: x }'), /reserved key "prototype"/],
  ['a list where a map belongs', '- a\n', /expected a map with version/],
  ['an anchor that is not there', 'version: *nothing\n', /no anchor "&nothing" stands before this alias/],
  ['YAML 1.1', '%YAML 1.1\n---\nversion: 1\n', /expected YAML 1\.2, got 1\.1/],
  ['a merge key', sqs('"<<": { a: 1 }'), /unknown field "<<" \[YAML 1\.2 has no merge keys/],
  [
    'a variable unquoted in flow style',
    'version: 1\nfleet: { id: ${FLEET} }\n',
    /inside \{ \} and \[ \] write values with \$\{…\} in quotes/,
  ],
  [
    'a number of 21 digits',
    sqs('BatchSize: 123456789012345678901'),
    /123456789012345678901 has more digits than a number can hold \[expected an integer from 1 to 10000\]/,
  ],
  ['true in quotes', sqs('Enabled: "true"'), /expected boolean, got string "true" \[write it without quotes\]/],
  [
    'a text where a list belongs',
    'version: 1\ninclude: conf.d/*.yaml\n',
    /expected a list, got string "conf\.d\/\*\.yaml" \[write a list: \[conf\.d\/\*\.yaml\]\]/,
  ],
  [
    'a field beside its mapping',
    'version: 1\nmappings:\n  m:\n  EventSourceArn: x\n',
    /EventSourceArn: expected a map, got string "x" \[EventSourceArn is a field of one of the mappings: indent it below a name\]/,
  ],
  [
    'a whole template',
    'version: 1\nResources: { M: { Type: "AWS::Lambda::EventSourceMapping" } }\n',
    /\[a template is not read whole: paste its/,
  ],
  [
    'events as serverless.yml has them',
    'version: 1\nfunctions: { f: { events: [] } }\n',
    /unknown field "events" \[did you mean "Events"\?\]/,
  ],
  ['an empty address', settings('redis: { url: "" }'), /expected at least 1 character, got 0/],
  ['yes for true', sqs('Enabled: yes'), /expected boolean, got string "yes" \[write true or false/],
  ...['1e3', '-1', '.nan', '3.5', '10s', '0', '5401', '"7"'].map((value): [string, string, RegExp] => [
    `Timeout: ${value}`,
    timeout(value),
    /^4:14 functions\.f\.Timeout: expected an integer from 1 to 5400, got /,
  ]),
  ['Timeout with a unit', timeout('10s'), /\[Lambda's unit here is the second: write 10\]/],
  ['a window in minutes', sqs('MaximumBatchingWindowInSeconds: 5m'), /\[Lambda's unit here is the second: write 300\]/],
  ['BatchSize with a unit', sqs('BatchSize: 10s'), /BatchSize: expected an integer from 1 to 10000, got 10s$/],
  [
    'a URL without a scheme',
    target('localhost:8080'),
    /expected a URL with http:\/\/ or https:\/\/, got "localhost:8080" \[did you mean http:\/\/localhost:8080\?\]/,
  ],
  ['a Lambda ARN with another region', lambda('region: us-east-1'), /the function's ARN is in eu-west-1, not in us-east-1/],
  ['a Lambda ARN with another qualifier', lambda('qualifier: dev'), /functionName ends with the qualifier "live", and qualifier is "dev"/],
  ['the ARN of another service', arn('arn:aws:s3:::bucket'), /part 3 of the ARN \(service\) is "s3"; expected sqs, kinesis or dynamodb/],
  ['an ARN of Kafka', arn('arn:aws:kafka:eu-west-1:123456789012:cluster/c/1'), /wherry does not poll Kafka/],
  ['an ARN that is none', arn('orders'), /expected an ARN, got "orders"/],
  ['half an ARN', arn('arn:aws:sqs:eu-west-1'), /part 5 of the ARN \(account\) is missing/],
  ['an ARN with a wildcard', arn('arn:aws:sqs:eu-west-1:123456789012:*'), /wildcards are not possible/],
  ['an ARN of another partition', arn('arn:azure:sqs:eu-west-1:123456789012:q'), /part 2 of the ARN \(partition\) is "azure"/],
  ['an ARN without a region', arn('arn:aws:sqs::123456789012:q'), /part 4 of the ARN \(region\) is missing; expected a region/],
  ...['EU-WEST-1', 'eu_west_1', 'eu-west-1.', '-west', 'r'.repeat(64)].map((region): [string, string, RegExp] => [
    `an ARN with the region ${region}`,
    arn(`arn:aws:sqs:${region}:123456789012:q`),
    /part 4 of the ARN \(region\) is ".*"; expected a region such as eu-west-1/,
  ]),
  [
    'an ARN with a short account',
    arn('arn:aws:sqs:eu-west-1:123:q'),
    /part 5 of the ARN \(account\) is "123"; expected an account id of 12 digits/,
  ],
  [
    'a stream ARN without a name',
    arn('arn:aws:kinesis:eu-west-1:123456789012:stream/'),
    /part 6 of the ARN \(resource\) is "stream\/"; expected stream\/NAME/,
  ],
  ['a table instead of its stream', arn('arn:aws:dynamodb:eu-west-1:123456789012:table/t'), /this is the ARN of a table.*LatestStreamArn/],
  ['a queue URL', arn('https://sqs.eu-west-1.amazonaws.com/123456789012/q'), /\[use arn:aws:sqs:eu-west-1:123456789012:q\]/],
  ['a queue URL of LocalStack', arn('http://localhost:4566/000000000000/q'), /\[use arn:aws:sqs:us-east-1:000000000000:q\]/],
  ['BatchSize 0', kinesis('StartingPosition: LATEST, BatchSize: 0'), /expected an integer from 1 to 10000, got 0/],
  ['BatchSize 10001', kinesis('StartingPosition: LATEST, BatchSize: 10001'), /expected an integer from 1 to 10000, got 10001/],
  ['ParallelizationFactor 11', kinesis('StartingPosition: LATEST, ParallelizationFactor: 11'), /expected an integer from 1 to 10, got 11/],
  [
    'a window of 301 s',
    kinesis('StartingPosition: LATEST, MaximumBatchingWindowInSeconds: 301'),
    /expected an integer from 0 to 300, got 301/,
  ],
  ['no StartingPosition', kinesis('BatchSize: 5'), /^6:3 mappings\.m\.StartingPosition: missing field "StartingPosition"/],
  ['StartingPosition without a value', kinesis('StartingPosition: '), /StartingPosition has no value/],
  ['AT_TIMESTAMP without a time', kinesis('StartingPosition: AT_TIMESTAMP'), /missing field "StartingPositionTimestamp"/],
  [
    'a start in the future',
    kinesis('StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: "2999-01-01T00:00:00Z"'),
    /in the future \(2999-01-01T00:00:00\.000Z\)/,
  ],
  [
    'a start without zone',
    kinesis('StartingPosition: AT_TIMESTAMP, StartingPositionTimestamp: "2026-01-01T00:00:00"'),
    /expected a time with zone/,
  ],
  [
    'a time that goes with nothing',
    kinesis('StartingPosition: LATEST, StartingPositionTimestamp: 5'),
    /goes with StartingPosition: AT_TIMESTAMP, not LATEST/,
  ],
  ['StartingPosition on a queue', sqs('StartingPosition: LATEST'), /StartingPosition does not apply to SQS/],
  [
    'MaximumRecordAgeInSeconds 59',
    kinesis('StartingPosition: LATEST, MaximumRecordAgeInSeconds: 59'),
    /expected -1 or 60 to 604800, got 59/,
  ],
  [
    'a mapping twice',
    withMappings(`a: { EventSourceArn: "${QUEUE}", FunctionName: orders }\nb: { EventSourceArn: "${QUEUE}", FunctionName: orders }`),
    /mapping "a" has the same source and function \[first at wherry\.yaml:6:3/,
  ],
  [
    'a mapping name twice',
    withMappings(`a: { EventSourceArn: "${QUEUE}", FunctionName: orders }\na: {}`),
    /duplicate key "a" \[first at 6:3\]/,
  ],
  ['a Kafka field', sqs('Topics: [a]'), /Topics is for Kafka, which wherry does not poll/],
  ['a filter that is not JSON', PATTERN(`'{"a":[1],}'`), /invalid filter pattern: Not JSON: expected a key in double quotes \(offset 9\)/],
  ['half a filter', PATTERN(`'{"a":'`), /Not JSON: expected a value, but the text ends \(offset 5\)/],
  [
    'an event of another kind',
    'version: 1\nfunctions:\n  f:\n    target: { http: { url: "http://f" } }\n    Events: { A: { Type: Api, Properties: { Path: / } } }\n',
    /^5:26 functions\.f\.Events\.A\.Type: expected one of SQS, Kinesis, DynamoDB; got "Api"$/,
  ],
  ['a filter of a list', PATTERN(`'[1]'`), /Filter is not an object \(offset 0\)/],
  ['a filter leaf that is no list', PATTERN(`'{"a":{"b":"c"}}'`), /"b" must be an object or an array/],
  ['an empty filter leaf', PATTERN('{ a: [] }'), /Pattern\.a: invalid filter pattern: Empty arrays are not allowed/],
  [
    'an operator that there is none of',
    PATTERN(`'{"body":{"a":[{"prefx":"x"}]}}'`),
    /Unrecognized match type prefx \(offset 15, field body\.a\) \[did you mean "prefix"\?\]/,
  ],
  ['two stars in a row', PATTERN(`'{"a":[{"wildcard":"x**"}]}'`), /Consecutive wildcard characters at pos 2 \(offset 18, field a\)/],
  ['a wildcard of too many stars', PATTERN('{ a: [{ wildcard: "*:*:*:*:*:event-bus/*" }] }'), /Pattern\.a\[0\]\.wildcard: .* too complex/],
  ['a bound that is no number', PATTERN(`'{"a":[{"numeric":["<","5"]}]}'`), /Value of < must be numeric \(offset 22, field a\)/],
  [
    'a range of nothing',
    PATTERN('{ a: [{ numeric: [">", 5, "<", 1] }] }'),
    /numeric\[3\]: invalid filter pattern: Bottom must be less than top/,
  ],
  [
    'more than ten filters',
    sqs(`FilterCriteria: { Filters: [${Array.from({ length: 11 }, () => '{ Pattern: { a: [1] } }').join()}] }`),
    /expected at most 10 items, got 11/,
  ],
  [
    'an unknown function',
    sqs('BatchSize: 5').replace('FunctionName: orders', 'FunctionName: ordesr'),
    /no function is called "ordesr" \[did you mean "orders"\?\]/,
  ],
  [
    'an alias nobody declared',
    sqs('BatchSize: 5').replace('FunctionName: orders', 'FunctionName: "orders:DEV"'),
    /function "orders" has no alias "DEV"/,
  ],
  ...[
    'http://169.254.169.254/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
    'http://0xA9FEA9FE/',
    'http://0251.0376.0251.0376/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'file:///etc/passwd',
    'gopher://f/',
    'redis://f:6379',
    'http://user:secret@f/',
    'not a url',
    '//f',
  ].map((url): [string, string, RegExp] => [
    `the target ${url}`,
    target(url),
    /^4:28 functions\.f\.target\.http\.url: .+\[expected a URL such as/,
  ]),
  ['a private target that is blocked', target('http://10.0.0.1/', 'network: { blockPrivate: true }\n'), /10\.0\.0\.1 is a private address/],
  ['loopback that is blocked', target('http://localhost:1/', 'network: { blockPrivate: true }\n'), /localhost is a loopback address/],
  [
    'two kinds of target',
    'version: 1\nfunctions: { f: { target: { http: { url: "http://f" }, rie: { url: "http://f" } } } }\n',
    /expected exactly one of lambda, rie, http; got rie and http/,
  ],
  ['no kind of target', 'version: 1\nfunctions: { f: { target: {} } }\n', /expected exactly one of lambda, rie, http; got none/],
  [
    'a function name Lambda would refuse',
    'version: 1\nfunctions: { "../f": { target: { http: { url: "http://f" } } } }\n',
    /"\.\.\/f" cannot be the name of a function/,
  ],
  [
    'a header with a line break',
    target('http://f').replace('"http://f"', '"http://f", headers: { a: "b\\r\\nc" }'),
    /expected a header value without line breaks/,
  ],
  [
    'rejectUnauthorized',
    settings('redis: { url: "rediss://r", tls: { rejectUnauthorized: false } }'),
    /unknown field "rejectUnauthorized"/,
  ],
  ['a Redis URL of another kind', settings('redis: { url: "http://r" }'), /expected a URL such as redis:\/\//],
  [
    'two ways to Redis',
    settings('redis: { url: "redis://127.0.0.1", cluster: ["redis://127.0.0.1"] }'),
    /expected one of url, cluster, sentinel; got url and cluster/,
  ],
  [
    'renewals too rare for the ttl',
    settings('leases: { ttl: 10s, renewEvery: 4s }'),
    /leases\.renewEvery 4s is more than a third of leases\.ttl 10s/,
  ],
  ['a ttl too short for the renewals', settings('leases: { ttl: 6s }'), /leases\.renewEvery 3s is more than a third of leases\.ttl 6s/],
  [
    'a duration without a unit',
    settings('shutdown: { grace: 110 }'),
    /expected a duration such as 500ms, 10s, 5m, 2h or 14d, got 110 \[add a unit: 110s\]/,
  ],
  ['a duration of another grammar', settings('shutdown: { grace: 1m30s }'), /expected a duration/],
  ['a size of decimal units', settings('limits: { bufferedBytes: 256MB }'), /expected a size such as 512KiB/],
  ['a port out of range', settings('admin: { listen: "127.0.0.1:70000" }'), /expected a port from 0 to 65535, got 70000/],
  ['an open API', settings('api: { listen: "0.0.0.0:9400" }'), /api\.listen is open to other machines and asks nobody who they are/],
  ['a fleet id that would end a hash tag', settings('fleet: { id: "a}b" }'), /fleet\.id: expected up to 64 letters/],
  ['only a document mark', '---\n', /is empty: no mappings defined/],
  ['a mapping without members', withMappings('m:'), /^6:3 mappings\.m\.FunctionName: missing field "FunctionName"/],
  ['a function without members', 'version: 1\nfunctions: { f: }\n', /^2:14 functions\.f\.target: missing field "target"/],
  ['a label that metrics have already', sqs('labels: { outcome: x }'), /"outcome" is a label that metrics have already/],
  [
    'another version',
    'version: 2\n',
    /expected 1, got 2 \[version is that of the file format, and this wherry reads version 1: write version: 1\]/,
  ],
  ['no version', 'functions: {}\n', /missing field "version" \[write version: 1\]/],
  ['a duration out of range', settings('shutdown: { grace: 2d }'), /expected a duration from 0s to 1d, got 2d/],
  [
    'a role with a short external id',
    settings('aws: { assumeRole: { roleArn: "arn:aws:iam::123456789012:role/r", externalId: x } }'),
    /expected 2 to 1224 characters, got 1/,
  ],
  [
    '!Ref to a function that is not there',
    sqs('BatchSize: 5').replace('FunctionName: orders', 'FunctionName: !Ref Missing'),
    /nothing under functions: or resources: is called "Missing" \[add the function "Missing" under functions:, or to resources:/,
  ],
  [
    'a variable of the environment in !Sub',
    arn('x').replace('"x"', '!Sub "arn:aws:sqs:eu-west-1:${ACCOUNT_ID}:q"'),
    /\[!Sub knows no variables of the environment: leave !Sub out, or add to resources: +ACCOUNT_ID: \$\{ACCOUNT_ID\}\]/,
  ],
  [
    'a function as its own destination',
    settings('').replace(
      'aliases: { PROD: {} }',
      'EventInvokeConfig: { DestinationConfig: { OnFailure: { Destination: "arn:aws:lambda:eu-west-1:123456789012:function:orders" } } }',
    ),
    /a function cannot be its own destination: it would loop/,
  ],
  [
    'a FIFO dead-letter queue',
    settings('').replace('aliases: { PROD: {} }', 'DeadLetterConfig: { TargetArn: "arn:aws:sqs:eu-west-1:123456789012:d.fifo" }'),
    /a dead-letter queue or topic has to be a standard one/,
  ],
  [
    'an EventInvokeConfig with nothing in it',
    settings('').replace('aliases: { PROD: {} }', 'EventInvokeConfig: {}'),
    /EventInvokeConfig needs at least one setting/,
  ],
];

test.each(refused)('%s is refused at its place', async (_name, text, expected) => {
  const errors = await errorsOf(text);
  expect(errors).toContainEqual(expect.stringMatching(expected));
});

/** Input that looks dangerous and is fine. */
const accepted: readonly (readonly [name: string, text: string])[] = [
  ['a byte order mark', `\uFEFF${sqs('BatchSize: 5')}`],
  ['CRLF line ends', sqs('BatchSize: 5').replaceAll('\n', '\r\n')],
  ['an account id without quotes', settings('fleet: { accountId: 012345678901 }')],
  ['a FIFO queue of ten', sqs('BatchSize: 10').replace(':orders"', ':orders.fifo"')],
  ['a Kinesis consumer', arn('arn:aws:kinesis:eu-west-1:123456789012:stream/s/consumer/c:1700000000')],
  ['other partitions of AWS', arn('arn:aws-us-gov:sqs:us-gov-west-1:123456789012:q').replace(', StartingPosition: LATEST', '')],
  ['a loopback target', target('http://localhost:6379')],
  ['a private target', target('http://10.1.2.3/')],
  ['a private target that is let through', target('http://10.1.2.3/', 'network: { blockPrivate: true, allow: [10.0.0.0/8] }\n')],
  ['some aliases', 'version: 1\nfunctions:\n  f: &f { target: { http: { url: "http://f" } } }\n  g: *f\n'],
  ['a number of 21 digits in a pattern', PATTERN('{ a: [123456789012345678901] }')],
  ['a filter on a field called constructor', PATTERN(`'{"constructor":["x"]}'`)],
];

test.each(accepted)('%s is accepted', async (_name, text) => {
  expect(await errorsOf(text)).toEqual([]);
});

test('an account id keeps its leading zero', async () => {
  const result = await loadText(settings('fleet: { accountId: 012345678901 }'));
  expect(result.ok && result.config.fleet.accountId).toBe('012345678901');
});

test('a missing file and a directory say so', async () => {
  const folder = folderWith({});
  mkdirSync(`${folder}/conf.d`);
  const missing = await loadConfig({ file: `${folder}/no.yaml`, env: {} });
  const directory = await loadConfig({ file: `${folder}/conf.d`, env: {} });
  expect(missing).toMatchObject({
    ok: false,
    problems: [{ line: 0, code: 'unreadable', message: `cannot read ${folder}/no.yaml: no such file (ENOENT)` }],
  });
  expect(directory).toMatchObject({ ok: false, problems: [{ message: expect.stringContaining('it is a directory (EISDIR)') }] });
});

/** What is unwise without being wrong. */
const warned: readonly (readonly [name: string, text: string, code: string])[] = [
  ['no mappings', 'version: 1\n', 'no-mappings'],
  ['redis:// off loopback', settings('redis: { url: "redis://redis:6379" }'), 'redis-without-tls'],
  ['a password in the file', settings('redis: { url: "rediss://:hunter2@redis:6379" }'), 'password-in-file'],
  ['a password field in the file', settings('redis: { url: "rediss://redis:6379", password: hunter2 }'), 'password-in-file'],
  ['a grace shorter than a Timeout', settings('shutdown: { grace: 2s }'), 'grace-too-short'],
  ['an open admin listener', settings('admin: { listen: "0.0.0.0:9401" }'), 'no-auth'],
  ["a region of its own that is not the source's", sqs('aws: { region: us-east-1 }'), 'other-region'],
  ['an endpoint in another region', `${sqs('BatchSize: 5')}aws: { endpoint: "https://sqs.us-east-1.amazonaws.com" }\n`, 'other-region'],
  [
    'a VPC endpoint in another region',
    `${sqs('BatchSize: 5')}aws: { endpoints: { sqs: "https://vpce-1.sqs.us-east-1.vpce.amazonaws.com" } }\n`,
    'other-region',
  ],
  ['KMSKeyArn', sqs('KMSKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/k"'), 'no-effect'],
  ['MetricsConfig', sqs('MetricsConfig: { Metrics: [EventCount] }'), 'no-effect'],
];

test.each(warned)('%s is a warning or a notice', async (_name, text, code) => {
  const result = await loadText(text);
  expect(result).toMatchObject({ ok: true });
  expect(result.ok && result.warnings.map((problem) => problem.code)).toContain(code);
  // A secret on the line of a warning must not be repeated by it.
  expect(JSON.stringify(result.ok && result.warnings)).not.toContain('hunter2');
});
