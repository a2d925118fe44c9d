import { AWS_HOST } from './aws-host.ts';
import { checkConsumer } from './consumer-rules.ts';
import { checkDestination } from './destination-rules.ts';
import type { SourceKind } from './event-source-arn.ts';
import { parseEventSourceArn } from './event-source-arn.ts';
import { filterPatterns } from './filter-patterns.ts';
import type { FunctionReference } from './function-name.ts';
import { parseFunctionName } from './function-name.ts';
import { mappingUuid } from './identity.ts';
import { mappingAt } from './mapping-forms.ts';
import type { MapNode } from './node.ts';
import { entriesAt, entryOf, isSet, mapAt, nodeAt, numberAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';
import { APPLIES_TO } from './schema-mapping.ts';
import { checkQueueRules } from './queue-rules.ts';
import { adviseStream, adviseStreams } from './stream-advice.ts';
import { checkStreamRules } from './stream-rules.ts';

/** What reading a mapping's ARN, function and filters came to; only whole when there were no errors. */
export interface ResolvedMapping {
  readonly kind: SourceKind;
  readonly region: string;
  readonly fifo: boolean;
  readonly function: FunctionReference;
  readonly filterPatterns: readonly string[];
}

const SOURCE_NAMES: Readonly<Record<SourceKind, string>> = { sqs: 'SQS', kinesis: 'Kinesis', dynamodb: 'DynamoDB' };

/**
 * The rules between the fields of mappings, and between mappings, which a schema cannot state. They look at the tree, not at
 * validated values, so that they speak up even while other fields are wrong.
 *
 * @param nowMs the present, for times that must not lie in the future
 */
export function checkMappings(tree: MapNode, nowMs: number, problems: ProblemList): Map<string, ResolvedMapping> {
  const resolved = new Map<string, ResolvedMapping>();
  const seen = new Map<string, { name: string; node: MapNode }>();
  const region = textAt(tree, 'aws', 'region') ?? textAt(tree, 'fleet', 'region') ?? 'us-east-1';
  for (const [name] of entriesAt(tree, 'mappings')) {
    const mapping = mappingAt(tree, name);
    if (mapping === undefined) continue;
    const patterns = filterPatterns(mapping, numberAt(tree, 'limits', 'filtersPerMapping'), problems);
    const reference = checkFunctionName(mapping, tree, problems);
    checkAccepted(mapping, problems);
    const arn = nodeAt(mapping, ['EventSourceArn']);
    const text = textAt(mapping, 'EventSourceArn');
    if (arn === undefined || text === undefined) continue;
    const source = parseEventSourceArn(text, region);
    if (!source.ok) {
      problems.error(arn, 'bad-arn', source.message, { help: source.help, awsMessage: 'Unrecognized event source.' });
      continue;
    }
    checkKind(mapping, source.kind, problems);
    checkRegion(mapping, tree, source, problems);
    if (source.kind === 'sqs') {
      checkQueueRules(mapping, source.fifo, problems);
    } else {
      checkStreamRules(mapping, source.kind, text, nowMs, problems);
      if (source.kind === 'kinesis') checkConsumer(mapping, text, problems);
      checkDestination(mapping, 'OnFailure', 'stream', tree, problems, reference?.name);
      checkDestination(mapping, 'OnSuccess', 'stream', tree, problems);
      adviseStream(mapping, source.kind, tree, problems);
    }
    if (reference === undefined) continue;
    checkDuplicate(name, mapping, text, reference, source.kind, seen, textAt(tree, 'fleet', 'id') ?? 'default', problems);
    resolved.set(name, { ...source, function: reference, filterPatterns: patterns });
  }
  adviseStreams(tree, resolved, problems);
  return resolved;
}

function checkFunctionName(mapping: MapNode, tree: MapNode, problems: ProblemList): FunctionReference | undefined {
  const node = nodeAt(mapping, ['FunctionName']);
  const text = textAt(mapping, 'FunctionName');
  if (node === undefined || text === undefined || text === '') return undefined;
  const reference = parseFunctionName(text);
  if (reference === undefined) {
    problems.error(node, 'bad-function-name', `expected a function's name, name:alias or ARN, got "${text}"`);
    return undefined;
  }
  const functions = mapAt(tree, 'functions')?.entries;
  if (functions?.has(reference.name) !== true) {
    const nearest = problems.nearest(reference.name, [...(functions?.keys() ?? [])]);
    const help = nearest === undefined ? `add it under functions:` : `did you mean "${nearest}"?`;
    problems.error(node, 'unknown-function', `no function is called "${reference.name}"`, { help, awsMessage: 'Function does not exist' });
    return undefined;
  }
  const aliases = entriesAt(tree, 'functions', reference.name, 'aliases').map(([name]) => name);
  if (reference.qualifier !== undefined && !aliases.includes(reference.qualifier)) {
    const nearest = problems.nearest(reference.qualifier, aliases);
    const help =
      nearest === undefined ? `declare it: functions.${reference.name}.aliases.${reference.qualifier}` : `did you mean "${nearest}"?`;
    const message = `function "${reference.name}" has no alias "${reference.qualifier}"`;
    problems.error(node, 'unknown-alias', message, { help, awsMessage: 'Function does not exist' });
    return undefined;
  }
  return reference;
}

/** Fields of Lambda that change nothing here are named, never passed over in silence. */
function checkAccepted(mapping: MapNode, problems: ProblemList): void {
  for (const name of ['KMSKeyArn', 'KmsKeyArn']) {
    const entry = entryOf(mapping, name);
    if (isSet(entry?.value) && entry)
      problems.notice(entry.key, 'no-effect', `${name} has no effect: nothing of a mapping is stored at rest`);
  }
  const metrics = entryOf(mapping, 'MetricsConfig');
  if (isSet(metrics?.value) && metrics)
    problems.notice(metrics.key, 'no-effect', 'MetricsConfig has no effect: event counts are always on');
}

function checkKind(mapping: MapNode, kind: SourceKind, problems: ProblemList): void {
  const type = nodeAt(mapping, ['Type']);
  const text = textAt(mapping, 'Type');
  if (type !== undefined && text !== undefined && text !== SOURCE_NAMES[kind]) {
    problems.error(type, 'type-mismatch', `Type is ${text}, but EventSourceArn is of ${SOURCE_NAMES[kind]}`);
  }
  for (const [field, kinds] of APPLIES_TO) {
    const entry = entryOf(mapping, field);
    // An empty container clears a setting in Lambda and is accepted wherever it stands.
    if (entry === undefined || !isSet(entry.value) || kinds.includes(kind)) continue;
    const names = kinds.map((name) => SOURCE_NAMES[name as SourceKind]).join(' and ');
    problems.error(entry.key, 'not-applicable', `${field} does not apply to ${SOURCE_NAMES[kind]}`, {
      help: `it is for ${names}; remove it`,
    });
  }
}

/**
 * Calls for a source are signed for the region of its ARN, and AWS refuses a signature for another region than the one that it
 * arrives in. `aws.region` is the default of everything that has no region of its own, and may differ.
 */
function checkRegion(mapping: MapNode, tree: MapNode, { kind, region }: { kind: SourceKind; region: string }, problems: ProblemList): void {
  const own = nodeAt(mapping, ['aws', 'region']);
  const asked = textAt(own);
  if (own !== undefined && asked !== undefined && asked !== region) {
    problems.warn(own, 'other-region', `aws.region ${asked} has no effect: EventSourceArn is in ${region}, and calls go there`, {
      help: 'remove it, or correct the ARN',
    });
  }
  const endpoint = [nodeAt(mapping, ['aws', 'endpoint']), nodeAt(tree, ['aws', 'endpoints', kind]), nodeAt(tree, ['aws', 'endpoint'])].find(
    (node) => isSet(node),
  );
  const url = textAt(endpoint) ?? '';
  const found = URL.canParse(url) ? AWS_HOST.exec(new URL(url).hostname)?.[1] : undefined;
  const arn = nodeAt(mapping, ['EventSourceArn']);
  if (endpoint === undefined || arn === undefined || found === undefined || found === region) return;
  const { file, start } = endpoint.place;
  problems.warn(arn, 'other-region', `the source is in ${region}, but its endpoint is in ${found}: AWS will refuse the signature`, {
    help: `give the mapping an aws.endpoint in ${region}, or remove the one at ${file.name}:${file.position(start).line}`,
  });
}

/**
 * Lambda's identity of a mapping is the source together with the qualified function, so that a function and its alias may both
 * read one queue. The texts are recorded from the service (409 ResourceConflictException, spaces inside the quotes included).
 */
function checkDuplicate(
  name: string,
  mapping: MapNode,
  arn: string,
  reference: FunctionReference,
  kind: SourceKind,
  seen: Map<string, { name: string; node: MapNode }>,
  fleetId: string,
  problems: ProblemList,
): void {
  const identity = JSON.stringify([arn, reference.name, reference.qualifier]);
  const first = seen.get(identity);
  if (first === undefined) {
    seen.set(identity, { name, node: mapping });
    return;
  }
  const { file, start } = first.node.keyPlace ?? first.node.place;
  const at = file.position(start);
  const what =
    kind === 'sqs'
      ? `An event source mapping with SQS arn (" ${arn} ") and function (" ${reference.name} ") already exists.`
      : `The event source arn (" ${arn} ") and function (" ${reference.name} ") provided mapping already exists.`;
  const uuid = mappingUuid(fleetId, textAt(first.node, 'renamedFrom') ?? first.name);
  const node = nodeAt(mapping, ['EventSourceArn']) ?? mapAt(mapping) ?? mapping;
  problems.error(node, 'duplicate-mapping', `mapping "${first.name}" has the same source and function`, {
    help: `first at ${file.name}:${at.line}:${at.column}; remove one of them`,
    awsMessage: `${what} Please update or delete the existing mapping with UUID ${uuid}`,
  });
}
