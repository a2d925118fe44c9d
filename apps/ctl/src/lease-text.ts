import { readPosition } from '@wherry/core/stream/stored-position';
import { blockedText } from '@wherry/poller/blocked-text';
import type { LeaseReport, MappingLeases, ShardLease, ShardState, UnitLease } from '@wherry/poller/lease-report';
import { durationText, numberText, plainText, tableLines } from '@wherry/poller/terminal-text';
import { positionText } from './seek-text.ts';

const COLUMNS = ['  SHARD', 'STATE', 'OWNER', 'EPOCH', 'CHECKPOINT', 'AGE', ''] as const;

/** The words for states that are not their own word. */
const STATE_WORDS: Partial<Record<ShardState, string>> = { waitingForParent: 'waiting for parent' };

/**
 * Leases as text for a terminal: a line and a table of shards for each stream, a line for each queue. A dash stands for what there is not.
 *
 * @param nowMs wall clock, for what is told in times
 */
export function renderLeases(report: LeaseReport, nowMs: number): string {
  const { fleet, pollers, mappings } = report;
  const head = `wherry · fleet ${plainText(fleet)} · ${pollers.length === 1 ? '1 poller' : `${pollers.length} pollers`}`;
  return [head, ...mappings.flatMap((mapping) => ['', ...mappingLines(mapping, nowMs)])].join('\n');
}

function mappingLines(mapping: MappingLeases, nowMs: number): string[] {
  const { name, source, paused, enabled, shards, slots, chores } = mapping;
  const parts = [
    `${plainText(name)} (${source}, ${plainText(mapping.eventSourceArn)})`,
    ...(enabled ? [] : ['disabled']),
    ...(paused === null ? [] : [`paused by ${plainText(paused.by)}`]),
    source === 'sqs' ? slotsText(slots) : shardsText(shards),
    ...chores.map(({ owner }) => (owner === null ? 'listed by nobody' : `listed by ${plainText(owner)}`)),
  ];
  if (shards.length === 0) return [parts.join(' · ')];
  return [parts.join(' · '), ...tableLines([[...COLUMNS], ...shards.map((shard) => shardCells(shard, nowMs))])];
}

/** `16 shards: 14 reading, 2 blocked`. */
function shardsText(shards: readonly ShardLease[]): string {
  if (shards.length === 0) return 'not listed yet';
  const counts = [...Map.groupBy(shards, ({ state }) => state)].map(([state, all]) => `${numberText(all.length)} ${wordOf(state)}`);
  return `${shards.length === 1 ? '1 shard' : `${numberText(shards.length)} shards`}: ${counts.join(', ')}`;
}

/** `5 of 5 slots held: p1 3, p2 2`. */
function slotsText(slots: readonly UnitLease[]): string {
  const held = slots.filter(({ owner }) => owner !== null);
  const owners = [...Map.groupBy(held, ({ owner }) => owner ?? '')].map(([owner, all]) => `${plainText(owner)} ${numberText(all.length)}`);
  return `${numberText(held.length)} of ${numberText(slots.length)} slots held${owners.length === 0 ? '' : `: ${owners.toSorted().join(', ')}`}`;
}

function shardCells(shard: ShardLease, nowMs: number): string[] {
  const { shardId, state, owner, epoch, checkpoint, checkpointAgeMs } = shard;
  return [
    `  ${plainText(shardId)}`,
    wordOf(state),
    owner === null ? '-' : plainText(owner),
    String(epoch),
    checkpoint === null ? '-' : checkpointText(checkpoint),
    checkpointAgeMs === null ? '-' : durationText(checkpointAgeMs),
    remark(shard, nowMs),
  ];
}

function wordOf(state: ShardState): string {
  return STATE_WORDS[state] ?? state;
}

function checkpointText(text: string): string {
  const position = readPosition(text);
  return plainText(position === undefined ? text : positionText(position));
}

function remark({ blocked, state, parentShardIds, behindMs }: ShardLease, nowMs: number): string {
  if (blocked !== null) return blockedText(blocked, nowMs);
  if (state === 'waitingForParent') return plainText(`of ${parentShardIds.join(' and ')}`);
  if (state === 'lost' || state === 'damaged') return 'wherry seek gives it a checkpoint again';
  return behindMs === null || behindMs === 0 ? '' : `${durationText(behindMs)} behind`;
}
