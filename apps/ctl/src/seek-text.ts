import type { StreamMapping } from '@wherry/core/mapping';
import type { SeekMove, SeekOrigin, SeekPlan, SeekTarget } from '@wherry/core/stream/seek';
import { type StoredPosition, writePosition } from '@wherry/core/stream/stored-position';
import { numberText, tableLines } from '@wherry/poller/terminal-text';

/** Shards that are listed one by one to a person; `--json` has all of them. */
const MOVES_SHOWN = 20;

/** Where a seek goes, for a line of text. */
export function targetText(target: SeekTarget, nowMs: number): string {
  switch (target.kind) {
    case 'TRIM_HORIZON':
      return 'the oldest record (TRIM_HORIZON)';
    case 'LATEST':
      return `what comes from now on (LATEST, ${new Date(nowMs).toISOString()})`;
    case 'AT_TIMESTAMP':
      return `the first record since ${new Date(target.timestampMs).toISOString()}`;
    case 'AT_SEQUENCE_NUMBER':
      return `the record ${target.sequenceNumber}, which is delivered again`;
  }
}

/** What a seek will do, shard by shard, and what it means. */
export function planLines(mapping: StreamMapping, target: SeekTarget, plan: SeekPlan, nowMs: number): string[] {
  const { moves } = plan;
  const shown = moves.slice(0, MOVES_SHOWN);
  const rows = shown.map(({ shardId, from, to }) => [`  ${shardId}`, placeText(from), '->', to.isEnded ? 'ended' : placeText(to.position)]);
  return [
    `seek ${mapping.name} (${mapping.source}, ${mapping.eventSourceArn}) to ${targetText(target, nowMs)}:`,
    ...tableLines(rows),
    ...(moves.length > shown.length ? [`  and ${numberText(moves.length - shown.length)} more (--json names all of them)`] : []),
    summary(plan),
    meaning(target),
  ];
}

/** `3 shards move, 1 of them had been read to its end and comes back; 2 stay; …`. */
export function summary({ moves, staying, readable, waiting }: SeekPlan): string {
  const back = moves.filter(({ from, to }) => from === 'ended' && !to.isEnded).length;
  const ended = moves.filter(({ to }) => to.isEnded).length;
  const parts = [
    `${shards(moves.length)} ${moves.length === 1 ? 'moves' : 'move'}`,
    ...(back === 0 ? [] : [`${numberText(back)} of them had been read to the end and ${back === 1 ? 'comes' : 'come'} back`]),
    ...(ended === 0 ? [] : [`${numberText(ended)} of them ${ended === 1 ? 'is' : 'are'} left out`]),
    `${numberText(staying)} ${staying === 1 ? 'stays' : 'stay'}`,
    `${numberText(readable.length)} can then be read at once`,
    ...(waiting.length === 0 ? [] : [`${numberText(waiting.length)} after their parents`]),
  ];
  return parts.join(', ');
}

function meaning(target: SeekTarget): string {
  if (target.kind === 'LATEST') return 'what was not processed yet is skipped, and no failure destination gets it';
  return 'records that lie behind are delivered again, and records that lie between are skipped where this is forward';
}

/** A move for `--json` and the audit trail: positions as the store holds them. */
export function moveJson({ shardId, from, to }: SeekMove): { shardId: string; from: string | null; to: string } {
  const origin = from === 'none' ? null : typeof from === 'string' ? from : writePosition(from);
  return { shardId, from: origin, to: to.isEnded ? 'ended' : writePosition(to.position) };
}

/** Where a shard stands, for people. */
export function placeText(place: SeekOrigin): string {
  if (place === 'none') return 'nowhere';
  return typeof place === 'string' ? place : positionText(place);
}

/** A stored position for people: times in ISO 8601, a checkpoint as its sequence number. */
export function positionText(position: StoredPosition): string {
  switch (position.kind) {
    case 'TRIM_HORIZON':
      return 'TRIM_HORIZON';
    case 'AT_TIMESTAMP':
      return new Date(position.timestampMs).toISOString();
    case 'AT_SEQUENCE_NUMBER':
      return `at ${position.sequenceNumber}`;
    case 'AFTER_SEQUENCE_NUMBER':
      return position.sequenceNumber;
  }
}

function shards(count: number): string {
  return `${numberText(count)} ${count === 1 ? 'shard' : 'shards'}`;
}
