import { blockedText } from './blocked-text.ts';
import type { FleetMappingReport, FleetReport } from './fleet-status.ts';
import { pauseText } from './pause-text.ts';
import type { FleetShards } from './shard-report.ts';
import { durationText, numberText, plainText, tableLines } from './terminal-text.ts';

const COLUMNS = ['MAPPING', 'SOURCE', 'STATE', 'IN/s', 'FILTERED/s', 'OK/s', 'FAIL/s', 'OLDEST', 'BACKLOG', 'BUSY'] as const;

/** Digits of a configuration hash that people compare. */
const HASH_DIGITS = 6;

/**
 * The fleet as text for a terminal: a line about the whole, a table of mappings, and a line for everything that needs a look. A dash
 * stands for what nobody could say.
 *
 * @param nowMs wall clock, epoch milliseconds, for what is told in times
 */
export function renderStatus(report: FleetReport, nowMs: number): string {
  const lines = [headline(report), '', ...tableLines([[...COLUMNS], ...report.mappings.map(row)])];
  const troubles = [...report.mappings.flatMap((mapping) => mappingTroubles(mapping, nowMs)), ...pollerTroubles(report)];
  if (troubles.length > 0) lines.push('', ...troubles.map((trouble) => `! ${plainText(trouble)}`));
  return lines.join('\n');
}

function headline({ fleet, pollers, configHashes, redis }: FleetReport): string {
  const hashes = configHashes.map((hash) => hash.slice(0, HASH_DIGITS));
  const config = hashes.length === 1 ? `config ${hashes[0]} (all agree)` : `configs ${hashes.join(', ')} (pollers differ)`;
  const parts = [
    'wherry',
    `fleet ${plainText(fleet)}`,
    pollers.length === 1 ? '1 poller' : `${pollers.length} pollers`,
    ...(hashes.length === 0 ? [] : [config]),
    redis.latencyMs === null ? `redis ${redis.up ? 'up' : 'down'}` : `redis ${redis.latencyMs.toFixed(1)} ms`,
  ];
  return parts.join(' · ');
}

function row(mapping: FleetMappingReport): string[] {
  const { rates } = mapping;
  const ageMs = mapping.shards === null ? mapping.oldestAgeMs : mapping.iteratorAgeMs;
  return [
    plainText(mapping.name),
    mapping.source,
    stateWord(mapping),
    rates === null ? '-' : numberText(rates.polled),
    rates === null ? '-' : numberText(rates.filtered),
    rates === null ? '-' : numberText(rates.succeeded),
    rates === null ? '-' : numberText(rates.failed),
    ageMs === null ? '-' : durationText(ageMs),
    backlogText(mapping),
    `${mapping.inFlight === null ? '-' : numberText(mapping.inFlight)}/${numberText(mapping.capacity)}`,
  ];
}

/** What stands in the way of a mapping is its state to whoever looks, whatever its configuration says. */
function stateWord({ state, paused, shards }: FleetMappingReport): string {
  if (state !== 'Enabled') return state;
  if (paused !== null) return 'Paused';
  return shards !== null && shards.blocked.length > 0 ? 'Blocked' : state;
}

/** Messages that wait in a queue; of a stream nobody knows how many wait, but how many shards are read. */
function backlogText({ backlog, shards }: FleetMappingReport): string {
  if (shards === null) return backlog === null ? '-' : numberText(backlog.visible);
  const { blocked, held, readable } = shards;
  if (blocked.length > 0) return `${numberText(blocked.length)} of ${shardsText(readable)} blocked`;
  // Nobody shall read it now, or nobody has listed it yet.
  return readable === 0 ? '-' : `${numberText(held)}/${shardsText(readable)}`;
}

function shardsText(count: number): string {
  return `${numberText(count)} ${count === 1 ? 'shard' : 'shards'}`;
}

/** "Open" alone reads as good news. */
const GATE_WORDS = { open: 'circuit breaker open', throttled: 'target throttled' } as const;

function mappingTroubles(mapping: FleetMappingReport, nowMs: number): string[] {
  const { name, paused, problems, gate, lastFailure, rates, slots, shards } = mapping;
  const troubles = [...(paused === null ? [] : [pauseText(name, paused)]), ...problems.map((problem) => `${name}: ${problem}`)];
  if (shards !== null) troubles.push(...shardTroubles(name, shards, nowMs));
  if (gate !== null && gate.state !== 'closed') {
    troubles.push(`${name}: ${GATE_WORDS[gate.state]}, next try in ${durationText(gate.waitMs)}: ${gate.reason}`);
  }
  // An old failure is history; one behind a running rate of failures is news.
  if (lastFailure !== null && (rates?.failed ?? 0) > 0 && (shards?.blocked.length ?? 0) === 0) {
    troubles.push(`${name}: last failure at ${lastFailure.at}: ${lastFailure.outcome} ${lastFailure.error}`);
  }
  if (slots.held < slots.desired) troubles.push(`${name}: ${slots.held} of ${slots.desired} slots are held`);
  return troubles;
}

/** Shards that are named one by one; `wherry leases` has all of them. */
const BLOCKED_SHOWN = 5;

function shardTroubles(name: string, { blocked, lost, damaged, held, readable }: FleetShards, nowMs: number): string[] {
  const more = blocked.length - BLOCKED_SHOWN;
  return [
    ...blocked.slice(0, BLOCKED_SHOWN).map((shard) => `${name}: ${shortShard(shard.shardId)} ${blockedText(shard, nowMs)}`),
    ...(more > 0 ? [`${name}: ${shardsText(more)} more blocked (wherry leases ${name})`] : []),
    ...((lost ?? 0) > 0 ? [`${name}: the checkpoints of ${shardsText(lost ?? 0)} are gone (wherry leases ${name})`] : []),
    ...((damaged ?? 0) > 0 ? [`${name}: the checkpoints of ${shardsText(damaged ?? 0)} cannot be read (wherry leases ${name})`] : []),
    ...(held < readable ? [`${name}: ${held} of ${shardsText(readable)} are held`] : []),
  ];
}

/** Shard ids of DynamoDB are long, and it is the end that tells them apart. */
const SHARD_ID_LENGTH = 24;

function shortShard(shardId: string): string {
  return shardId.length <= SHARD_ID_LENGTH ? shardId : `shardId-…${shardId.slice(-8)}`;
}

function pollerTroubles({ pollers, redis }: FleetReport): string[] {
  const troubles = pollers.flatMap((poller) => {
    if (poller.error !== null) return [`poller ${poller.token}: ${poller.error}`];
    if (poller.draining) return [`poller ${poller.token} drains`];
    return poller.ready === false ? [`poller ${poller.token} is not ready`] : [];
  });
  return redis.error === null ? troubles : [`redis: ${redis.error}`, ...troubles];
}
