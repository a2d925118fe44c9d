import type { AttributeValue } from '@aws-sdk/client-dynamodb-streams';

/**
 * An item as it stands in DynamoDB's JSON, from the SDK's form of it: bytes (`B`, `BS`) become base64 again, at any depth;
 * numbers are texts in both.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_AttributeValue.html
 */
export function toPlainItem(item: Readonly<Record<string, AttributeValue>>): Record<string, unknown> {
  // Not by assignment: an attribute may be called __proto__.
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, toPlainValue(value)]));
}

function toPlainValue(value: AttributeValue): unknown {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.M !== undefined) return { M: toPlainItem(value.M) };
  if (value.L !== undefined) return { L: value.L.map(toPlainValue) };
  // A type that this version of the SDK has not heard of.
  if (value.$unknown !== undefined) return { [value.$unknown[0]]: value.$unknown[1] as unknown };
  return value;
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
