import type { Logger } from 'pino';

/** EX_SOFTWARE of sysexits.h: an internal error. Not 1, which means a bad configuration. */
export const CRASHED = 70;

/** The part of `process` that is needed here. */
export interface GuardedProcess {
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
  off(event: 'uncaughtException' | 'unhandledRejection', listener: (error: unknown) => void): unknown;
}

/**
 * What happens to an error that nobody caught: it is logged at `fatal`, and the process ends with 70.
 *
 * It neither limps on nor drains. After an error out of nowhere nobody knows which invariant still holds, and every protocol of the
 * fleet is made for pollers that vanish: leases run out after their ttl, messages become visible again, nothing is lost. Errors of one
 * mapping never get here: the engine catches them at the mapping's edge.
 *
 * @param crash ends the process with the code given, after what was logged is written
 * @returns takes the guard away again
 */
export function guardProcess(target: GuardedProcess, logger: Logger, crash: (code: number) => void): () => void {
  const onError = (error: unknown): void => {
    logger.fatal({ err: error }, 'process crashed');
    crash(CRASHED);
  };
  target.on('uncaughtException', onError);
  target.on('unhandledRejection', onError);
  return () => {
    target.off('uncaughtException', onError);
    target.off('unhandledRejection', onError);
  };
}
