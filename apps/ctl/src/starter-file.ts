import { parseEventSourceArn } from '@wherry/config/event-source-arn';

/** What `wherry init` asks for. */
export interface StarterAnswers {
  readonly sourceArn: string;
  readonly target: StarterTarget;
  readonly redisUrl: string;
}

export type StarterTarget =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'rie'; readonly url: string }
  | { readonly kind: 'lambda'; readonly functionName: string; readonly qualifier?: string };

/** Stands in for an answer that nobody gave: LocalStack and services on this machine. */
export const exampleAnswers: StarterAnswers = {
  sourceArn: 'arn:aws:sqs:us-east-1:000000000000:orders',
  target: { kind: 'http', url: 'http://127.0.0.1:9000/orders' },
  redisUrl: 'redis://127.0.0.1:6379',
};

/** The account that emulators use. */
const EMULATOR_ACCOUNT = '000000000000';

/** Why an answer cannot be a source, as a sentence with the way out; undefined if it can. */
export function sourceArnFault(text: string): string | undefined {
  const source = parseEventSourceArn(text, 'us-east-1');
  if (source.ok) return undefined;
  return source.help === undefined ? source.message : `${source.message}; ${source.help}`;
}

/** Why an answer cannot be an address, or undefined. */
export function urlFault(text: string, protocols: readonly string[]): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && protocols.includes(url.protocol) && url.hostname !== '') return undefined;
  return `expected a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
}

/**
 * A commented configuration that validates: one queue or stream, one function.
 *
 * @throws RangeError when the source is not the ARN of a queue or stream
 */
export function starterFile(answers: StarterAnswers, file: string): string {
  const source = parseEventSourceArn(answers.sourceArn, 'us-east-1');
  if (!source.ok) throw new RangeError(answers.sourceArn);
  const { region, kind } = source;
  const account = answers.sourceArn.split(':')[4] ?? '';
  const name = functionName(answers.sourceArn);
  const endpoint =
    account === EMULATOR_ACCOUNT
      ? '  endpoint: ${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}   # an emulator; leave the line out for AWS itself'
      : '  # endpoint: http://127.0.0.1:4566   # an emulator in the place of AWS';
  // The example stays open to the environment; what somebody typed is meant as typed.
  const redisUrl = answers.redisUrl === exampleAnswers.redisUrl ? `\${REDIS_URL:-${answers.redisUrl}}` : literal(answers.redisUrl);
  return `# Wherry: which queues and streams are polled, and which functions get their records.
#   check it   npx wherry validate ${file}
#   run it     npx wherry poller --config ${file}
# PascalCase fields are AWS Lambda's own: same name, unit, default and limit. camelCase fields are Wherry's.
# What a field means: npx wherry explain mappings.BatchSize. Help while typing: npx wherry schema > wherry.schema.json, and as the
# first line of this file: # yaml-language-server: $schema=./wherry.schema.json
version: 1

fleet:
  id: default                   # pollers with the same id and Redis share the work
  accountId: "${account}"       # stands in the ARNs of events; in quotes, because of leading zeros
  region: ${region}

aws:
  region: ${region}
${endpoint}
  # Credentials come from the usual places: environment, profile, container or instance role.

redis:
  url: ${redisUrl}

functions:
  ${name}:
    target:
${targetLines(answers.target)}
    Timeout: 30                 # seconds that one invocation may take${kind === 'sqs' ? "; the queue's visibility timeout should be six times that" : ''}

mappings:
  ${name}:
    EventSourceArn: ${answers.sourceArn}
    FunctionName: ${name}
${kind === 'sqs' ? QUEUE_LINES : streamLines(kind, name)}`;
}

/** A name that a function may have, after its queue, stream or table. */
function functionName(arn: string): string {
  const resource = arn.split(':').slice(5).join(':');
  const name = /^(?:stream|table)\/([^/]+)/.exec(resource)?.[1] ?? resource.replace(/\.fifo$/, '');
  return name.replaceAll('.', '-').slice(0, 64);
}

const QUEUE_LINES = `    BatchSize: 10
    # The function answers {"batchItemFailures": […]} to have single messages retried:
    # FunctionResponseTypes: [ReportBatchItemFailures]
    # Only messages that match reach the function; the others are deleted. Try a pattern: npx wherry filter test
    # FilterCriteria: { Filters: [{ Pattern: { body: { kind: [new] } } }] }
    # At most this many invocations at a time, across the whole fleet:
    # ScalingConfig: { MaximumConcurrency: 10 }
`;

function streamLines(kind: 'kinesis' | 'dynamodb', name: string): string {
  const pattern = kind === 'kinesis' ? '{ data: { kind: [new] } }' : '{ eventName: [INSERT] }';
  return `    StartingPosition: TRIM_HORIZON   # from the oldest record there is; LATEST: from now on
    BatchSize: 100
    # A shard waits until the function succeeds. What fails four times is given up, and kept in Redis: npx wherry failed list
    MaximumRetryAttempts: 3
    BisectBatchOnFunctionError: true   # a failing batch is halved, until the record that fails is alone
    DestinationConfig: { OnFailure: { Destination: "wherry://failed/${name}" } }
    # The function answers {"batchItemFailures": […]} to go on behind the records that succeeded:
    # FunctionResponseTypes: [ReportBatchItemFailures]
    # Only records that match reach the function; the others are passed over. Try a pattern: npx wherry filter test
    # FilterCriteria: { Filters: [{ Pattern: ${pattern} }] }
    # Batches of one shard at a time; records with the same key stay in order:
    # ParallelizationFactor: 2
`;
}

function targetLines(target: StarterTarget): string {
  switch (target.kind) {
    case 'http':
      return `      http: { url: ${literal(target.url)} }   # gets POSTs with Lambda's event; 2xx is success`;
    case 'rie':
      return `      rie: { url: ${literal(target.url)} }   # one Runtime Interface Emulator takes one event at a time`;
    case 'lambda': {
      const qualifier = target.qualifier === undefined ? '' : `, qualifier: ${literal(target.qualifier)}`;
      return `      lambda: { functionName: ${literal(target.functionName)}${qualifier} }`;
    }
  }
}

/** A text as a YAML value that means exactly itself: quoted, and with no `$` that would be taken for a variable. */
function literal(text: string): string {
  return JSON.stringify(text.replaceAll('$', '$$$$'));
}
