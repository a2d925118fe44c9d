import type { LoadedConfig, LoadResult } from '@wherry/config/load';
import type { Clock } from '@wherry/core/clock';
import type { WherryConfig } from '@wherry/core/mapping';
import type { Logger } from 'pino';
import type { ReloadAnswer } from './admin.ts';
import { logFindings } from './config-findings.ts';
import { configRefusal } from './config-refusal.ts';

/** What made the poller look at its configuration. */
export type ReloadCause = 'interval' | 'SIGHUP' | 'request';

export interface ReloadOptions {
  /** The main file, as the user named it. */
  readonly file: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Reads and checks the configuration as it is now. */
  readonly load: () => Promise<LoadResult>;
  /** Takes a good configuration. @returns names of settings in it that need a restart beyond those found by comparing */
  readonly apply: (config: WherryConfig) => readonly string[];
  /** Told the result of each look that found something new. */
  readonly reloaded: (isSuccess: boolean, atMs: number) => void;
  /** Where the errors of a bad file are printed. */
  readonly print: (text: string) => void;
}

/** A load whose configuration can be taken. */
type Good = Pick<LoadedConfig, 'ok' | 'config' | 'warnings'>;

/**
 * Keeps the running configuration and replaces it when the files change: it looks every `reload.interval`, on SIGHUP and when asked.
 * Files are compared by the hash of what was read, never by their times, so that swapped symlinks (Kubernetes ConfigMaps) and edits
 * within one second are seen, and a touched file is not. Parsing thousands of mappings takes a while, during which nothing else runs;
 * so the interval parses only what it has not seen before. Who asks gets all of it.
 *
 * A bad configuration changes nothing: the old one stays, and the errors are printed once per version of them.
 */
export class Reload {
  readonly #options: ReloadOptions;
  #config: WherryConfig;
  /** What the last load read. */
  #inputs: LoadResult['inputs'] | undefined;
  #printed = '';
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ReloadOptions, { config, inputs }: Pick<LoadedConfig, 'config' | 'inputs'>) {
    this.#options = options;
    this.#config = config;
    this.#inputs = inputs;
  }

  /** The configuration that runs. */
  get config(): WherryConfig {
    return this.#config;
  }

  /** Looks every `reload.interval` until the signal aborts; an interval of 0 never looks. */
  async run(stop: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!stop.aborted) {
      const { intervalMs } = this.#config.reload;
      // 0 can become an interval only by a reload on SIGHUP or request: look for that now and then.
      await clock.sleep(intervalMs === 0 ? 5_000 : intervalMs, stop);
      if (!stop.aborted && intervalMs > 0) await this.check('interval');
    }
  }

  /** Looks at the files once. Looks never overlap: one that is asked for while another runs comes after it. */
  check(cause: ReloadCause): Promise<ReloadAnswer> {
    const next = this.#running.then(() => this.#check(cause));
    this.#running = next;
    return next;
  }

  async #check(cause: ReloadCause): Promise<ReloadAnswer> {
    // Nothing to be said that was not said of the same files the last time.
    if (cause === 'interval' && (await this.#inputs?.haveChanged()) === false) return { outcome: 'unchanged' };
    const result = await this.#load();
    if (!result.ok) return this.#refuse(cause, result.text);
    const { config } = result;
    if (config.hash === this.#config.hash) return this.#unchanged(cause);
    // Its keys in Redis are those of the fleet that it joined: it stays in that one, whatever the file says now.
    const next: WherryConfig = { ...config, fleet: { ...config.fleet, id: this.#config.fleet.id } };
    const needsRestart = [...restartSettings(this.#config, config), ...this.#options.apply(next)];
    const { logger, clock, reloaded } = this.#options;
    this.#config = next;
    this.#printed = '';
    reloaded(true, clock.nowMs());
    logger.info({ cause, configHash: config.hash, mappings: config.mappings.size }, 'configuration reloaded');
    logFindings(logger, result.warnings);
    if (needsRestart.length > 0) logger.warn({ settings: needsRestart }, 'configuration has changes that need a restart');
    return { outcome: 'applied', needsRestart };
  }

  /** A load that throws (a bug, or a disk that fails in a new way) must not end the poller: it counts as a bad configuration. */
  async #load(): Promise<Good | { ok: false; text: string }> {
    this.#inputs = undefined;
    try {
      const result = await this.#options.load();
      this.#inputs = result.inputs;
      const text = configRefusal(result, this.#options.file);
      if (!result.ok || text !== undefined) return { ok: false, text: text ?? '' };
      return { ok: true, config: result.config, warnings: result.warnings };
    } catch (error) {
      return { ok: false, text: `error: the configuration could not be read: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  #refuse(cause: ReloadCause, text: string): ReloadAnswer {
    const { logger, print, reloaded, clock } = this.#options;
    reloaded(false, clock.nowMs());
    if (text !== this.#printed) {
      this.#printed = text;
      logger.error({ cause, configHash: this.#config.hash }, 'configuration refused; the old one stays');
      print(text);
    }
    return { outcome: 'refused', problems: text };
  }

  #unchanged(cause: ReloadCause): ReloadAnswer {
    // The bad file was put back to what runs.
    if (this.#printed !== '') {
      this.#printed = '';
      this.#options.reloaded(true, this.#options.clock.nowMs());
      this.#options.logger.info({ cause, configHash: this.#config.hash }, 'configuration is good again and the one that runs');
    }
    return { outcome: 'unchanged' };
  }
}

/** Settings that are read once, when the process starts. */
const RESTART_SETTINGS: readonly (readonly [name: string, read: (config: WherryConfig) => unknown])[] = [
  ['fleet', (config) => config.fleet],
  ['redis', (config) => config.redis],
  ['leases', (config) => config.leases],
  ['limits', (config) => config.limits],
  ['network', (config) => config.network],
  ['admin.listen', (config) => config.admin.listen],
  ['logging.format', (config) => config.logging.format],
  ['logging.redact', (config) => config.logging.redact],
  ['metrics', (config) => config.metrics],
];

/** Names of the settings that differ and only take effect after a restart. */
export function restartSettings(before: WherryConfig, after: WherryConfig): string[] {
  const differs = (read: (config: WherryConfig) => unknown): boolean => JSON.stringify(read(before)) !== JSON.stringify(read(after));
  return RESTART_SETTINGS.filter(([, read]) => differs(read)).map(([name]) => name);
}
