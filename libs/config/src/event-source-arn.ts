import { REGION_PATTERN } from './schema-fields.ts';

/** Which poller a source needs. */
export type SourceKind = 'sqs' | 'kinesis' | 'dynamodb';

/** What an event source's ARN says, or what is wrong with it. */
export type EventSource =
  | { readonly ok: true; readonly kind: SourceKind; readonly region: string; readonly fifo: boolean }
  | { readonly ok: false; readonly message: string; readonly help?: string };

const WITHOUT_POLLER: Readonly<Record<string, string>> = { kafka: 'Kafka', mq: 'Amazon MQ', rds: 'DocumentDB', docdb: 'DocumentDB' };

/** Names of the parts of an ARN, in order; errors name the one that is wrong. */
const PARTS = ['arn', 'partition', 'service', 'region', 'account', 'resource'];

/**
 * Reads the ARN of a queue, a stream or a stream consumer.
 *
 * @param region where a queue URL without a region (LocalStack) is taken to be
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
 */
export function parseEventSourceArn(text: string, region: string): EventSource {
  if (/^https?:/i.test(text)) return fromUrl(text, region);
  const parts = text.split(':');
  const [head = '', partition = '', service = '', arnRegion = '', account = ''] = parts;
  const resource = parts.slice(5).join(':');
  if (head !== 'arn')
    return { ok: false, message: `expected an ARN, got "${text}"`, help: 'such as arn:aws:sqs:eu-west-1:123456789012:name' };
  if (parts.length < 6) return wrongPart(parts.length, undefined, 'an ARN of six parts (arn:aws:service:region:account:resource)');
  if (/[*?]/.test(text)) return { ok: false, message: 'an event source is one queue or stream; wildcards are not possible' };
  if (!/^aws(?:-[a-z]+)*$/.test(partition)) return wrongPart(1, partition, 'aws, aws-cn or aws-us-gov');
  if (WITHOUT_POLLER[service] !== undefined) {
    return { ok: false, message: `part 3 of the ARN (service) is "${service}": wherry does not poll ${WITHOUT_POLLER[service]}` };
  }
  if (service !== 'sqs' && service !== 'kinesis' && service !== 'dynamodb') return wrongPart(2, service, 'sqs, kinesis or dynamodb');
  if (!REGION_PATTERN.test(arnRegion)) return wrongPart(3, arnRegion, 'a region such as eu-west-1');
  if (!/^\d{12}$/.test(account)) return wrongPart(4, account, 'an account id of 12 digits');
  const fault = service === 'sqs' ? queueFault(resource) : service === 'kinesis' ? kinesisFault(resource) : tableFault(resource);
  return fault ?? { ok: true, kind: service, region: arnRegion, fifo: service === 'sqs' && resource.endsWith('.fifo') };
}

function wrongPart(index: number, found: string | undefined, expected: string): EventSource {
  const name = `part ${index + 1} of the ARN (${PARTS[index] ?? 'resource'})`;
  return {
    ok: false,
    message:
      found === undefined || found === '' ? `${name} is missing; expected ${expected}` : `${name} is "${found}"; expected ${expected}`,
  };
}

function queueFault(resource: string): EventSource | undefined {
  return /^[A-Za-z0-9_-]{1,80}$|^[A-Za-z0-9_-]{1,75}\.fifo$/.test(resource) ? undefined : wrongPart(5, resource, 'the name of a queue');
}

function kinesisFault(resource: string): EventSource | undefined {
  if (/^stream\/[A-Za-z0-9_.-]{1,128}(?:\/consumer\/[A-Za-z0-9_.-]{1,128}:\d+)?$/.test(resource)) return undefined;
  return wrongPart(5, resource, 'stream/NAME, or stream/NAME/consumer/CONSUMER:TIME');
}

function tableFault(resource: string): EventSource | undefined {
  if (/^table\/[A-Za-z0-9_.-]{1,255}\/stream\/[0-9T:.-]+$/.test(resource)) return undefined;
  if (/^table\/[^/]+$/.test(resource)) {
    return {
      ok: false,
      message: 'this is the ARN of a table; a mapping needs the ARN of its stream',
      help: `use the table's LatestStreamArn (…/stream/…)`,
    };
  }
  if (/^table\/[^/]+\/stream\/?$/.test(resource)) {
    return {
      ok: false,
      message: `part 6 of the ARN (resource) is "${resource}"; the label of the stream is missing`,
      help: "the label is the time at which the stream was enabled; the table's LatestStreamArn ends with it",
    };
  }
  return wrongPart(5, resource, 'table/NAME/stream/LABEL');
}

/** A queue URL where an ARN belongs: region and account stand in it, so the ARN can be offered. */
function fromUrl(text: string, region: string): EventSource {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const [account, name, more] = url?.pathname.split('/').slice(1) ?? [];
  const message = 'expected an ARN, got a URL';
  if (url === undefined || account === undefined || !/^\d{12}$/.test(account) || !name || more) return { ok: false, message };
  const found = /^(?:sqs\.([a-z0-9-]+)\.|([a-z0-9-]+)\.queue\.)/.exec(url.hostname);
  return { ok: false, message: `${message} of a queue`, help: `use arn:aws:sqs:${found?.[1] ?? found?.[2] ?? region}:${account}:${name}` };
}
