import { createRedisFailedStore } from '@wherry/leases/redis-failed-store';
import { failedView } from './failed-view.ts';
import { withFleetStore } from './fleet-store.ts';
import { harmless } from './harmless.ts';
import { ExitCode, type Io } from './io.ts';

/** The options of `wherry failed show`. */
export interface FailedShowOptions {
  readonly config: string;
  readonly event?: boolean;
  readonly json?: boolean;
}

/**
 * `wherry failed show`: the failure record of a batch as SQS would get it, and with `--event` the event below it, each on one line as it
 * is stored; as JSON everything in one object, the event as the string `payload`, as Lambda has it.
 */
export function failedShow(io: Io, id: string, options: FailedShowOptions): Promise<number> {
  return withFleetStore(io, options.config, async ({ config, redis }) => {
    const store = createRedisFailedStore(redis, { keyPrefix: config.redis.keyPrefix, fleet: config.fleet.id });
    const found = await store.get(id);
    if (found === undefined) {
      io.stderr.write(`error: there is no failed batch ${id}; wherry failed list shows those there are\n`);
      return ExitCode.failed;
    }
    const { document } = found.batch;
    const event = options.event === true ? new TextDecoder().decode(found.event) : undefined;
    if (options.json === true) {
      const view = {
        ...failedView(found.batch),
        document: JSON.parse(document) as unknown,
        ...(event === undefined ? {} : { payload: event }),
      };
      io.stdout.write(`${JSON.stringify(view, undefined, 2)}\n`);
    } else {
      const lines = [document, ...(event === undefined ? [] : [event])];
      // Byte for byte, but where it could steer a terminal.
      for (const line of lines) io.stdout.write(`${io.stdout.isTTY === true ? harmless(line) : line}\n`);
    }
    return ExitCode.ok;
  });
}
