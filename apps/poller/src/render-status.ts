import type { FleetMappingReport, FleetReport } from './fleet-status.ts';
import { durationText, numberText, plainText, tableLines } from './terminal-text.ts';

const COLUMNS = ['MAPPING', 'SOURCE', 'STATE', 'IN/s', 'FILTERED/s', 'OK/s', 'FAIL/s', 'OLDEST', 'BACKLOG', 'BUSY'] as const;

/** Digits of a configuration hash that people compare. */
const HASH_DIGITS = 6;

/**
 * The fleet as text for a terminal: a line about the whole, a table of mappings, and a line for everything that needs a look. A dash
 * stands for what nobody could say.
 */
export function renderStatus(report: FleetReport): string {
  const lines = [headline(report), '', ...tableLines([[...COLUMNS], ...report.mappings.map(row)])];
  const troubles = [...report.mappings.flatMap(mappingTroubles), ...pollerTroubles(report)];
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
  const { rates, backlog } = mapping;
  return [
    plainText(mapping.name),
    mapping.source,
    mapping.state,
    rates === null ? '-' : numberText(rates.polled),
    rates === null ? '-' : numberText(rates.filtered),
    rates === null ? '-' : numberText(rates.succeeded),
    rates === null ? '-' : numberText(rates.failed),
    mapping.oldestAgeMs === null ? '-' : durationText(mapping.oldestAgeMs),
    backlog === null ? '-' : numberText(backlog.visible),
    `${mapping.inFlight === null ? '-' : numberText(mapping.inFlight)}/${numberText(mapping.capacity)}`,
  ];
}

/** "Open" alone reads as good news. */
const GATE_WORDS = { open: 'circuit breaker open', throttled: 'target throttled' } as const;

function mappingTroubles({ name, problems, gate, lastFailure, rates, slots }: FleetMappingReport): string[] {
  const troubles = problems.map((problem) => `${name}: ${problem}`);
  if (gate !== null && gate.state !== 'closed') {
    troubles.push(`${name}: ${GATE_WORDS[gate.state]}, next try in ${durationText(gate.waitMs)}: ${gate.reason}`);
  }
  // An old failure is history; one behind a running rate of failures is news.
  if (lastFailure !== null && (rates?.failed ?? 0) > 0) {
    troubles.push(`${name}: last failure at ${lastFailure.at}: ${lastFailure.outcome} ${lastFailure.error}`);
  }
  if (slots.held < slots.desired) troubles.push(`${name}: ${slots.held} of ${slots.desired} slots are held`);
  return troubles;
}

function pollerTroubles({ pollers, redis }: FleetReport): string[] {
  const troubles = pollers.flatMap((poller) => {
    if (poller.error !== null) return [`poller ${poller.token}: ${poller.error}`];
    if (poller.draining) return [`poller ${poller.token} drains`];
    return poller.ready === false ? [`poller ${poller.token} is not ready`] : [];
  });
  return redis.error === null ? troubles : [`redis: ${redis.error}`, ...troubles];
}
