import type { FleetMappingReport, FleetReport } from './fleet-status.ts';

const COLUMNS = ['MAPPING', 'SOURCE', 'STATE', 'IN/s', 'FILTERED/s', 'OK/s', 'FAIL/s', 'OLDEST', 'BACKLOG', 'BUSY'] as const;

/** Digits of a configuration hash that people compare. */
const HASH_DIGITS = 6;

/** Longest name or reason in the table; the whole text is in `--json`. */
const TEXT_LENGTH_MAX = 120;

/**
 * The fleet as text for a terminal: a line about the whole, a table of mappings, and a line for everything that needs a look. A dash
 * stands for what nobody could say.
 */
export function renderStatus(report: FleetReport): string {
  const lines = [headline(report), '', ...table([[...COLUMNS], ...report.mappings.map(row)])];
  const troubles = [...report.mappings.flatMap(mappingTroubles), ...pollerTroubles(report)];
  if (troubles.length > 0) lines.push('', ...troubles.map((trouble) => `! ${plain(trouble)}`));
  return lines.join('\n');
}

function headline({ fleet, pollers, configHashes, redis }: FleetReport): string {
  const hashes = configHashes.map((hash) => hash.slice(0, HASH_DIGITS));
  const config = hashes.length === 1 ? `config ${hashes[0]} (all agree)` : `configs ${hashes.join(', ')} (pollers differ)`;
  const parts = [
    'wherry',
    `fleet ${plain(fleet)}`,
    pollers.length === 1 ? '1 poller' : `${pollers.length} pollers`,
    ...(hashes.length === 0 ? [] : [config]),
    redis.latencyMs === null ? `redis ${redis.up ? 'up' : 'down'}` : `redis ${redis.latencyMs.toFixed(1)} ms`,
  ];
  return parts.join(' · ');
}

function row(mapping: FleetMappingReport): string[] {
  const { rates, backlog } = mapping;
  return [
    plain(mapping.name),
    mapping.source,
    mapping.state,
    rates === null ? '-' : number(rates.polled),
    rates === null ? '-' : number(rates.filtered),
    rates === null ? '-' : number(rates.succeeded),
    rates === null ? '-' : number(rates.failed),
    mapping.oldestAgeMs === null ? '-' : duration(mapping.oldestAgeMs),
    backlog === null ? '-' : number(backlog.visible),
    `${mapping.inFlight === null ? '-' : number(mapping.inFlight)}/${number(mapping.capacity)}`,
  ];
}

/** "Open" alone reads as good news. */
const GATE_WORDS = { open: 'circuit breaker open', throttled: 'target throttled' } as const;

function mappingTroubles({ name, problems, gate, lastFailure, rates, slots }: FleetMappingReport): string[] {
  const troubles = problems.map((problem) => `${name}: ${problem}`);
  if (gate !== null && gate.state !== 'closed') {
    troubles.push(`${name}: ${GATE_WORDS[gate.state]}, next try in ${duration(gate.waitMs)}: ${gate.reason}`);
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

/** Columns as wide as their widest cell, two spaces apart. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** 412, 3,110 or, below ten, one decimal unless it is zero. */
function number(value: number): string {
  const digits = value < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** 850 ms, 1.2 s, 14m 03s, 2h 05m. */
function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m ${two(Math.floor(ms / 1_000) % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

function two(part: number): string {
  return String(part).padStart(2, '0');
}

/** Names and reasons come from other processes: nothing of them may steer the terminal. */
function plain(text: string): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ');
  return line.length > TEXT_LENGTH_MAX ? `${line.slice(0, TEXT_LENGTH_MAX - 1)}…` : line;
}
