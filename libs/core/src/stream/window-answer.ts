import { EVENT_BYTES_MAX } from '../batch.ts';
import type { InvokeResult } from '../invoke.ts';
import { brokenAnswer, judgeInvocation, type StreamVerdict } from './stream-verdict.ts';
import type { WindowState } from './tumbling-window.ts';

/** What of an event is not the state, at most; the state that fits beside it can be handed to the last call of its window. */
const EVENT_AROUND_STATE_BYTES = 4_096;
const RETURNABLE_STATE_BYTES_MAX = EVENT_BYTES_MAX - EVENT_AROUND_STATE_BYTES;

const decoder = new TextDecoder();

/** What an invocation with a window came to. */
export interface WindowJudgement {
  readonly verdict: StreamVerdict;
  /**
   * The state from here on. Absent where nothing of the batch is done: its repeat gets the state that this attempt got. After a
   * partial success it stands for the records before the first that failed, and the rest of the batch begins with it.
   */
  readonly state?: WindowState;
}

/**
 * Sorts the result of an invocation with a window, as `judgeInvocation` does without one. Every answer has to be an object whose
 * `state` is an object, that of a window's last call too; without one the invocation has failed as a whole, whatever
 * `batchItemFailures` says.
 *
 * @param sequenceNumbers of the batch's records, in order; none for the last call of a window
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
export function judgeWindowCall(
  result: InvokeResult,
  sequenceNumbers: readonly string[],
  reportBatchItemFailures: boolean,
): WindowJudgement {
  if (result.kind !== 'success') return { verdict: judgeInvocation(result, sequenceNumbers, reportBatchItemFailures) };
  const state = readState(result.body);
  if (typeof state === 'string') return { verdict: brokenAnswer(result, sequenceNumbers.length, `malformed window response: ${state}`) };
  const verdict = judgeInvocation(result, sequenceNumbers, reportBatchItemFailures);
  const isProgress = verdict.kind === 'succeeded' || (verdict.kind === 'failed' && verdict.failedFrom > 0);
  return isProgress ? { verdict, state } : { verdict };
}

/** @returns the state, or why there is none */
function readState(body: Uint8Array): WindowState | string {
  const text = decoder.decode(body);
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return 'the answer is not JSON';
  }
  if (!isObject(answer)) return 'the answer is not a JSON object';
  if (!Object.hasOwn(answer, 'state')) return 'the answer has no state';
  if (!isObject((answer as { readonly state?: unknown }).state)) return 'state is not a JSON object';
  const json = memberText(text, 'state');
  const bytes = new TextEncoder().encode(json).length;
  return bytes > RETURNABLE_STATE_BYTES_MAX ? `a state of ${bytes} bytes fits into no event` : { json, bytes };
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value of a member of a JSON object as it stands in the text, because parsing and printing it again would round long numbers.
 * Of a key that is written twice the last one counts, as it does for `JSON.parse`.
 * @param json known to be a valid JSON object with that member
 */
function memberText(json: string, name: string): string {
  let depth = 0;
  /** Key of the member that is being passed; the first string after a comma between members is the next one. */
  let key: string | undefined;
  let begin = 0;
  let found = '';
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]!;
    if (character === '"') {
      const end = endOfString(json, at);
      if (key === undefined) {
        key = JSON.parse(json.slice(at, end)) as string;
        begin = json.indexOf(':', end) + 1;
      }
      at = end - 1;
    } else if (character === '{' || character === '[') {
      depth += 1;
    } else if (character === '}' || character === ']' || character === ',') {
      if (depth === 1) {
        if (key === name) found = json.slice(begin, at).trim();
        key = undefined;
      }
      if (character !== ',') depth -= 1;
    }
  }
  return found;
}

/** The place after the quote that closes the string which opens at `open`. */
function endOfString(json: string, open: number): number {
  let quote = open;
  for (;;) {
    quote = json.indexOf('"', quote + 1);
    let backslashes = 0;
    while (json[quote - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return quote + 1;
  }
}
