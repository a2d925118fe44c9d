import type { StreamMapping } from '@wherry/core/mapping';
import { isMap, isScalar, isSeq, LineCounter, parseDocument, stringify, type Node as YamlNode } from 'yaml';
import type { LoadedConfig } from './load.ts';
import type { Node } from './node.ts';
import { nodeAt } from './node.ts';
import { formatSize } from './quantity.ts';
import { isSecretPath, maskUrl } from './secret-names.ts';

/** How `printConfig` writes. */
export interface PrintOptions {
  /** Add to each line where its value was written: `# file:line`, or `# default`. */
  readonly origin?: boolean;
}

/** The effective configuration as YAML: includes merged, mappings in their plain form, defaults filled in, secrets as `***`. */
export function printConfig(loaded: LoadedConfig, options: PrintOptions = {}): string {
  const values = effectiveValues(loaded);
  const text = stringify(masked(values, []), { lineWidth: 0, aliasDuplicateObjects: false });
  return options.origin === true ? withOrigins(text, loaded.tree) : text;
}

/** The validated values with the defaults that are only known once everything is read, such as a mapping's BatchSize. */
function effectiveValues(loaded: LoadedConfig): object {
  const { include: _include, resources: _resources, $schema: _schema, ...values } = loaded.values;
  const { config } = loaded;
  const mappings = Object.entries(values.mappings).map(([name, mapping]) => {
    const built = config.mappings.get(name);
    const { batchSize: BatchSize, maximumBatchingWindowInSeconds: MaximumBatchingWindowInSeconds } = built ?? {};
    const FilterCriteria = mapping.FilterCriteria && exactCriteria(mapping.FilterCriteria, built?.filterPatterns ?? []);
    const ofStream = built === undefined || built.source === 'sqs' ? {} : streamValues(built);
    return [name, { ...mapping, FilterCriteria, Enabled: built?.enabled, BatchSize, MaximumBatchingWindowInSeconds, ...ofStream }];
  });
  return {
    ...values,
    fleet: { ...values.fleet, region: config.fleet.region },
    redis: { ...(config.redis.url === undefined ? {} : { url: config.redis.url }), ...values.redis },
    aws: { ...values.aws, maxAttempts: values.aws.maxAttempts ?? 5 },
    limits: { ...values.limits, bufferedBytes: values.limits.bufferedBytes ?? formatSize(config.limits.bufferedBytes) },
    mappings: Object.fromEntries(mappings),
  };
}

/** What a stream mapping has by default, or said. What becomes of refused failure records matters only where any are sent. */
function streamValues(mapping: StreamMapping): object {
  return {
    ParallelizationFactor: mapping.parallelizationFactor,
    BisectBatchOnFunctionError: mapping.bisectBatchOnFunctionError,
    MaximumRetryAttempts: mapping.maximumRetryAttempts,
    MaximumRecordAgeInSeconds: mapping.maximumRecordAgeInSeconds,
    TumblingWindowInSeconds: mapping.tumblingWindowInSeconds,
    onCheckpointLoss: mapping.onCheckpointLoss,
    ...(mapping.onFailure === undefined ? {} : { onDestinationFailure: mapping.onDestinationFailure }),
  };
}

interface Criteria {
  readonly Filters?: readonly { readonly Pattern: unknown }[] | undefined;
}

/** A pattern written as YAML becomes its JSON text where its values would not give it back: a 19-digit id is no double. */
function exactCriteria(criteria: Criteria, texts: readonly string[]): Criteria {
  if (criteria.Filters === undefined) return criteria;
  const filters = criteria.Filters.map((filter, index) => {
    const isExact = typeof filter.Pattern === 'string' || JSON.stringify(filter.Pattern) === texts[index];
    return isExact ? filter : { ...filter, Pattern: texts[index] };
  });
  return { ...criteria, Filters: filters };
}

function masked(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => masked(item, [...path, String(index)]));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, masked(member, [...path, key])]));
  }
  if (typeof value !== 'string') return value;
  return isSecretPath(path) && value !== '' ? '***' : maskUrl(value);
}

function withOrigins(text: string, tree: Node): string {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const origins = new Map<number, string>();
  collect(document.contents, [], tree, counter, origins);
  const lines = text.split('\n');
  const width = Math.min(80, Math.max(...lines.map((line) => line.length)));
  return lines.map((line, index) => (origins.has(index + 1) ? `${line.padEnd(width)}  # ${origins.get(index + 1)}` : line)).join('\n');
}

/** Notes for each line of the printed text the place of the value that starts there; the outermost one wins. */
function collect(yaml: YamlNode | null, path: readonly string[], tree: Node, counter: LineCounter, origins: Map<number, string>): void {
  const note = (offset: number, at: readonly string[], isKey: boolean): void => {
    const { line } = counter.linePos(offset);
    if (!origins.has(line)) origins.set(line, originOf(tree, at, isKey));
  };
  if (isMap(yaml)) {
    for (const pair of yaml.items) {
      if (!isScalar(pair.key)) continue;
      const at = [...path, String(pair.key.value)];
      note(pair.key.range?.[0] ?? 0, at, true);
      collect(pair.value as YamlNode | null, at, tree, counter, origins);
    }
  } else if (isSeq(yaml)) {
    for (const [index, item] of yaml.items.entries()) {
      const at = [...path, String(index)];
      note((item as YamlNode).range?.[0] ?? 0, at, false);
      collect(item as YamlNode, at, tree, counter, origins);
    }
  }
}

function originOf(tree: Node, path: readonly string[], isKey: boolean): string {
  const parent = isKey ? nodeAt(tree, path.slice(0, -1)) : undefined;
  const entry = parent?.kind === 'map' ? parent.entries.get(path.at(-1) ?? '') : undefined;
  const place = isKey ? entry?.key.place : nodeAt(tree, path)?.place;
  return place === undefined ? 'default' : `${place.file.name}:${place.file.position(place.start).line}`;
}
