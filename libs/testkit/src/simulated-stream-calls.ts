import type { Random } from '@wherry/core/clock';
import type { ShardPosition, StreamRecord, StreamShard } from '@wherry/core/stream-source';
import type { StreamIdentity } from '@wherry/core/stream/stream-identity';
import type { SimClock } from './sim-clock.ts';
import { SimulatedServiceError, type SimulatedStream } from './simulated-stream.ts';
import type { SimulatedProcess } from './simulation-process.ts';

/** The calls of a stream's service. */
export type StreamCall = 'describe' | 'listShards' | 'getShardIterator' | 'getRecords';

/**
 * What befalls one call. `hang`: no answer until the client gives up. `lost`: the service does it, the answer is lost. Anything
 * else is the name of the error that the service answers.
 */
export type CallFault = 'none' | 'hang' | 'lost' | (string & {});

/** The way of one process to one stream. */
export interface StreamLink {
  readonly sim: SimClock;
  readonly random: Random;
  readonly process: SimulatedProcess;
  /** Typical one-way latency; calls draw from [0.2, 1] of it. */
  readonly latencyMs: number;
  readonly fault: (call: StreamCall) => CallFault;
}

/** The service's calls as a client sees them: they take time, and throw what an SDK throws. */
export interface SimulatedStreamCalls {
  readonly recordsPerCall: number;
  readonly hasTimestamps: boolean;
  identity(signal: AbortSignal): Promise<StreamIdentity>;
  listShards(
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly shards: readonly StreamShard[]; readonly continueAfter?: string }>;
  getShardIterator(shardId: string, position: ShardPosition, signal: AbortSignal): Promise<string>;
  getRecords(
    shardId: string,
    shardIterator: string,
    limit: number,
    signal: AbortSignal,
  ): Promise<{
    readonly records: readonly StreamRecord[];
    readonly nextShardIterator?: string;
    readonly childShards?: readonly StreamShard[];
    readonly behindMs?: number;
  }>;
}

/** After how long a client gives a call up that gets no answer, as the poller's own clients do. */
const CLIENT_TIMEOUT_MS = 30_000;
/** One call in a hundred takes up to 25 times as long. */
const SLOW_CALL = { share: 0.01, factor: 25 } as const;

/** How one process reaches a stream. What was sent arrives even if its sender was killed since; a killed process hears nothing. */
export function callSimulatedStream(stream: SimulatedStream, link: StreamLink): SimulatedStreamCalls {
  const call = <Answer>(name: StreamCall, signal: AbortSignal, serve: () => Answer): Promise<Answer> =>
    roundTrip(link, name, signal, serve);
  return {
    recordsPerCall: stream.options.recordsPerCall,
    hasTimestamps: stream.options.kind === 'kinesis',
    identity: (signal) => call('describe', signal, () => stream.identity),
    listShards: (after, signal) => call('listShards', signal, () => stream.listShards(after)),
    getShardIterator: (shardId, position, signal) => call('getShardIterator', signal, () => stream.getShardIterator(shardId, position)),
    getRecords: (_shardId, shardIterator, limit, signal) => call('getRecords', signal, () => stream.getRecords(shardIterator, limit)),
  };
}

async function roundTrip<Answer>(link: StreamLink, name: StreamCall, signal: AbortSignal, serve: () => Answer): Promise<Answer> {
  const { sim, process } = link;
  const fault = link.fault(name);
  const wait = async (ms: number): Promise<void> => {
    await sim.sleep(ms, signal);
    await process.pass();
    if (signal.aborted) throw new SimulatedServiceError('AbortError', `${name} was aborted`);
  };
  if (fault === 'hang') {
    await wait(CLIENT_TIMEOUT_MS);
    throw new SimulatedServiceError('TimeoutError', `${name}: no answer`);
  }
  await wait(drawLatency(link));
  if (fault !== 'none' && fault !== 'lost') {
    await wait(drawLatency(link));
    throw new SimulatedServiceError(fault, `${name}: ${fault}`);
  }
  let answer: { readonly value: Answer } | { readonly error: unknown };
  try {
    answer = { value: serve() };
  } catch (error) {
    answer = { error };
  }
  await wait(fault === 'lost' ? CLIENT_TIMEOUT_MS : drawLatency(link));
  if (fault === 'lost') throw new SimulatedServiceError('TimeoutError', `${name}: no answer`);
  if ('error' in answer) throw answer.error;
  return answer.value;
}

function drawLatency({ random, latencyMs }: StreamLink): number {
  const typical = latencyMs * (0.2 + 0.8 * random());
  return random() < SLOW_CALL.share ? typical * (1 + (SLOW_CALL.factor - 1) * random()) : typical;
}
