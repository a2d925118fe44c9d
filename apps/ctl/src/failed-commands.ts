import { type Command, InvalidArgumentError } from 'commander';
import { configOption } from './config-option.ts';
import type { FailedChangeOptions } from './failed-change.ts';
import type { FailedListOptions } from './failed-list.ts';
import type { FailedShowOptions } from './failed-show.ts';
import { type Io, UsageError } from './io.ts';

const SHOWN_UNLESS_TOLD = 100;

const failedNotes = `
Batches come here from mappings whose DestinationConfig.OnFailure.Destination is wherry://failed/NAME, and stay until they are
redriven or discarded.`;

const listNotes = `
With --json: {"batches":[…],"hasMore":false,"destinations":[{"name","batches","bytes"}]}`;

const redriveNotes = `
The mapping's function is invoked from here, while the fleet runs, with the target and the rules of the configuration as it is now,
within ReservedConcurrentExecutions and the concurrency of a RIE target. What succeeds is taken out. After a partial failure (function
responses with batchItemFailures) what remains is a batch of its own. What fails stays. The epoch that the function is told is 0.

Exit codes: 0 all done, 1 something remains, 2 bad usage.`;

/** Adds `wherry failed` with its commands. Their code is imported only when they run. */
export function addFailedCommands(program: Command, io: Io, exit: (code: number) => void): void {
  const failed = program.command('failed').description("look at, redrive or discard what was given up to the fleet's own store");
  failed.addHelpText('after', failedNotes);
  failed
    .command('list')
    .description('list failed batches, the oldest first')
    .argument('[mapping]', 'those of one mapping, by its name or UUID')
    .option('--mapping <mapping>', 'the same, as an option')
    .option('--name <name>', 'those of one destination, wherry://failed/<name>')
    .option('--limit <count>', 'how many to list', positiveNumber, SHOWN_UNLESS_TOLD)
    .option('--json', 'print JSON')
    .addOption(configOption(io))
    .addHelpText('after', listNotes)
    .action(async (mapping: string | undefined, options: FailedListOptions) => {
      const { failedList } = await import('./failed-list.ts');
      exit(await failedList(io, withMapping(mapping, options)));
    });
  failed
    .command('show')
    .description('print the failure record of a batch')
    .argument('<id>', 'id of the batch')
    .option('--event', 'also print the event that the function got')
    .option('--json', 'print JSON with all that is known of the batch')
    .addOption(configOption(io))
    .action(async (id: string, options: FailedShowOptions) => {
      const { failedShow } = await import('./failed-show.ts');
      exit(await failedShow(io, id, options));
    });
  const change = (name: string, description: string): Command =>
    failed
      .command(name)
      .description(description)
      .argument('[mapping]', 'the batches of one mapping, by its name or UUID')
      .option('--mapping <mapping>', 'the same, as an option')
      .option('--name <name>', 'the batches of one destination, wherry://failed/<name>')
      .option('--id <id...>', 'these batches')
      .option('--all', 'every batch')
      .option('--yes', 'do not ask')
      .option('--json', 'print JSON')
      .addOption(configOption(io));
  change('redrive', 'invoke the function with failed batches again')
    .addHelpText('after', redriveNotes)
    .action(async (mapping: string | undefined, options: FailedChangeOptions) => {
      const { failedRedrive } = await import('./failed-redrive.ts');
      exit(await failedRedrive(io, withMapping(mapping, options)));
    });
  change('discard', 'remove failed batches for good').action(async (mapping: string | undefined, options: FailedChangeOptions) => {
    const { failedDiscard } = await import('./failed-discard.ts');
    exit(await failedDiscard(io, withMapping(mapping, options)));
  });
}

/** A mapping that is named on its own is as good as the option. */
function withMapping<Options extends { readonly mapping?: string }>(mapping: string | undefined, options: Options): Options {
  if (mapping === undefined) return options;
  if (options.mapping !== undefined && options.mapping !== mapping) {
    throw new UsageError(`two mappings are named, ${mapping} and ${options.mapping}: name one`);
  }
  return { ...options, mapping };
}

function positiveNumber(text: string): number {
  const number = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(number) || number === 0)
    throw new InvalidArgumentError('Expected a whole number above 0.');
  return number;
}
