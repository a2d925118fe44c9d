/**
 * The poller process: the only place that knows all the parts. It reads the configuration, opens what is needed, and stops it again.
 *
 *   configuration ─▶ log, metrics ─▶ Redis ─▶ admin listener ─▶ fleet ─▶ (drain | kill) ─▶ exit code
 */
import { hostname } from 'node:os';
import { loadConfig, type LoadedConfig, type LoadResult } from '@wherry/config/load';
import { createLogger } from '@wherry/observe/log';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { configRefusal } from './config-refusal.ts';
import { logFindings } from './config-findings.ts';
import { hostileEnvironment } from './hostile-environment.ts';
import { containerMemoryLimitBytes } from './memory-limit.ts';
import { type PollerIdentity, pollerIdentity } from './poller-name.ts';
import { PollerProcess } from './poller-process.ts';
import { guardProcess } from './process-guard.ts';
import { Stop } from './stop.ts';
import { systemSurroundings } from './surroundings.ts';

/** Where text goes: `process.stdout` or a stand-in. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface RunPollerOptions {
  /** The main configuration file, as the user named it. */
  readonly configFile: string;
  /** What `${VAR}` in the configuration means, and `WHERRY_POLLER_NAME`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Log lines; `process.stdout` unless given. */
  readonly stdout?: TextOutput;
  /** Why the poller refuses to start, and the errors of a bad reload; `process.stderr` unless given. */
  readonly stderr?: TextOutput;
  /** Something the user should know about this start; logged first. */
  readonly notice?: string;
}

/** Bytes of log lines that wait for a slow reader; further lines are dropped, because a poller must not stop or grow for its log. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Runs one poller until it is told to stop.
 *
 * @returns the exit code: 0 drained (also when `shutdown.grace` ran out), 1 the configuration or the environment is refused,
 * 128 + n stopped at once by a second signal n. After a crash the process ends by itself with 70.
 */
export async function runPoller(options: RunPollerOptions): Promise<number> {
  const { configFile, env, stderr = process.stderr } = options;
  const print = (text: string): void => void stderr.write(`${text}\n`);
  const hostile = hostileEnvironment(env, process.execArgv);
  if (hostile.length > 0) {
    for (const finding of hostile) print(`error: ${finding}`);
    return 1;
  }
  let runningFleetId: string | undefined;
  const load = (): Promise<LoadResult> =>
    loadConfig({ file: configFile, env, memoryLimitBytes: containerMemoryLimitBytes(), runningFleetId });
  const loaded = await load();
  const refusal = configRefusal(loaded, configFile);
  if (refusal !== undefined || !loaded.ok) {
    print(refusal ?? `error: ${configFile} was refused`);
    return 1;
  }
  runningFleetId = loaded.config.fleet.id;
  return start(options, { loaded, load, print });
}

interface Loaded {
  readonly loaded: LoadedConfig;
  readonly load: () => Promise<LoadResult>;
  readonly print: (text: string) => void;
}

async function start(options: RunPollerOptions, { loaded, load, print }: Loaded): Promise<number> {
  const { config, warnings } = loaded;
  const identity = pollerIdentity(options.env['WHERRY_POLLER_NAME'], hostname(), systemSurroundings.newId());
  const output = logOutput(options.stdout ?? process.stdout);
  let logger: Logger;
  try {
    const { stream: destination, isTerminal } = output;
    logger = createLogger({ logging: config.logging, fleet: config.fleet.id, poller: identity.name, destination, isTerminal });
  } catch (error) {
    print(`error: ${(error as Error).message}`);
    return 1;
  }
  if (options.notice !== undefined) logger.info({ notice: options.notice }, 'notice given');
  logFindings(logger, warnings);
  const release = guardProcess(process, logger, (code) => {
    output.flush();
    process.exit(code);
  });
  try {
    return await run({ identity, loaded, load, print, logger, configFile: options.configFile });
  } catch (error) {
    // What fails here fails before anything was polled: an address that is taken, a CA file that is not there.
    print(`error: ${(error as Error).message}`);
    return 1;
  } finally {
    release();
    output.flush();
  }
}

interface Run {
  readonly identity: PollerIdentity;
  readonly loaded: LoadedConfig;
  readonly load: () => Promise<LoadResult>;
  readonly print: (text: string) => void;
  readonly logger: Logger;
  readonly configFile: string;
}

async function run({ logger, ...rest }: Run): Promise<number> {
  const poller: PollerProcess = new PollerProcess({ ...rest, logger, surroundings: systemSurroundings, signals: () => stop.signals });
  const stop = new Stop({
    clock: systemSurroundings.clock,
    logger,
    graceMs: () => poller.config.shutdownGraceMs,
    graceExceeded: () => poller.graceExceeded(),
  });
  const listeners: readonly (readonly [NodeJS.Signals, () => void])[] = [
    ['SIGTERM', () => stop.signalled('SIGTERM')],
    ['SIGINT', () => stop.signalled('SIGINT')],
    ['SIGHUP', () => poller.hangUp()],
    // Node would open its inspector, through which events in memory can be read.
    ['SIGUSR1', () => logger.warn({ signal: 'SIGUSR1' }, 'signal ignored')],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  try {
    const code = await stop.outcome(poller.run());
    logger.info({ exitCode: code }, 'poller stopped');
    return code;
  } finally {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  }
}

interface LogOutput {
  readonly stream: { write(line: string): void };
  readonly isTerminal: boolean;
  readonly flush: () => void;
}

/** The process's own standard output is written in the background: a slow reader must not hold up lease renewals. */
function logOutput(stdout: TextOutput): LogOutput {
  const isTerminal = stdout.isTTY === true;
  if (stdout !== process.stdout) return { stream: { write: (line) => void stdout.write(line) }, isTerminal, flush: () => {} };
  const stream = pino.destination({ fd: 1, sync: false, maxLength: LOG_BYTES_MAX });
  return { stream, isTerminal, flush: () => stream.flushSync() };
}
