import { describe, expect, it } from 'vitest';
import { EVENT_BYTES_MAX, encodeEvent } from '../batch.ts';
import { batchCall, finalCall, type OpenWindow } from './tumbling-window.ts';
import { encodeWindowEvent, windowBytes } from './window-event.ts';

const source = { shardId: 'shardId-000000000000', eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/clicks' };
const startMs = Date.UTC(2026, 8, 17, 14, 11, 10);
const window: OpenWindow = { startMs, endMs: startMs + 10_000, state: { json: '{"count":7}', bytes: 11 } };
const text = (event: Uint8Array): string => new TextDecoder().decode(event);

describe('the event of a windowed mapping', () => {
  it('of a last call is that of AWS, member by member', () => {
    expect(text(encodeWindowEvent([], source, finalCall(window)))).toBe(
      '{"Records":[],"shardId":"shardId-000000000000","eventSourceARN":"arn:aws:kinesis:us-east-1:000000000000:stream/clicks",' +
        '"window":{"start":"2026-09-17T14:11:10Z","end":"2026-09-17T14:11:20Z"},' +
        '"state":{"count":7},"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":false}',
    );
  });

  it('of a batch has its records as they are', () => {
    const event = text(encodeWindowEvent(['{"a":1.0}', '{"b":"ü"}'], source, batchCall(window)));
    expect(event.startsWith('{"Records":[{"a":1.0},{"b":"ü"}],"shardId":')).toBe(true);
    expect(event.endsWith('"state":{"count":7},"isFinalInvokeForWindow":false,"isWindowTerminatedEarly":false}')).toBe(true);
    expect(Object.keys(JSON.parse(event) as object)).toEqual([
      'Records',
      'shardId',
      'eventSourceARN',
      'window',
      'state',
      'isFinalInvokeForWindow',
      'isWindowTerminatedEarly',
    ]);
  });

  it('of an early last call has both flags', () => {
    const call = { ...window, isFinalInvokeForWindow: true, isWindowTerminatedEarly: true };
    expect(text(encodeWindowEvent([], source, call)).endsWith('"isFinalInvokeForWindow":true,"isWindowTerminatedEarly":true}')).toBe(true);
  });

  it.each([
    ['{}', 2],
    ['{"ü":"€"}', 12],
  ])('is as much larger than a plain event as windowBytes says, with the state %s', (json, bytes) => {
    const call = batchCall({ ...window, state: { json, bytes } });
    const records = ['{"n":1}', '{"n":"ß"}'];
    expect(encodeWindowEvent(records, source, call).length).toBe(encodeEvent(records).length + windowBytes(source, call));
  });

  it('fits into an invocation when the batch was cut to the room that is left', () => {
    const json = `{"a":"${'x'.repeat(1_000_000)}"}`;
    const call = batchCall({ ...window, state: { json, bytes: json.length } });
    const room = EVENT_BYTES_MAX - windowBytes(source, call) - '{"Records":[]}'.length;
    expect(encodeWindowEvent([`"${'y'.repeat(room - 2)}"`], source, call).length).toBe(EVENT_BYTES_MAX);
  });
});
