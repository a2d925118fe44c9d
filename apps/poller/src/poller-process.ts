/**
 * Everything one poller consists of, and the order in which it comes up and goes down. It decides nothing about events.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoadedConfig, LoadResult } from '@wherry/config/load';
import type { StopSignals, Surroundings } from '@wherry/core/clock';
import type { Coordination } from '@wherry/core/coordination';
import type { EngineEvent } from '@wherry/core/engine-event';
import type { SqsMapping, WherryConfig } from '@wherry/core/mapping';
import { Fleet } from '@wherry/engine/fleet';
import { createRedis, type RedisClient } from '@wherry/leases/redis-client';
import { createRedisCoordination } from '@wherry/leases/redis-coordination';
import { createRedisFailedStore } from '@wherry/leases/redis-failed-store';
import { EventLog } from '@wherry/observe/event-log';
import { Metrics, NO_LEVELS } from '@wherry/observe/metrics';
import { Totals } from '@wherry/observe/totals';
import type { Logger } from 'pino';
import { createAdmin, listenAdmin, type ReadinessCheck } from './admin.ts';
import { Backlog } from './backlog.ts';
import { ClockSkew } from './clock-skew.ts';
import { readLevels } from './levels.ts';
import type { PollerIdentity } from './poller-name.ts';
import { createRegistry } from './registry.ts';
import { Reload } from './reload.ts';
import { statusReport } from './status.ts';
import { timedCoordination } from './timed-coordination.ts';
import { VERSION } from './version.ts';

/** How often chores run: folded log lines, queue counts. */
const CHORES_EVERY_MS = 5_000;

/** How often this machine's clock is compared with Redis's. */
const CLOCK_CHECK_EVERY_MS = 60_000;

export interface PollerProcessOptions {
  readonly identity: PollerIdentity;
  readonly configFile: string;
  readonly loaded: Pick<LoadedConfig, 'config' | 'inputs'>;
  readonly load: () => Promise<LoadResult>;
  readonly print: (text: string) => void;
  readonly logger: Logger;
  readonly surroundings: Surroundings;
  /** Read once, when the fleet starts. */
  readonly signals: () => StopSignals;
}

export class PollerProcess {
  readonly #options: PollerProcessOptions;
  readonly #eventLog: EventLog;
  readonly #metrics: Metrics;
  readonly #totals: Totals;
  readonly #reload: Reload;
  readonly #redis: RedisClient;
  readonly #coordination: Coordination;
  readonly #backlog: Backlog;
  readonly #skew: ClockSkew;
  readonly #registry: ReturnType<typeof createRegistry>;
  /** Resolved when Redis has answered or failed for the first time. */
  readonly #redisTried = Promise.withResolvers<void>();
  readonly #eventLoop = monitorEventLoopDelay({ resolution: 10 });
  #fleet: Fleet | undefined;
  /** Why there is no connection to Redis, while there is none. */
  #disconnected: string | undefined;

  constructor(options: PollerProcessOptions) {
    const { loaded, logger, surroundings } = options;
    const { config } = loaded;
    const { clock } = surroundings;
    this.#options = options;
    this.#eventLog = new EventLog(logger, clock, config);
    this.#totals = new Totals(clock);
    const nodeVersion = process.version;
    this.#metrics = new Metrics({ config, poller: options.identity.name, version: VERSION, nodeVersion, levels: () => this.#levels() });
    this.#metrics.reloaded(true, clock.nowMs());
    this.#reload = new Reload(
      {
        file: options.configFile,
        clock,
        logger,
        load: options.load,
        print: options.print,
        apply: (next) => this.#apply(next),
        reloaded: (isSuccess, atMs) => this.#metrics.reloaded(isSuccess, atMs),
      },
      loaded,
    );
    this.#redis = createRedis(config.redis, {
      random: surroundings.random,
      connectionName: `wherry-${options.identity.name}`,
      onUp: () => {
        this.#disconnected = undefined;
        logger.debug({}, 'redis connected');
        this.#redisTried.resolve();
      },
      onDown: (reason) => {
        this.#disconnected = reason;
        logger.debug({ err: { type: 'RedisConnection', message: reason } }, 'redis disconnected');
        this.#redisTried.resolve();
      },
    });
    const place = { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id };
    const shared = createRedisCoordination(this.#redis, place);
    this.#coordination = timedCoordination(shared, clock, (command, seconds) => this.#metrics.redisCommand(command, seconds));
    this.#registry = createRegistry({
      surroundings,
      network: config.network,
      permits: this.#coordination.permits,
      failedStore: createRedisFailedStore(this.#redis, place),
    });
    this.#skew = new ClockSkew(clock, () => redisNowMs(this.#redis), logger);
    this.#backlog = new Backlog({
      clock,
      createSource: this.#registry.createSource,
      mappings: () => [...this.config.mappings.values()].filter((mapping): mapping is SqsMapping => mapping.source === 'sqs'),
      heldUnits: () => this.#fleet?.status().held.map((lease) => lease.id) ?? [],
    });
  }

  /** The configuration that runs. */
  get config(): WherryConfig {
    return this.#reload.config;
  }

  /** SIGHUP: look at the configuration, if it says so. */
  hangUp(): void {
    if (this.config.reload.onSighup) void this.#reload.check('SIGHUP');
    else this.#options.logger.info({ signal: 'SIGHUP' }, 'signal ignored because reload.onSighup is off');
  }

  /** The drain took longer than `shutdown.grace`. */
  graceExceeded(): void {
    this.#metrics.graceExceeded();
  }

  /**
   * Listens, polls until drained or killed, and closes everything.
   *
   * @throws Error when the admin address cannot be taken; nothing was polled then
   */
  async run(): Promise<void> {
    const { logger, surroundings, identity } = this.#options;
    const config = this.config;
    const stop = this.#options.signals();
    const ended = new AbortController();
    const admin = this.#createAdmin(stop);
    this.#eventLoop.enable();
    try {
      const listener = await listenAdmin(admin, config.admin.listen, logger);
      // Without this the first claims would fail for want of a connection, and a good start would log a lost Redis.
      await this.#redisTried.promise;
      this.#fleet = new Fleet({
        surroundings,
        stop,
        coordination: this.#coordination,
        config,
        poller: { token: identity.token, version: VERSION, adminUrl: listener.url },
        createSource: this.#registry.createSource,
        createStreamSource: this.#registry.createStreamSource,
        createDestination: this.#registry.createDestination,
        createInvoker: this.#registry.createInvoker,
        observe: (event) => this.#observe(event),
      });
      logger.info({ version: VERSION, token: identity.token, configHash: config.hash, mappings: config.mappings.size }, 'poller started');
      const background = [this.#reload.run(stop.drain), this.#chores(ended.signal), this.#checkClock(ended.signal)];
      await this.#fleet.run();
      ended.abort();
      await Promise.all(background);
    } finally {
      ended.abort();
      this.#eventLog.flush();
      this.#eventLoop.disable();
      this.#backlog.close();
      await admin.close();
      this.#redis.disconnect();
    }
  }

  #createAdmin(stop: StopSignals) {
    return createAdmin({
      logger: this.#options.logger,
      metrics: this.#metrics,
      bearerTokens: () => this.config.admin.bearerTokens,
      checks: () => this.#checks(stop),
      reload: () => this.#reload.check('request'),
      status: () => {
        const status = this.#fleet?.status();
        if (status === undefined) return undefined;
        return statusReport({
          status,
          config: this.config,
          version: VERSION,
          nowMs: this.#options.surroundings.clock.nowMs(),
          totals: (mapping) => this.#totals.read(mapping),
          backlog: (mapping) => this.#backlog.read(mapping),
        });
      },
    });
  }

  #checks(stop: StopSignals): ReadinessCheck[] {
    const status = this.#fleet?.status();
    const isDraining = stop.drain.aborted || stop.kill.aborted;
    return [
      { name: 'config', isOk: true },
      { name: 'redis', isOk: status?.storeUp === true },
      // Ready but for draining means that a claim scan is complete.
      { name: 'claims', isOk: status?.ready === true || (isDraining && status?.storeUp === true) },
      { name: 'not draining', isOk: !isDraining },
    ];
  }

  /** A listener that throws must not break the loop it listens to. */
  #observe(event: EngineEvent): void {
    try {
      this.#metrics.observe(event);
      this.#totals.observe(event);
      this.#eventLog.observe(this.#withReason(event));
    } catch (error) {
      this.#options.logger.error({ err: error, event: event.type }, 'event could not be told');
    }
  }

  /** The store knows that there is no connection to Redis; why there is none, only the connection was told. */
  #withReason(event: EngineEvent): EngineEvent {
    if (event.type !== 'storeUp' || event.up || this.#disconnected === undefined) return event;
    return { ...event, message: `${event.message} (${this.#disconnected})` };
  }

  #apply(next: WherryConfig): readonly string[] {
    this.#options.logger.level = next.logging.level;
    this.#eventLog.configure(next);
    this.#totals.keep(next.mappings.keys());
    const labels = this.#metrics.configure(next);
    this.#fleet?.reload(next);
    return labels.map((label) => `mappings.*.labels.${label}`);
  }

  #levels() {
    const status = this.#fleet?.status();
    if (status === undefined) return NO_LEVELS;
    return readLevels(status, (mapping) => this.#backlog.read(mapping), this.#eventLoop, this.#options.surroundings.clock.nowMs());
  }

  async #chores(stop: AbortSignal): Promise<void> {
    const { clock } = this.#options.surroundings;
    while (!stop.aborted) {
      this.#eventLog.tick();
      await this.#backlog.tick();
      await clock.sleep(CHORES_EVERY_MS, stop);
    }
  }

  async #checkClock(stop: AbortSignal): Promise<void> {
    const { clock } = this.#options.surroundings;
    while (!stop.aborted) {
      await clock.sleep(CHORES_EVERY_MS, stop);
      await this.#skew.check();
      await clock.sleep(CLOCK_CHECK_EVERY_MS, stop);
    }
  }
}

/** Redis's own clock; `TIME` answers seconds and microseconds. */
async function redisNowMs(redis: RedisClient): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1000 + Number(microseconds) / 1000;
}
