import { AWS_HOST } from './aws-host.ts';
import { isConsumerArn } from './consumer-rules.ts';
import { mappingAt } from './mapping-forms.ts';
import type { ResolvedMapping } from './mapping-rules.ts';
import type { MapNode, Node } from './node.ts';
import { isSet, nodeAt, numberAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { parseSize } from './quantity.ts';

/** How long DynamoDB keeps stream records: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html */
const DYNAMODB_RETENTION_SECONDS = 86_400;

/**
 * Most readers of a shard before they take reads from each other. DynamoDB advises two, Kinesis answers five reads a second.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.Processing
 * @see https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
 */
const ADVISED_READERS = { kinesis: 5, dynamodb: 2 } as const;

/** What one GetRecords of Kinesis may bring, in MiB: https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html */
const LARGEST_PAGE_MIB = 10;

/** Memory that such a page takes while it is worked on: as base64, and some copies of it. Inferred from measurements. */
const LARGEST_PAGE_MEMORY_MIB = Math.ceil((LARGEST_PAGE_MIB * 4) / 3) * 8;

/** What is unwise or surprising in a stream mapping without being wrong: warnings and notices alone. */
export function adviseStream(mapping: MapNode, kind: 'kinesis' | 'dynamodb', tree: MapNode, problems: ProblemList): void {
  const retries = numberAt(mapping, 'MaximumRetryAttempts') ?? -1;
  const age = numberAt(mapping, 'MaximumRecordAgeInSeconds') ?? -1;
  const destination = nodeAt(mapping, ['DestinationConfig', 'OnFailure', 'Destination']);
  if (destination !== undefined && isSet(destination) && retries === -1 && age === -1) {
    problems.warn(destination, 'never-given-up', 'nothing ever goes to this destination: failing records are retried without end', {
      help: 'set MaximumRetryAttempts or MaximumRecordAgeInSeconds; both are -1, without limit, unless given (as for Lambda)',
    });
  }
  if (destination !== undefined) adviseEndpoint(mapping, destination, kind, tree, problems);
  const onDestinationFailure = nodeAt(mapping, ['onDestinationFailure']);
  if (onDestinationFailure !== undefined && isSet(onDestinationFailure) && !isSet(destination)) {
    problems.notice(onDestinationFailure, 'no-effect', 'onDestinationFailure has no effect without DestinationConfig.OnFailure');
  }
  const ageNode = nodeAt(mapping, ['MaximumRecordAgeInSeconds']);
  if (kind === 'dynamodb' && ageNode !== undefined && age > DYNAMODB_RETENTION_SECONDS) {
    problems.notice(ageNode, 'beyond-retention', `DynamoDB keeps stream records for 24 hours; none gets ${age} seconds old`, {
      help: `${DYNAMODB_RETENTION_SECONDS} or less has an effect`,
    });
  }
}

/** A stream at an emulator whose failure destination is at AWS: an endpoint of the mapping, or of one service, is not everybody's. */
function adviseEndpoint(mapping: MapNode, destination: Node, kind: 'kinesis' | 'dynamodb', tree: MapNode, problems: ProblemList): void {
  const service = /^arn:[^:]+:(sqs|sns|s3):/.exec(textAt(destination) ?? '')?.[1];
  const source = [nodeAt(mapping, ['aws', 'endpoint']), nodeAt(tree, ['aws', 'endpoints', kind])].find((node) => isSet(node));
  const url = textAt(source) ?? '';
  if (service === undefined || !URL.canParse(url) || AWS_HOST.test(new URL(url).hostname)) return;
  if (isSet(nodeAt(tree, ['aws', 'endpoints', service])) || isSet(nodeAt(tree, ['aws', 'endpoint']))) return;
  problems.warn(destination, 'destination-at-aws', `the stream is at ${url}, but what is given up would go to AWS itself`, {
    help: `set aws.endpoints.${service}, or aws.endpoint for all services`,
  });
}

/** What mappings that are fine each by itself do to each other, and to the memory of a poller. */
export function adviseStreams(tree: MapNode, resolved: ReadonlyMap<string, ResolvedMapping>, problems: ProblemList): void {
  const readers = new Map<string, string[]>();
  for (const [name, { kind }] of resolved) {
    const mapping = mappingAt(tree, name);
    const arn = textAt(mapping, 'EventSourceArn');
    if (kind === 'sqs' || mapping === undefined || arn === undefined || textAt(mapping, 'Enabled') === 'false') continue;
    if (textAt(mapping, 'kinesis', 'consumer') === 'enhanced-fan-out' && !isConsumerArn(arn)) continue;
    const names = [...(readers.get(arn) ?? []), name];
    readers.set(arn, names);
    const node = nodeAt(mapping, ['EventSourceArn']);
    if (node === undefined || names.length === 1) continue;
    if (isConsumerArn(arn)) {
      problems.warn(
        node,
        'shared-consumer',
        `mapping "${names[0]}" reads by the same consumer: they would take the shards from each other`,
        {
          help: 'register a consumer for each mapping',
        },
      );
    } else if (names.length === ADVISED_READERS[kind] + 1) {
      const limit = kind === 'kinesis' ? 'Kinesis answers five reads a second' : 'DynamoDB advises two readers';
      problems.notice(node, 'many-readers', `${names.length} mappings poll each shard of this stream, where ${limit} for each shard`, {
        help:
          kind === 'kinesis'
            ? 'they share the reads and get slower; enhanced fan-out (kinesis.consumer) gives a mapping its own'
            : 'they may be throttled and get slower',
      });
    }
  }
  const isPolled = [...resolved.values()].some(({ kind }) => kind === 'kinesis');
  if (isPolled) adviseBuffer(tree, problems);
}

function adviseBuffer(tree: MapNode, problems: ProblemList): void {
  const node = nodeAt(tree, ['limits', 'bufferedBytes']);
  const bytes = parseSize(textAt(node) ?? '');
  if (node === undefined || bytes === undefined || bytes >= LARGEST_PAGE_MEMORY_MIB * 1024 ** 2) return;
  problems.warn(
    node,
    'small-buffer',
    `one read of a Kinesis shard may take ${LARGEST_PAGE_MEMORY_MIB}MiB; nothing else is read meanwhile`,
    {
      help: `a page has up to ${LARGEST_PAGE_MIB} MiB of data; raise limits.bufferedBytes if records are large`,
    },
  );
}
