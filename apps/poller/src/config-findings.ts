import type { Problem } from '@wherry/config/problem';
import type { Logger } from 'pino';

/**
 * Logs what is worth knowing about a configuration that was taken: a warning at `warn`, because somebody should do something about
 * it, a notice at `info`, because nobody has to.
 */
export function logFindings(logger: Logger, findings: readonly Problem[]): void {
  for (const { severity, file, line, column, path, code, message } of findings) {
    const place = { file, line, column, path, code };
    if (severity === 'notice') logger.info({ ...place, notice: message }, 'configuration has a notice');
    else logger.warn({ ...place, warning: message }, 'configuration has a warning');
  }
}
