import { EventStreamCodec } from '@smithy/core/event-streams';

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString(),
  (text) => Buffer.from(text),
);

/** One message of `application/vnd.amazon.eventstream`, framed by the SDK's own codec: an event, or an exception that is modelled. */
export function eventFrame(kind: 'event' | 'exception', type: string, body: object): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: kind },
      [kind === 'event' ? ':event-type' : ':exception-type']: { type: 'string', value: type },
      ':content-type': { type: 'string', value: 'application/x-amz-json-1.1' },
    },
    body: Buffer.from(JSON.stringify(body)),
  });
}

/** A message of the kind `error`, which no model describes: a code and a text. */
export function errorFrame(code: string, message: string): Uint8Array {
  const headers = { ':message-type': 'error', ':error-code': code, ':error-message': message };
  const typed = Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]);
  return codec.encode({ headers: Object.fromEntries(typed), body: new Uint8Array() });
}
