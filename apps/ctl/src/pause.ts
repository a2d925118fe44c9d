import { parseDuration } from '@wherry/config/quantity';
import type { Pause } from '@wherry/core/coordination';
import type { Mapping } from '@wherry/core/mapping';
import { pauseText } from '@wherry/poller/pause-text';
import { durationText } from '@wherry/poller/terminal-text';
import { type Ask, askOnTerminal, requireAnswer } from './confirm.ts';
import type { FleetStore } from './fleet-store.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { namedMapping } from './named-mapping.ts';
import { operatorName, recordDeed } from './operator.ts';

/** What `wherry pause` and `wherry resume` are asked for. */
export interface PauseOptions {
  readonly config: string;
  readonly mapping: string;
  /** Such as `1h`; absent until somebody resumes. */
  readonly for?: string;
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const REASON_LENGTH_MAX = 256;
const YEAR_MS = 365 * 86_400_000;

/** Pauses a mapping of the configuration in `--config`. @returns 1 where the fleet's Redis cannot be asked, or the question was denied */
export async function pause(io: Io, options: PauseOptions): Promise<number> {
  requireAnswer(io, 'pause', options.yes);
  forMsOf(options);
  const { withFleetStore } = await import('./fleet-store.ts');
  return withFleetStore(io, options.config, (store) => pauseMapping(io, store, options));
}

/** Ends a pause. @returns 1 where the fleet's Redis cannot be asked, or the question was denied */
export async function resume(io: Io, options: PauseOptions): Promise<number> {
  requireAnswer(io, 'resume', options.yes);
  const { withFleetStore } = await import('./fleet-store.ts');
  return withFleetStore(io, options.config, (store) => resumeMapping(io, store, options));
}

/**
 * Stops a mapping for a while, whatever its configuration says: pollers finish their batches in flight and fetch nothing more. An
 * earlier pause is replaced. The audit trail has it as `MappingPaused`.
 */
export async function pauseMapping(
  io: Io,
  { config, coordination, file }: Omit<FleetStore, 'redis'>,
  options: PauseOptions,
  ask: Ask = askOnTerminal,
): Promise<number> {
  const forMs = forMsOf(options);
  const reason = reasonOf(options);
  const mapping = namedMapping(config, options.mapping, file);
  const earlier = (await coordination.pauses.pauses()).get(mapping.uuid);
  if (options.yes !== true) {
    io.stderr.write(`${announcement(mapping, forMs, earlier).join('\n')}\n`);
    if (!(await ask(`Pause ${mapping.name}?`))) return denied(io);
  }
  const by = operatorName();
  await coordination.pauses.pause(mapping.uuid, by, reason, forMs);
  const paused = { by, reason, forMs: Number.isFinite(forMs) ? forMs : null };
  await recordDeed(
    { store: coordination.audit, isEnabled: config.audit.enabled },
    {
      eventName: 'MappingPaused',
      by,
      requestParameters: { ...nameOf(mapping), reason, forMs: paused.forMs },
      responseElements: { before: pauseJson(earlier) },
    },
  );
  const text = `paused ${mapping.name} ${Number.isFinite(forMs) ? `for ${durationText(forMs)}` : `until it is resumed: wherry resume ${mapping.name}`}`;
  io.stdout.write(options.json === true ? json({ ...nameOf(mapping), paused }) : `${text}\n`);
  return ExitCode.ok;
}

/** Ends a pause; a mapping that is not paused stays as it is, which is no error. The audit trail has it as `MappingResumed`. */
export async function resumeMapping(
  io: Io,
  { config, coordination, file }: Omit<FleetStore, 'redis'>,
  options: PauseOptions,
  ask: Ask = askOnTerminal,
): Promise<number> {
  const mapping = namedMapping(config, options.mapping, file);
  const standing = (await coordination.pauses.pauses()).get(mapping.uuid);
  if (standing !== undefined && options.yes !== true) {
    io.stderr.write(`${pauseText(mapping.name, standing)}\n`);
    if (!(await ask(`Resume ${mapping.name}?`))) return denied(io);
  }
  const wasPaused = standing !== undefined && (await coordination.pauses.resume(mapping.uuid));
  if (wasPaused) {
    await recordDeed(
      { store: coordination.audit, isEnabled: config.audit.enabled },
      {
        eventName: 'MappingResumed',
        by: operatorName(),
        requestParameters: nameOf(mapping),
        responseElements: { before: pauseJson(standing) },
      },
    );
  }
  const text = wasPaused ? `resumed ${mapping.name}` : `${mapping.name} was not paused`;
  io.stdout.write(options.json === true ? json({ ...nameOf(mapping), resumed: wasPaused }) : `${text}\n`);
  return ExitCode.ok;
}

function announcement(mapping: Mapping, forMs: number, earlier: Pause | undefined): string[] {
  const until = Number.isFinite(forMs) ? `for ${durationText(forMs)}` : 'until somebody resumes it';
  const kept = mapping.source === 'sqs' ? 'messages wait in the queue' : 'records wait in the stream';
  return [
    `pause ${mapping.name} (${mapping.source}, ${mapping.eventSourceArn}) ${until}:`,
    `batches in flight end, nothing more is fetched, and ${kept}, for as long as it keeps them`,
    ...(mapping.enabled ? [] : ['it is disabled in the configuration anyway']),
    ...(earlier === undefined ? [] : [`this replaces an earlier pause: ${pauseText(mapping.name, earlier)}`]),
  ];
}

function denied(io: Io): number {
  io.stderr.write('nothing was changed\n');
  return ExitCode.failed;
}

function nameOf({ name, uuid }: Mapping): { mapping: string; uuid: string } {
  return { mapping: name, uuid };
}

function pauseJson(standing: Pause | undefined): object | null {
  return standing === undefined ? null : { by: standing.by, reason: standing.reason, sinceMs: Math.round(standing.sinceMs) };
}

function forMsOf({ for: given }: PauseOptions): number {
  if (given === undefined) return Infinity;
  const ms = parseDuration(given);
  if (ms === undefined || ms === 0 || ms > YEAR_MS)
    throw new UsageError(`--for ${given}: expected a time such as 30s, 10m, 2h or 7d, at most 365d`);
  return ms;
}

function reasonOf({ reason = '' }: PauseOptions): string {
  if (reason.length > REASON_LENGTH_MAX)
    throw new UsageError(`--reason: expected at most ${REASON_LENGTH_MAX} characters, got ${reason.length}`);
  return reason;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
