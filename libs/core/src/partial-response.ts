/** What a function's answer says about the messages or records of its batch, where `ReportBatchItemFailures` is on. */
export type PartialResponse =
  | { readonly kind: 'allSucceeded' }
  /** These failed. Of a queue's messages the others are deleted; a stream begins again at the first of them. */
  | { readonly kind: 'someFailed'; readonly failedIds: ReadonlySet<string> }
  /** The answer names nothing usable: the whole batch failed. */
  | { readonly kind: 'malformed'; readonly reason: string };

const decoder = new TextDecoder();

/**
 * Reads `{"batchItemFailures":[{"itemIdentifier":"<message id or sequence number>"}]}`.
 *
 * - Nothing, `null`, `""`, `[]`, an object without the list, an empty list or `null` for the list: all succeeded.
 * - Anything else that is not an object, a list that is not a list, an entry without an `itemIdentifier`, or with one that is
 *   empty, not a string, or not in this batch: malformed, also when other entries are right. AWS acknowledges the whole batch
 *   for the entry `{}` alone; here it is malformed like `{"foo":"bar"}`, because acknowledging on an answer that cannot be
 *   understood loses messages.
 *
 * @param body the function's answer, UTF-8 JSON
 * @param ids of the batch: message ids of a queue, sequence numbers of a stream
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
 */
export function readPartialResponse(body: Uint8Array, ids: readonly string[]): PartialResponse {
  if (body.length === 0) return { kind: 'allSucceeded' };
  let answer: unknown;
  try {
    answer = JSON.parse(decoder.decode(body));
  } catch {
    return malformed('the answer is not JSON');
  }
  if (answer === null || answer === '' || (Array.isArray(answer) && answer.length === 0)) return { kind: 'allSucceeded' };
  if (typeof answer !== 'object' || Array.isArray(answer)) return malformed('the answer is not a JSON object');
  const failures = (answer as { readonly batchItemFailures?: unknown }).batchItemFailures;
  if (failures === undefined || failures === null) return { kind: 'allSucceeded' };
  if (!Array.isArray(failures)) return malformed('batchItemFailures is not a list');
  return readFailures(failures, ids);
}

function readFailures(failures: readonly unknown[], ids: readonly string[]): PartialResponse {
  const known = new Set(ids);
  const failedIds = new Set<string>();
  for (const [index, failure] of failures.entries()) {
    const id = typeof failure === 'object' && failure !== null ? (failure as { itemIdentifier?: unknown }).itemIdentifier : undefined;
    if (typeof id !== 'string' || id === '')
      return malformed(`batchItemFailures[${index}] has no itemIdentifier that is a non-empty string`);
    if (!known.has(id)) return malformed(`batchItemFailures[${index}].itemIdentifier is not an id of this batch`);
    failedIds.add(id);
  }
  return failedIds.size === 0 ? { kind: 'allSucceeded' } : { kind: 'someFailed', failedIds };
}

function malformed(reason: string): PartialResponse {
  return { kind: 'malformed', reason };
}
