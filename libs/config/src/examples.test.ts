import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadGood } from '../test-data/load-text.ts';

const reference = readFileSync(new URL('../test-data/reference.yaml', import.meta.url), 'utf8');

test('the complete reference is valid, and every feature this version lacks is named at its place', async () => {
  const { notOffered, warnings, config } = await loadGood(reference, { env: { ADMIN_TOKEN: 'x' } });
  expect(notOffered.map((problem) => problem.path)).toEqual([
    'redis.events',
    'functions.orders.EventInvokeConfig',
    'functions.orders.DeadLetterConfig',
    'functions.orders.aliases.NEXT.target',
    'functions.orders.aliases.NEXT.EventInvokeConfig',
    'functions.orders.onDestinationFailure',
    'functions.orders.rateLimit',
    'functions.orders.tenantConcurrency',
    'asyncQueue',
    'api',
    'admin.console',
    'admin.queues',
  ]);
  expect(notOffered.every((problem) => problem.severity === 'warning' && problem.code === 'not-offered')).toBe(true);
  expect(warnings.map((problem) => `${problem.severity} ${problem.path}`)).toEqual([
    'notice mappings.orders-bulk.KMSKeyArn',
    'notice mappings.clicks.MetricsConfig',
  ]);
  expect(config.leases).toEqual({ ttlMs: 20_000, renewEveryMs: 5000, claimEveryMs: 1000, rebalanceEveryMs: 30_000, marginMs: 4000 });
  expect(config.mappings.get('orders-bulk')).toMatchObject({ provisionedPollerConfig: { minimumPollers: 2, maximumPollers: 20 } });
});

test('the smallest useful file needs nothing but a function and a mapping, and gets the documented defaults', async () => {
  const { config, warnings, notOffered } = await loadGood(`version: 1
functions: { orders: { target: { http: { url: "http://127.0.0.1:9000/orders" } } } }
mappings: { orders: { EventSourceArn: "arn:aws:sqs:us-east-1:000000000000:orders", FunctionName: orders } }
`);
  expect([...warnings, ...notOffered]).toEqual([]);
  expect(config).toMatchObject({
    fleet: { id: 'default', accountId: '000000000000', region: 'us-east-1' },
    redis: { url: 'redis://127.0.0.1:6379', keyPrefix: 'wherry' },
    leases: { ttlMs: 10_000, renewEveryMs: 3000, claimEveryMs: 1000, rebalanceEveryMs: 10_000, marginMs: 2000 },
    limits: { bufferedBytes: 268_435_456, inFlight: 200, shardsPerPoller: 500 },
    shutdownGraceMs: 110_000,
    reload: { intervalMs: 5000, onSighup: true },
    admin: { listen: '127.0.0.1:9401', bearerTokens: [] },
    logging: { level: 'info', format: 'auto', redact: [] },
    metrics: { prefix: 'wherry', labels: {}, nodejs: true },
    network: { blockPrivate: false, allow: [] },
  });
  expect(config.functions.get('orders')).toEqual({
    name: 'orders',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:orders',
    target: { kind: 'http', url: 'http://127.0.0.1:9000/orders', headers: {} },
    timeoutSeconds: 3,
  });
});

/** Whole files as people write them, and what this version cannot do of them. */
const examples: readonly (readonly [name: string, text: string, notOffered: readonly string[]])[] = [
  [
    'a queue to a container with the Runtime Interface Emulator',
    `version: 1
aws: { region: eu-west-1, endpoint: "\${AWS_ENDPOINT_URL:-http://localstack:4566}" }
redis: { url: "\${REDIS_URL:-redis://redis:6379}" }
functions:
  orders:
    target:
      rie: { url: "http://orders:8080" }
    Timeout: 30
mappings:
  orders-queue:
    EventSourceArn: arn:aws:sqs:eu-west-1:000000000000:orders
    FunctionName: orders
    FunctionResponseTypes: [ReportBatchItemFailures]
    ScalingConfig:
      MaximumConcurrency: 2
`,
    [],
  ],
  [
    'Kinesis with bisect and a failure destination, pasted from CloudFormation',
    `version: 1
aws: { region: eu-west-1 }
functions:
  clicks: { target: { lambda: { functionName: clicks, qualifier: live } }, Timeout: 60 }
mappings:
  clicks:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      EventSourceArn: arn:aws:kinesis:eu-west-1:123456789012:stream/clicks
      FunctionName: clicks
      StartingPosition: TRIM_HORIZON
      BatchSize: 500
      ParallelizationFactor: 4
      BisectBatchOnFunctionError: true
      MaximumRetryAttempts: 3
      DestinationConfig:
        OnFailure:
          Destination: arn:aws:sqs:eu-west-1:123456789012:clicks-failed
`,
    [],
  ],
  [
    'a DynamoDB stream with filters to an HTTP service, pasted from SAM',
    `version: 1
resources:
  Customers: arn:aws:dynamodb:eu-west-1:123456789012:table/customers/stream/2026-01-01T00:00:00.000
functions:
  welcome:
    target:
      http:
        url: https://welcome.internal/events
        hmac: { secret: "\${WELCOME_SECRET:-dev}", header: x-wherry-signature }
    Events:
      NewCustomer:
        Type: DynamoDB
        Properties:
          Stream: !GetAtt Customers.StreamArn
          StartingPosition: LATEST
          FilterCriteria:
            Filters:
              - Pattern: '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"plan":{"S":["pro"]}}}}'
              - Pattern:
                  eventName: [MODIFY]
                  dynamodb: { NewImage: { plan: { S: [pro] } }, OldImage: { plan: { S: [free] } } }
`,
    [],
  ],
  [
    'an asynchronous function with destinations and no mapping',
    `version: 1
fleet: { id: billing, accountId: "123456789012", region: eu-west-1 }
api: { listen: 0.0.0.0:9400, auth: { sigv4: { keys: { AKIAFLEETEXAMPLE: "\${API_SECRET:-dev-secret}" } } } }
functions:
  invoice:
    target: { lambda: { functionName: invoice } }
    Timeout: 100
    EventInvokeConfig:
      MaximumRetryAttempts: 2
      DestinationConfig:
        OnSuccess: { Type: SQS, Destination: "arn:aws:sqs:eu-west-1:123456789012:invoice-done" }
        OnFailure: { Type: S3Bucket, Destination: "arn:aws:s3:::invoice-failed" }
`,
    ['api', 'functions.invoice.EventInvokeConfig'],
  ],
];

test.each(examples)('%s is valid', async (_name, text, paths) => {
  const { notOffered } = await loadGood(text);
  expect(notOffered.map((problem) => problem.path)).toEqual(paths);
});

test('a pattern written as YAML becomes the same JSON text', async () => {
  const { config } = await loadGood(examples[2]?.[1] ?? '');
  expect(config.mappings.get('welcome-NewCustomer')?.filterPatterns).toEqual([
    '{"eventName":["INSERT"],"dynamodb":{"NewImage":{"plan":{"S":["pro"]}}}}',
    '{"eventName":["MODIFY"],"dynamodb":{"NewImage":{"plan":{"S":["pro"]}},"OldImage":{"plan":{"S":["free"]}}}}',
  ]);
});
