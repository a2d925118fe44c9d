import type { Ask } from './confirm.ts';
import { changeFailed, type FailedChangeOptions } from './failed-change.ts';
import { count } from './failed-selection.ts';
import { ExitCode, type Io } from './io.ts';

/** Batches taken out in one go. */
const AT_A_TIME = 500;

/** `wherry failed discard`: takes batches out of the fleet's own store for good. */
export function failedDiscard(io: Io, options: FailedChangeOptions, ask?: Ask): Promise<number> {
  return changeFailed(
    io,
    options,
    {
      verb: 'discard',
      eventName: 'FailedDiscarded',
      perform: async (batches, store) => {
        let discarded = 0;
        for (let start = 0; start < batches.length; start += AT_A_TIME) {
          discarded += await store.remove(batches.slice(start, start + AT_A_TIME).map(({ id }) => id));
        }
        const gone = batches.length - discarded;
        const others = gone === 0 ? '' : `; ${count(gone, 'was', 'were')} gone already`;
        io.stdout.write(
          options.json === true
            ? `${JSON.stringify({ discarded, gone }, undefined, 2)}\n`
            : `discarded ${count(discarded, 'batch', 'batches')}${others}\n`,
        );
        return ExitCode.ok;
      },
    },
    ask,
  );
}
