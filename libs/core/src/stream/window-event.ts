import type { WindowCall } from './tumbling-window.ts';

const HEAD = '{"Records":[';
/** How an event without a window ends; batch limits count it. */
const PLAIN_TAIL_BYTES = ']}'.length;

/** Where a window's records come from, as the event names it. */
export interface WindowSource {
  readonly shardId: string;
  /** ARN of the stream; of the consumer where the mapping reads with enhanced fan-out. */
  readonly eventSourceARN: string;
}

const encoder = new TextEncoder();

/**
 * The event of a windowed mapping as UTF-8 bytes. Members and their order are those of AWS's own events as they were recorded:
 * `Records`, `shardId`, `eventSourceARN`, `window`, `state`, `isFinalInvokeForWindow`, `isWindowTerminatedEarly`.
 * @param recordJsons none for the last call of a window
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-windows.html
 */
export function encodeWindowEvent(recordJsons: readonly string[], source: WindowSource, call: WindowCall): Uint8Array {
  return encoder.encode(HEAD + recordJsons.join(',') + tailOf(source, call, call.state.json));
}

/**
 * UTF-8 bytes that the window adds to the event `{"Records":[…]}`. A batch of a window has room for as much less than Lambda's
 * limit, and so has the largest record that may be invoked alone. The room is that of the state which goes along: batches are cut
 * when the lane is free, not before.
 */
export function windowBytes(source: WindowSource, call: WindowCall): number {
  return encoder.encode(tailOf(source, call, '')).length + call.state.bytes - PLAIN_TAIL_BYTES;
}

function tailOf({ shardId, eventSourceARN }: WindowSource, call: WindowCall, state: string): string {
  const times = `{"start":"${wholeSeconds(call.startMs)}","end":"${wholeSeconds(call.endMs)}"}`;
  const flags = `"isFinalInvokeForWindow":${call.isFinalInvokeForWindow},"isWindowTerminatedEarly":${call.isWindowTerminatedEarly}`;
  const from = `"shardId":${JSON.stringify(shardId)},"eventSourceARN":${JSON.stringify(eventSourceARN)}`;
  return `],${from},"window":${times},"state":${state},${flags}}`;
}

/** `2026-09-17T14:11:10Z`; windows begin and end with a second. */
function wholeSeconds(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length)}Z`;
}
