import { describe, expect, test } from 'vitest';
import { readFailedEvent } from './failed-event.ts';

const kinesis = (number: number): string =>
  `{"kinesis":{"data":"aGVsbG8=","sequenceNumber":"49660${number}","approximateArrivalTimestamp":1789649522.${number}00},"eventSource":"aws:kinesis"}`;
const dynamoDb = (number: number): string =>
  `{"eventID":"e${number}","dynamodb":{"NewImage":{"n":{"N":"12345678901234567890"}},"SequenceNumber":"1${number}","ApproximateCreationDateTime":1789649522.0}}`;
const WINDOW = '"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"}';

function plainEvent(numbers: readonly number[]): string {
  return `{"Records":[${numbers.map(dynamoDb).join(',')}]}`;
}

function windowEvent(records: string, state: string): string {
  return `{"Records":[${records}],${WINDOW},"state":${state},"isFinalInvokeForWindow":false}`;
}

describe('an event that was stored', () => {
  test.each([
    ['Kinesis', kinesis, '49660', [1_789_649_522_100, 1_789_649_522_200]],
    ['DynamoDB', dynamoDb, '1', [1_789_649_522_000, 1_789_649_522_000]],
  ])('of %s says which records it has', (_source, record, prefix, times) => {
    const { records, isWindowed } = readFailedEvent(`{"Records":[${record(1)},${record(2)}]}`);
    expect(records).toEqual([1, 2].map((number, index) => ({ sequenceNumber: `${prefix}${number}`, arrivedAtMs: times[index] })));
    expect(isWindowed).toBe(false);
  });

  test.each([
    [0, [1, 2, 3]],
    [1, [2, 3]],
    [2, [3]],
    [3, []],
  ])('without its first %i records is the same, byte for byte', (from, kept) => {
    const event = plainEvent([1, 2, 3]);
    expect(readFailedEvent(event).rest(from)).toBe(plainEvent(kept));
  });

  test('with a window goes on with the state that it is given, or its own', () => {
    const { rest, isWindowed } = readFailedEvent(windowEvent(`${kinesis(1)},${kinesis(2)}`, '{"sum":1}'));
    expect(isWindowed).toBe(true);
    expect(rest(1)).toBe(windowEvent(kinesis(2), '{"sum":1}'));
    expect(rest(1, { json: '{"sum":12345678901234567890}', bytes: 28 })).toBe(windowEvent(kinesis(2), '{"sum":12345678901234567890}'));
  });

  test('the state may stand before the records', () => {
    const { rest } = readFailedEvent(`{"state":{},${WINDOW},"Records":[${kinesis(1)},${kinesis(2)}]}`);
    expect(rest(1, { json: '{"a":1}', bytes: 7 })).toBe(`{"state":{"a":1},${WINDOW},"Records":[${kinesis(2)}]}`);
  });

  test("of a window's last call has no records", () => {
    expect(readFailedEvent(`{"Records":[],${WINDOW},"state":{}}`)).toMatchObject({ records: [], isWindowed: true });
  });

  test.each([
    ['', 'expected a value, but the text ends at offset 0'],
    ['[]', 'it is not a JSON object'],
    ['{"Records":{}}', 'it has no list of Records'],
    ['{"Records":[{"messageId":"1","body":""}]}', 'Records[0] has no SequenceNumber and ApproximateCreationDateTime'],
    ['{"Records":[{"kinesis":{"sequenceNumber":1}}]}', 'Records[0] has no sequenceNumber and approximateArrivalTimestamp'],
  ])('is not %j', (text, reason) => {
    expect(() => readFailedEvent(text)).toThrow(new TypeError(`not the event of a stream: ${reason}`));
  });
});
