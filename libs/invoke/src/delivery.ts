import type { Delivery, InvokeRequest } from '@wherry/core/invoke';

/** Lambda's limit of the encoded client context, see https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html. */
const MAX_CLIENT_CONTEXT_BYTES = 3_583;

/** An X-Ray header as any producer may have written it: printable ASCII, and far longer than the longest real one. */
const TRACE_ID = /^[\u0021-\u007e][\u0020-\u007e]{0,1023}$/;

/**
 * Headers that tell every target where an invocation comes from: `x-wherry-delivery` (the delivery as one line of JSON),
 * `x-amzn-requestid` and `x-amzn-trace-id`. A trace id that cannot stand in a header is left out: it was written by whoever
 * sent the message, and must not be able to make that message undeliverable.
 */
export function deliveryHeaders(request: InvokeRequest): Record<string, string> {
  return {
    'x-wherry-delivery': asciiJson(request.delivery),
    'x-amzn-requestid': request.requestId,
    ...(request.traceId !== undefined && TRACE_ID.test(request.traceId) ? { 'x-amzn-trace-id': request.traceId } : {}),
  };
}

/**
 * The header `x-amz-client-context` with the delivery under `custom.wherry`, where Lambda functions find it as
 * `context.clientContext`. Absent if the delivery is longer than Lambda takes: it is advice to the function, and not worth
 * an invocation that is refused.
 */
export function clientContextHeader(delivery: Delivery): Record<string, string> {
  const encoded = Buffer.from(asciiJson({ custom: { wherry: delivery } })).toString('base64');
  return encoded.length > MAX_CLIENT_CONTEXT_BYTES ? {} : { 'x-amz-client-context': encoded };
}

/** JSON in which everything beyond ASCII is escaped, so that names of any script fit into a header. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[\u007f-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
