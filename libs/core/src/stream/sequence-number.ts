/**
 * Sequence numbers of Kinesis and DynamoDB Streams: decimal digits far beyond 2^53. They are compared by length and then by
 * bytes, here and in the lease store alike, which is the numeric order because a source never varies leading zeros within a
 * shard. Turning each into a BigInt would give the same answer at many times the cost.
 *
 * @returns below 0 if `a` comes first, above 0 if `b` does, 0 if they are the same
 */
export function compareSequenceNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** Whether a text can be a sequence number at all: decimal digits and nothing else. */
export function isSequenceNumber(text: string): boolean {
  return /^\d+$/.test(text);
}
