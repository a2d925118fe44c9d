/** What a lease is about, as its id says it. */
export type UnitName =
  /** A slot of a queue mapping: `sqs-<mapping uuid>-<number>`. */
  | { readonly kind: 'slot'; readonly mapping: string }
  /** A shard of a stream mapping: `shard-<mapping uuid>-<stream key>-<shard id>`. */
  | { readonly kind: 'shard'; readonly mapping: string; readonly streamKey: string; readonly shardId: string }
  /** The chore of looking after a stream mapping's shards: `discover-<mapping uuid>`. */
  | { readonly kind: 'discovery'; readonly mapping: string };

const UUID_LENGTH = 36;
const STREAM_KEY_LENGTH = 8;

/** The lease unit of a stream mapping's chore: whoever holds it lists the stream and keeps rows and register. */
export function discoveryUnitId(mappingUuid: string): string {
  return `discover-${mappingUuid}`;
}

/** Reads the id of a lease unit. @returns `undefined` for an id that names nothing this version knows */
export function readUnitId(id: string): UnitName | undefined {
  const prefix = id.slice(0, id.indexOf('-') + 1);
  const mapping = id.slice(prefix.length, prefix.length + UUID_LENGTH);
  const rest = id.slice(prefix.length + UUID_LENGTH + 1);
  if (mapping.length < UUID_LENGTH) return undefined;
  switch (prefix) {
    case 'sqs-':
      return { kind: 'slot', mapping };
    case 'discover-':
      return { kind: 'discovery', mapping };
    case 'shard-':
      return { kind: 'shard', mapping, streamKey: rest.slice(0, STREAM_KEY_LENGTH), shardId: rest.slice(STREAM_KEY_LENGTH + 1) };
    default:
      return undefined;
  }
}
