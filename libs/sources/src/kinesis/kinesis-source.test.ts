import { expect, test } from 'vitest';
import { parseStreamArn } from './kinesis-source.ts';

test.each([
  ['arn:aws:kinesis:us-east-1:000000000000:stream/clicks', 'us-east-1'],
  ['arn:aws:kinesis:us-east-1:000000000000:stream/clicks/consumer/wherry:1789651650', 'us-east-1'],
  ['arn:aws-cn:kinesis:cn-north-1:000000000000:stream/a.b-c_d', 'cn-north-1'],
  ['arn:aws:kinesis:local:000000000000:stream/clicks', 'local'],
])('%s names a stream', (arn, region) => {
  const parsed = parseStreamArn(arn);
  expect(parsed).toMatchObject({ region, accountId: '000000000000' });
  expect(arn.startsWith(parsed.streamArn)).toBe(true);
  expect(parsed.streamArn).not.toContain('consumer');
});

test.each(['arn:aws:sqs:us-east-1:000000000000:orders', 'arn:aws:kinesis:us-east-1:000000000000:clicks', 'clicks'])('%s does not', (arn) =>
  expect(() => parseStreamArn(arn)).toThrow('expected arn:aws:kinesis:REGION:ACCOUNT:stream/NAME'),
);
