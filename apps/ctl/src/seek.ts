import type { Surroundings } from '@wherry/core/clock';
import { StoreError } from '@wherry/core/coordination';
import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { planSeek, type SeekPlan, type SeekTarget } from '@wherry/core/stream/seek';
import { writePosition } from '@wherry/core/stream/stored-position';
import { shardUnitId, streamKey } from '@wherry/core/stream/stream-identity';
import type { StreamSource } from '@wherry/core/stream-source';
import { pauseText } from '@wherry/poller/pause-text';
import { knownShards, rowOfView, viewShards } from '@wherry/engine/stream/known-shards';
import { type Ask, askOnTerminal, requireAnswer } from './confirm.ts';
import type { FleetStore } from './fleet-store.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { namedMapping } from './named-mapping.ts';
import { operatorName, recordDeed } from './operator.ts';
import { requireStream, seekTarget } from './seek-target.ts';
import { moveJson, planLines, summary, targetText } from './seek-text.ts';
import { streamFault } from './stream-fault.ts';

/** What `wherry seek` is asked for. */
export interface SeekOptions {
  readonly config: string;
  readonly mapping: string;
  /** `LATEST`, `TRIM_HORIZON`, a time, or `SHARD:SEQUENCE`. */
  readonly to: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** How long the stream may take to answer one round of questions. */
const PATIENCE_MS = 60_000;

/** A table's stream has no positions by time, and its records say only roughly when they came: too old is what certainly is. */
const TIMES_ARE_CUT = 'records of the last minute may still be delivered: a DynamoDB stream says only roughly when they came';

/** Shards that an entry of the audit trail names; of more it says how many there were. */
const MOVES_AUDITED = 200;

/** What a seek works with. */
export interface SeekSurroundings {
  readonly store: Omit<FleetStore, 'redis'>;
  readonly openStream: (mapping: StreamMapping) => StreamSource;
  readonly nowMs: () => number;
}

/**
 * `wherry seek`: sends a stream mapping back or forth, while the fleet runs.
 *
 * @returns 1 where the stream or the fleet's Redis cannot be asked, or the question was denied
 */
export async function seek(io: Io, options: SeekOptions): Promise<number> {
  requireAnswer(io, 'seek', options.yes);
  const [{ withFleetStore }, { openStream }, { systemSurroundings }] = await Promise.all([
    import('./fleet-store.ts'),
    import('./open-stream.ts'),
    import('@wherry/poller/surroundings'),
  ]);
  return withFleetStore(io, options.config, (store) => seekMapping(io, seekOn(store, openStream, systemSurroundings), options));
}

function seekOn(
  store: FleetStore,
  openStream: (mapping: StreamMapping, surroundings: Surroundings) => StreamSource,
  surroundings: Surroundings,
): SeekSurroundings {
  return { store, openStream: (mapping) => openStream(mapping, surroundings), nowMs: () => surroundings.clock.nowMs() };
}

/**
 * Lists the stream, says what will happen to each shard, asks, and moves the shards' leases. Their epochs grow, so that nothing counts
 * that an owner still writes: each loses its lease and the shard goes on from where it was sent. After the answer the stream is listed
 * again, because it may have taken its time. The audit trail has it as `CheckpointReset`.
 */
export async function seekMapping(io: Io, surroundings: SeekSurroundings, options: SeekOptions, ask: Ask = askOnTerminal): Promise<number> {
  const { config, file } = surroundings.store;
  const mapping = requireStream(namedMapping(config, options.mapping, file));
  const target = seekTarget(options.to, mapping, surroundings.nowMs());
  const source = surroundings.openStream(mapping);
  try {
    let look = await lookAt(mapping, source, target, surroundings);
    const notes = await remarks(mapping, source, target, surroundings);
    if (options.yes !== true && look.plan.moves.length > 0) {
      io.stderr.write(`${[...planLines(mapping, target, look.plan, look.nowMs), ...notes].join('\n')}\n`);
      if (!(await ask(`Move ${mapping.name}?`))) {
        io.stderr.write('nothing was changed\n');
        return ExitCode.failed;
      }
      look = await lookAt(mapping, source, target, surroundings);
    }
    await move(mapping, look, options, surroundings);
    io.stdout.write(result(mapping, target, look, options, notes));
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    const { message, help } = streamFault(mapping, error);
    io.stderr.write(`error: ${mapping.name}: ${message}${help === undefined ? '' : `; ${help}`}\n`);
    return ExitCode.failed;
  } finally {
    source.close();
  }
}

interface Look {
  readonly plan: SeekPlan;
  /** Part of the ids of the shards' leases. */
  readonly key: string;
  readonly nowMs: number;
}

async function lookAt(mapping: StreamMapping, source: StreamSource, target: SeekTarget, { store, nowMs }: SeekSurroundings): Promise<Look> {
  const { leases, streams } = store.coordination;
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const stream = await source.identity(signal);
  const listed = await source.listShards(signal);
  const listedAtMs = nowMs();
  const key = streamKey(stream);
  const registered = (await streams.readOf(mapping.uuid, stream))?.shards ?? [];
  const ids = new Set([...registered, ...listed].map(({ shardId }) => shardId));
  const views = await viewShards(leases, mapping.uuid, key, [...ids]);
  const known = knownShards(registered, listed, (shardId) => rowOfView(views.get(shardId)));
  const plan = planSeek({ listed, known, target, nowMs: listedAtMs });
  if (plan === undefined) throw unknownShard(mapping, target, [...ids]);
  return { plan, key, nowMs: listedAtMs };
}

function unknownShard({ name }: StreamMapping, target: SeekTarget, ids: readonly string[]): UsageError {
  const shard = 'shardId' in target ? target.shardId : '';
  const shown = ids.slice(0, 5).join(', ');
  return new UsageError(
    `the stream of ${name} has no shard ${shard}; it has ${shown}${ids.length > 5 ? ` and ${ids.length - 5} more` : ''}`,
  );
}

/** What else somebody should know who is about to answer. @throws UsageError for a record that is not there, before anything has moved */
async function remarks(mapping: StreamMapping, source: StreamSource, target: SeekTarget, { store }: SeekSurroundings): Promise<string[]> {
  const notes: string[] = [];
  if (target.kind === 'AT_SEQUENCE_NUMBER') notes.push(...(await recordNotes(source, target)));
  if (mapping.source === 'dynamodb' && target.kind === 'LATEST') notes.push(TIMES_ARE_CUT);
  const pause = (await store.coordination.pauses.pauses()).get(mapping.uuid);
  if (pause !== undefined) notes.push(`nothing is read before it is resumed: ${pauseText(mapping.name, pause)}`);
  if (!mapping.enabled) notes.push(`${mapping.name} is disabled: nothing is read before it is enabled`);
  return notes;
}

async function recordNotes(source: StreamSource, target: Extract<SeekTarget, { kind: 'AT_SEQUENCE_NUMBER' }>): Promise<string[]> {
  const { shardId, ...position } = target;
  try {
    const { records } = await source.openReader(shardId, position).read(1, AbortSignal.timeout(PATIENCE_MS));
    return records.map(({ sequenceNumber, arrivedAtMs }) => {
      const it = sequenceNumber === target.sequenceNumber ? 'it' : `the first record from there on is ${sequenceNumber}; it`;
      return `${it} arrived at ${new Date(arrivedAtMs).toISOString()}`;
    });
  } catch (error) {
    const isRefused = error instanceof SourceError && (error.code === 'expired' || error.code === 'invalid');
    if (!isRefused) throw error;
    throw new UsageError(
      `shard ${shardId} has no record ${target.sequenceNumber}, or has it no longer (${error.serviceCode}: ${error.message})`,
    );
  }
}

/** Writes the moves and tells the audit trail, also where the store gave up in the middle: some of them may have been written. */
async function move(mapping: StreamMapping, { plan, key }: Look, options: SeekOptions, { store }: SeekSurroundings): Promise<void> {
  const { coordination, config } = store;
  if (plan.moves.length === 0) return;
  const rows = plan.moves.map(({ shardId, to }) => ({
    id: shardUnitId(mapping.uuid, key, shardId),
    checkpoint: writePosition(to.position),
    ended: to.isEnded,
  }));
  const moved = plan.moves.slice(0, MOVES_AUDITED).map(moveJson);
  const deed = {
    eventName: 'CheckpointReset',
    by: operatorName(),
    requestParameters: { mapping: mapping.name, uuid: mapping.uuid, to: options.to },
    responseElements: { shards: rows.length, moved: moved.map(({ shardId, from, to }) => ({ shardId, before: from, after: to })) },
  };
  const audit = { store: coordination.audit, isEnabled: config.audit.enabled };
  try {
    await coordination.leases.reposition(rows);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    await recordDeed(audit, { ...deed, errorCode: 'StoreError' }).catch(() => {});
    throw new StoreError(`${error.message}; some shards may have moved: seek again`, { cause: error });
  }
  await recordDeed(audit, deed);
}

function result(
  mapping: StreamMapping,
  target: SeekTarget,
  { plan, nowMs }: Look,
  { to, json }: SeekOptions,
  notes: readonly string[],
): string {
  if (json === true) {
    const { staying, readable, waiting } = plan;
    const told = { mapping: mapping.name, uuid: mapping.uuid, to, moved: plan.moves.map(moveJson), staying };
    return `${JSON.stringify({ ...told, readable: readable.length, waiting: waiting.length }, undefined, 2)}\n`;
  }
  if (plan.moves.length === 0) return `${mapping.name}: no shard has to move\n`;
  return `${[`${mapping.name} goes to ${targetText(target, nowMs)}: ${summary(plan)}`, ...notes].join('\n')}\n`;
}
