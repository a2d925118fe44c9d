import { parseFunctionName } from './function-name.ts';
import type { MapNode, Node } from './node.ts';
import { entriesAt, entryOf, isSet, nodeAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { didYouMean } from './suggest.ts';

/** Who sends to the destination: a stream mapping, or a function's asynchronous invocations. */
type Sender = 'stream' | 'async';

const SAM_KINDS: Readonly<Record<string, string>> = { sqs: 'SQS', sns: 'SNS', lambda: 'Lambda', events: 'EventBridge', s3: 'S3Bucket' };

/** ARNs by service. What a destination is written to needs its region and account; a bucket's ARN has neither. */
const FORMS: Readonly<Record<string, { readonly pattern: RegExp; readonly what: string; readonly example: string }>> = {
  sqs: {
    pattern: /^arn:[^:]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$/,
    what: 'the ARN of a queue',
    example: 'arn:aws:sqs:eu-west-1:123456789012:name',
  },
  sns: {
    pattern: /^arn:[^:]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    what: 'the ARN of a topic',
    example: 'arn:aws:sns:eu-west-1:123456789012:name',
  },
  s3: { pattern: /^arn:[^:]+:s3:::[A-Za-z0-9._-]{3,255}$/, what: 'the ARN of a bucket', example: 'arn:aws:s3:::name' },
};

/**
 * Checks `DestinationConfig.OnFailure` or `.OnSuccess` of a mapping or an EventInvokeConfig.
 *
 * @param holder the map that has the `DestinationConfig`
 * @param self the function whose invocations these are
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export function checkDestination(
  holder: MapNode,
  outcome: 'OnFailure' | 'OnSuccess',
  sender: Sender,
  tree: MapNode,
  problems: ProblemList,
  self = '',
): void {
  const entry = entryOf(nodeAt(holder, ['DestinationConfig']), outcome);
  if (entry === undefined || !isSet(entry.value) || entry.value.kind !== 'map') return;
  if (sender === 'stream' && outcome === 'OnSuccess') {
    problems.error(entry.key, 'unsupported-destination', 'an event source mapping has no OnSuccess destination', {
      help: 'OnFailure is the only one',
      awsMessage: 'Unsupported DestinationConfig parameter for given event source mapping type.',
    });
    return;
  }
  const node = nodeAt(entry.value, ['Destination']);
  const arn = textAt(entry.value, 'Destination');
  if (node === undefined) problems.missing(entry.value, 'Destination');
  if (node === undefined || arn === undefined || arn === '') return;
  const service = checkArn(node, arn, sender, outcome, problems);
  if (service === undefined) return;
  checkSamType(entry.value, service, problems);
  if (service === 'lambda') checkFunction(node, arn, tree, self, problems);
  if (service === 'sqs') warnOfLoop(node, arn, sender, tree, self, problems);
}

/** The service of a destination this sender can use; undefined after having reported why not, or for a place of our own. */
function checkArn(node: Node, arn: string, sender: Sender, outcome: string, problems: ProblemList): string | undefined {
  if (arn.startsWith('wherry:')) {
    const isGood = outcome === 'OnFailure' && /^wherry:\/\/failed\/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(arn);
    if (!isGood) problems.error(node, 'bad-destination', `expected wherry://failed/<name> (for OnFailure), got "${arn}"`);
    return undefined;
  }
  const allowed =
    sender === 'stream'
      ? ['sqs', 'sns', 's3']
      : outcome === 'OnFailure'
        ? ['sqs', 'sns', 'events', 'lambda', 's3']
        : ['sqs', 'sns', 'events', 'lambda'];
  const service = /^arn:aws[a-z-]*:([a-z0-9]+):[a-z0-9-]*:(?:\d{12})?:.+$/.exec(arn)?.[1];
  const onSuccess = outcome === 'OnSuccess' ? `OnSuccess(destination=${arn})` : 'null';
  const onFailure = outcome === 'OnFailure' ? `OnFailure(destination=${arn})` : 'null';
  const awsMessage = `The provided destination config DestinationConfig(onSuccess=${onSuccess}, onFailure=${onFailure}) is invalid.`;
  if (service === undefined) {
    const found = arn.startsWith('kafka:') ? 'wherry does not write to Kafka' : `expected an ARN, got "${arn}"`;
    problems.error(node, 'bad-destination', found, { help: 'such as arn:aws:sqs:eu-west-1:123456789012:name' });
    return undefined;
  }
  if (!allowed.includes(service)) {
    problems.error(node, 'bad-destination', `part 3 of the ARN (service) is "${service}"; expected one of ${allowed.join(', ')}`, {
      awsMessage: sender === 'async' ? awsMessage : undefined,
    });
    return undefined;
  }
  if (isFifo(arn, service)) {
    const help = 'use a standard queue or topic (Lambda has the same rule)';
    problems.error(node, 'fifo-destination', `a FIFO ${service === 'sqs' ? 'queue' : 'topic'} cannot be a destination`, {
      help,
    });
    return undefined;
  }
  const form = FORMS[service];
  if (form !== undefined && !form.pattern.test(arn)) {
    problems.error(node, 'bad-destination', `expected ${form.what}, got "${arn}"`, { help: `such as ${form.example}` });
    return undefined;
  }
  return service;
}

function isFifo(arn: string, service: string): boolean {
  return (service === 'sqs' || service === 'sns') && arn.endsWith('.fifo');
}

function checkSamType(destination: MapNode, service: string, problems: ProblemList): void {
  const type = textAt(destination, 'Type');
  const node = nodeAt(destination, ['Type']);
  if (node !== undefined && type !== undefined && type !== SAM_KINDS[service]) {
    problems.error(node, 'type-mismatch', `Type is ${type}, but Destination is of ${SAM_KINDS[service] ?? service}`);
  }
}

function checkFunction(node: Node, arn: string, tree: MapNode, self: string, problems: ProblemList): void {
  const name = parseFunctionName(arn)?.name;
  const known = entriesAt(tree, 'functions').map(([candidate]) => candidate);
  if (name === self) {
    const awsMessage = "You can't specify the function as a destination for itself.";
    problems.error(node, 'destination-loop', 'a function cannot be its own destination: it would loop', { awsMessage });
  } else if (name === undefined || !known.includes(name)) {
    const nearest = name === undefined ? undefined : didYouMean(name, known);
    const help = nearest === undefined ? 'a Lambda destination is another function of this file' : `did you mean "${nearest}"?`;
    problems.error(node, 'unknown-function', `no function is called "${name ?? arn}"`, {
      help,
      awsMessage: `The destination ARN ${arn} is invalid.`,
    });
  }
}

/** A destination queue that the same function is mapped to would bring the failed event, or word of failed records, straight back. */
function warnOfLoop(node: Node, arn: string, sender: Sender, tree: MapNode, self: string, problems: ProblemList): void {
  const what = sender === 'async' ? 'it would loop' : 'it would get failure records in place of its own records, and fail again';
  for (const [name] of entriesAt(tree, 'mappings')) {
    const reads = textAt(tree, 'mappings', name, 'EventSourceArn') === arn;
    if (reads && parseFunctionName(textAt(tree, 'mappings', name, 'FunctionName') ?? '')?.name === self) {
      problems.warn(node, 'destination-loop', `mapping "${name}" feeds this queue to the same function: ${what}`);
    }
  }
}

/** Checks `DeadLetterConfig.TargetArn` of a function: a standard queue or topic. */
export function checkDeadLetterConfig(fn: MapNode, tree: MapNode, self: string, problems: ProblemList): void {
  const node = nodeAt(fn, ['DeadLetterConfig', 'TargetArn']);
  const arn = textAt(fn, 'DeadLetterConfig', 'TargetArn');
  if (node === undefined || arn === undefined || arn === '') return;
  const service = /^arn:aws[a-z-]*:(sqs|sns):[a-z0-9-]+:\d{12}:.+$/.exec(arn)?.[1];
  if (service === undefined) problems.error(node, 'bad-destination', `expected the ARN of an SQS queue or an SNS topic, got "${arn}"`);
  else if (isFifo(arn, service)) problems.error(node, 'fifo-destination', 'a dead-letter queue or topic has to be a standard one');
  else if (service === 'sqs') warnOfLoop(node, arn, 'async', tree, self, problems);
}
