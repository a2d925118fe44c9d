import { type JsonNode, type JsonObject, JsonTextError, parseJsonText } from '../event-pattern/json-text.ts';
import type { WindowState } from './tumbling-window.ts';

/** What a record of a stored event says about itself. */
export interface FailedEventRecord {
  readonly sequenceNumber: string;
  /** Epoch milliseconds. */
  readonly arrivedAtMs: number;
}

/** An event of a stream as it was stored, with its records in order. */
export interface FailedEvent {
  readonly records: readonly FailedEventRecord[];
  /** Its function answers with a `state`. */
  readonly isWindowed: boolean;
  /**
   * The event without its first records, every other byte as it was, for what remains of a batch of which the beginning is done.
   * @param from how many records to leave out
   * @param state of the window from here on, in place of the one that the event holds
   */
  readonly rest: (from: number, state?: WindowState) => string;
}

/** Splices what stands between two places of a text. */
interface Splice {
  readonly begin: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Reads the event of a batch that was given up, `{"Records":[…]}` of Kinesis or DynamoDB with or without a window.
 * @throws TypeError if it is none
 */
export function readFailedEvent(text: string): FailedEvent {
  const event = parseEvent(text);
  const list = member(event, 'Records');
  if (list?.kind !== 'list') throw new TypeError('not the event of a stream: it has no list of Records');
  const state = member(event, 'state');
  return {
    records: list.items.map(readRecord),
    isWindowed: member(event, 'window') !== undefined,
    rest: (from, next) => {
      const first = list.items[from];
      const kept = first === undefined ? '' : text.slice(first.offset, list.end - 1);
      const splices: Splice[] = [{ begin: list.offset + 1, end: list.end - 1, text: kept }];
      if (next !== undefined && state !== undefined) splices.push({ begin: state.offset, end: state.end, text: next.json });
      return splice(text, splices);
    },
  };
}

function parseEvent(text: string): JsonObject {
  try {
    const event = parseJsonText(text);
    if (event.kind === 'object') return event;
  } catch (error) {
    if (!(error instanceof JsonTextError)) throw error;
    throw new TypeError(`not the event of a stream: ${error.message} at offset ${error.offset}`, { cause: error });
  }
  throw new TypeError('not the event of a stream: it is not a JSON object');
}

function readRecord(record: JsonNode, index: number): FailedEventRecord {
  const kinesis = member(record, 'kinesis');
  const payload = kinesis ?? member(record, 'dynamodb');
  const [number, time] =
    kinesis === undefined ? ['SequenceNumber', 'ApproximateCreationDateTime'] : ['sequenceNumber', 'approximateArrivalTimestamp'];
  const sequenceNumber = member(payload, number);
  const arrived = member(payload, time);
  if (sequenceNumber?.kind !== 'string' || arrived?.kind !== 'number') {
    throw new TypeError(`not the event of a stream: Records[${index}] has no ${number} and ${time}`);
  }
  return { sequenceNumber: sequenceNumber.value, arrivedAtMs: Math.round(Number(arrived.text) * 1_000) };
}

/** The value of a key; of one that is written twice the last, as `JSON.parse` takes it. */
function member(node: JsonNode | undefined, key: string): JsonNode | undefined {
  return node?.kind === 'object' ? node.members.findLast((one) => one.key === key)?.value : undefined;
}

function splice(text: string, splices: readonly Splice[]): string {
  let result = '';
  let at = 0;
  for (const { begin, end, text: inserted } of splices.toSorted((one, other) => one.begin - other.begin)) {
    result += text.slice(at, begin) + inserted;
    at = end;
  }
  return result + text.slice(at);
}
