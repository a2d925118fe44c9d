import { stableHash } from '../stable-hash.ts';
import type { StartingPosition } from './starting-set.ts';

/** What tells a stream from a later one of the same name. */
export interface StreamIdentity {
  readonly arn: string;
  /**
   * Kinesis: `StreamCreationTimestamp`, epoch milliseconds, because a stream that is deleted and created again has the same ARN
   * and the same shard ids. DynamoDB: `undefined`, its ARN carries the time at which the stream was enabled.
   */
  readonly createdAtMs: number | undefined;
}

/**
 * Short name of a stream within its mapping: part of the keys of its register and of its leases, so that a stream that is
 * created again finds no checkpoint of its predecessor. Never change it: every checkpoint would be lost.
 *
 * @returns 8 hexadecimal digits
 */
export function streamKey({ arn, createdAtMs }: StreamIdentity): string {
  return stableHash(`${arn} ${createdAtMs ?? ''}`)
    .toString(16)
    .padStart(8, '0');
}

/**
 * Whether a mapping with this `EventSourceArn` reads this stream; a consumer's ARN begins with that of its stream. While a deployment
 * rolls, pollers may name different streams for one mapping, and none of them may read the other's shards.
 */
export function isSourceOf(stream: StreamIdentity, eventSourceArn: string): boolean {
  return eventSourceArn === stream.arn || eventSourceArn.startsWith(`${stream.arn}/consumer/`);
}

/** The lease unit of a shard. Shard ids consist of letters, digits, dots, dashes and underscores. */
export function shardUnitId(mappingUuid: string, key: string, shardId: string): string {
  return `shard-${mappingUuid}-${key}-${shardId}`;
}

/**
 * The starting position that counts at the first look at a stream.
 *
 * A stream that was deleted and created again under the same ARN is read from its oldest record: all of it came after what the
 * mapping has read, so beginning anywhere else would skip records nobody chose to skip. Another ARN was chosen in the
 * configuration, and the mapping's `StartingPosition` with it.
 *
 * @param before the stream that this mapping read before, if any
 */
export function startingPositionAt(current: StreamIdentity, before: StreamIdentity | undefined, start: StartingPosition): StartingPosition {
  const isCreatedAgain = before !== undefined && before.arn === current.arn && before.createdAtMs !== current.createdAtMs;
  return isCreatedAgain ? { kind: 'TRIM_HORIZON' } : start;
}
