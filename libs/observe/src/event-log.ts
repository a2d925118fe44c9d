import type { Logger } from 'pino';
import type { Clock } from '@wherry/core/clock';
import type { EngineEvent, Observe } from '@wherry/core/engine-event';
import type { WherryConfig } from '@wherry/core/mapping';
import { errorFields, oneLine } from './error-fields.ts';
import { Fold } from './fold.ts';
import type { Line } from './line.ts';
import { redisAddress } from './redis-address.ts';
import { streamLinesOf } from './stream-lines.ts';

/**
 * Turns engine events into log lines: one a batch at `debug`, one a failed batch at `warn`, one a change of state at `info`. Repeated
 * identical failures are folded into counts per minute.
 *
 * Each line is built from fields picked one by one, and texts are cut to one line of 256 characters, so that nothing an event should
 * ever carry by mistake (a record, a receipt handle) can reach the log.
 */
export class EventLog {
  readonly #logger: Logger;
  readonly #fold: Fold;
  /** The address that this process started with: another one needs a restart. */
  readonly #redis: RedisSeen;
  #mappings = new Map<string, Logger>();

  constructor(logger: Logger, clock: Clock, config: WherryConfig) {
    this.#logger = logger;
    this.#redis = { address: redisAddress(config.redis), wasThere: false };
    this.#fold = new Fold(clock);
    this.configure(config);
  }

  /** Takes the mappings of a new configuration, each with its own level where it has one. */
  configure(config: WherryConfig): void {
    const mappings = [...config.mappings.values()].map((mapping) => {
      const level = mapping.logLevel === undefined ? {} : { level: mapping.logLevel };
      return [mapping.name, this.#logger.child({ mapping: mapping.name, function: mapping.functionName }, level)] as const;
    });
    this.#mappings = new Map(mappings);
  }

  readonly observe: Observe = (event) => {
    const mapping = 'mapping' in event ? event.mapping : undefined;
    const logger = this.#loggerOf(event);
    for (const line of linesOf(event, this.#redis)) {
      if (!logger.isLevelEnabled(line.level)) continue;
      if (line.foldBy === undefined) {
        logger[line.level](line.fields, line.msg);
        continue;
      }
      this.#fold.add(JSON.stringify([line.level, line.msg, mapping, line.foldBy]), (repeats) => {
        logger[line.level](repeats === 0 ? line.fields : { ...line.fields, repeats }, line.msg);
      });
    }
    if (event.type === 'storeUp' && event.up) this.#redis.wasThere = true;
  };

  /** Prints the counts of folded lines that are a minute old. */
  tick(): void {
    this.#fold.tick();
  }

  /** Prints all counts of folded lines. */
  flush(): void {
    this.#fold.flush();
  }

  #loggerOf(event: EngineEvent): Logger {
    if (!('mapping' in event)) return this.#logger;
    const { mapping } = event;
    // Batches of a mapping that is configured no more still end.
    return this.#mappings.get(mapping) ?? this.#logger.child('function' in event ? { mapping, function: event.function } : { mapping });
  }
}

/** Redis as this process knows it. */
interface RedisSeen {
  readonly address: string;
  /** Whether it has ever answered. */
  wasThere: boolean;
}

/** The log lines of one event; usually one. */
function linesOf(event: EngineEvent, redis: RedisSeen): Line[] {
  switch (event.type) {
    case 'polled':
      return [polledLine(event)];
    case 'filtered':
      return [{ level: 'debug', msg: 'events filtered', fields: { events: event.events } }];
    case 'invoked':
      return [invokedLine(event)];
    case 'settled':
      return settledLines(event);
    case 'expired':
      return [{ level: 'warn', msg: 'messages expired before their invocation', fields: { events: event.events }, foldBy: '' }];
    case 'lease':
      return [leaseLine(event)];
    case 'scaled':
      return [{ level: 'info', msg: 'mapping scaled', fields: { slots: event.slots }, foldBy: '' }];
    case 'mappingState':
      return [{ level: 'info', msg: 'mapping state changed', fields: { state: event.state, reason: oneLine(event.reason) } }];
    case 'problem':
      return [problemLine(event)];
    case 'gate':
      return [gateLine(event)];
    case 'storeUp':
      return [storeLine(event, redis)];
    case 'crashed':
      return [crashedLine(event)];
    case 'paused':
      return [{ level: 'info', msg: 'mapping paused', fields: { by: oneLine(event.by), reason: oneLine(event.reason) } }];
    case 'resumed':
      return [{ level: 'info', msg: 'mapping resumed', fields: {} }];
    case 'checkpointed':
    case 'iteratorAge':
    case 'blocked':
    case 'discarded':
    case 'destination':
    case 'shards':
      return streamLinesOf(event);
  }
}

function polledLine(event: Extract<EngineEvent, { type: 'polled' }>): Line {
  const { outcome, events, bytes, durationMs } = event;
  return { level: outcome === 'empty' ? 'trace' : 'debug', msg: 'source polled', fields: { outcome, events, bytes, durationMs } };
}

/** An X-Ray tracing header, with the root that makes it one. */
const TRACE_ID = /^Root=[\w-]{1,64}(?:;[\w-]{1,32}=[\w:|.-]{0,128}){0,8}$/;

function invokedLine(event: Extract<EngineEvent, { type: 'invoked' }>): Line {
  const { outcome, batch, attempt, requestId, traceId, events, failed, bytes, durationMs, ageMs, error, shard, isBisected } = event;
  // A producer may write anything into the trace header; only what looks like one is repeated.
  const trace = traceId !== undefined && TRACE_ID.test(traceId) ? { traceId } : {};
  const stream = { ...(shard === undefined ? {} : { shard }), ...(isBisected === true ? { bisected: true } : {}) };
  const fields = { outcome, ...stream, batch, attempt, requestId, ...trace, events, failed, bytes, durationMs, ageMs };
  if (outcome === 'success') return { level: 'debug', msg: 'batch invoked', fields };
  return {
    level: 'warn',
    msg: outcome === 'partial' ? 'batch partly failed' : 'batch failed',
    fields: error === undefined ? fields : { ...fields, err: { type: outcome, message: error } },
    foldBy: `${outcome} ${oneLine(error ?? '')}`,
  };
}

const SETTLED = { deleted: 'messages deleted', released: 'messages released', extended: 'visibility extended' } as const;
const UNSETTLED = { deleted: 'messages not deleted', released: 'messages not released', extended: 'visibility not extended' } as const;

function settledLines(event: Extract<EngineEvent, { type: 'settled' }>): Line[] {
  const { action, done, gone, failed } = event;
  const lines: Line[] = [{ level: 'debug', msg: SETTLED[action], fields: { events: done, gone, failed } }];
  if (failed > 0) lines.push({ level: 'warn', msg: UNSETTLED[action], fields: { events: failed }, foldBy: '' });
  if (gone > 0) {
    const msg = 'receipts were no longer valid';
    lines.push({ level: 'warn', msg, fields: { action, events: gone }, foldBy: action });
  }
  return lines;
}

const LEASED = { acquired: 'lease acquired', lost: 'lease lost', released: 'lease released', handed_over: 'lease handed over' } as const;

function leaseLine(event: Extract<EngineEvent, { type: 'lease' }>): Line {
  const fields = { unit: event.unit, epoch: event.epoch };
  const msg = LEASED[event.event];
  // Slots come and go by the hundred while a mapping scales: "mapping scaled" tells that story at info.
  return event.event === 'lost' ? { level: 'warn', msg, fields, foldBy: event.unit } : { level: 'debug', msg, fields };
}

function problemLine(event: Extract<EngineEvent, { type: 'problem' }>): Line {
  const { code, message, resolved } = event;
  const fields = { code, err: { type: code, message } };
  if (resolved) return { level: 'info', msg: 'mapping problem resolved', fields: { code, reason: oneLine(message) } };
  return { level: 'warn', msg: 'mapping problem found', fields, foldBy: `${code} ${oneLine(message)}` };
}

function gateLine(event: Extract<EngineEvent, { type: 'gate' }>): Line {
  const fields = { target: event.target, reason: oneLine(event.reason) };
  switch (event.state) {
    case 'open':
      return { level: 'warn', msg: 'circuit breaker opened', fields, foldBy: `${fields.target} ${fields.reason}` };
    case 'throttled':
      return { level: 'warn', msg: 'target throttled', fields, foldBy: fields.target };
    case 'probing':
      return { level: 'info', msg: 'target probed', fields, foldBy: fields.target };
    case 'closed':
      return { level: 'info', msg: 'circuit breaker closed', fields, foldBy: fields.target };
  }
}

/** A Redis that starts after its pollers is ordinary; one that was there and is gone stops the fleet within a lease's time. */
function storeLine({ up, message }: Extract<EngineEvent, { type: 'storeUp' }>, { address, wasThere }: RedisSeen): Line {
  if (up) return { level: 'info', msg: 'redis reached', fields: { redis: address } };
  const fields = { redis: address, err: { type: 'StoreError', message } };
  if (wasThere) return { level: 'error', msg: 'redis lost', fields };
  return { level: 'warn', msg: 'redis cannot be reached yet; the poller keeps trying', fields };
}

function crashedLine(event: Extract<EngineEvent, { type: 'crashed' }>): Line {
  const err = errorFields(event.error);
  return { level: 'error', msg: 'mapping crashed', fields: { err: event.error }, foldBy: `${err.type} ${err.message}` };
}
