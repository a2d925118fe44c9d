import { Command, CommanderError, Option } from 'commander';
import { configOption, type WithConfig } from './config-option.ts';
import { addFailedCommands } from './failed-commands.ts';
import type { InitOptions } from './init.ts';
import { ExitCode, UsageError, type Io } from './io.ts';
import { addOperationCommands } from './operation-commands.ts';

/**
 * Parses the arguments and runs the command. Each command's code is imported only when it runs: help and `version` must not
 * wait for the schema, the AWS clients or Redis.
 *
 * @param args without node and script
 * @returns the exit code: 0 good, 1 errors, 2 bad usage
 */
export async function runProgram(args: readonly string[], io: Io): Promise<number> {
  let exitCode: number = ExitCode.ok;
  const program = createProgram(io, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.code === VERSION_ASKED) return (await import('./version.ts')).version(io, {});
    return exitCodeOf(error, io);
  }
}

/** Code of the error that `--version` ends the parsing with; what it prints is imported only then. */
const VERSION_ASKED = 'wherry.version';

function exitCodeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
  if (error instanceof UsageError) {
    io.stderr.write(`error: ${error.message}\n`);
    return ExitCode.usage;
  }
  // Whatever gets here was not foreseen: the stack is what a bug report needs.
  io.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return ExitCode.failed;
}

const exitCodes = '\nExit codes: 0 good, 1 errors, 2 bad usage.';

function createProgram(io: Io, exit: (code: number) => void): Command {
  const program = new Command('wherry')
    .description('Polls event sources as AWS Lambda does and hands the events to your functions.')
    .showSuggestionAfterError()
    .showHelpAfterError('(wherry --help lists the commands)')
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .exitOverride()
    .addHelpText('after', exitCodes);
  program.option('-V, --version', 'print the version').on('option:version', () => {
    throw new CommanderError(0, VERSION_ASKED, '');
  });
  addFleetCommands(program, io, exit);
  addOperationCommands(program, io, exit);
  addConfigurationCommands(program, io, exit);
  addFilterCommands(program, io, exit);
  addFailedCommands(program, io, exit);
  return program;
}

const statusNotes = `
With --url the bearer token of admin.auth, if the pollers want one, is taken from WHERRY_ADMIN_TOKEN.
A configuration with errors does not stop the pollers: status then asks the poller that admin.listen names.`;

function addFleetCommands(program: Command, io: Io, exit: (code: number) => void): void {
  const start = async ({ config }: WithConfig, notice?: string): Promise<number> => {
    const { runPoller } = await import('@wherry/poller/run');
    return runPoller({ configFile: config, env: io.env, stdout: process.stdout, ...(notice === undefined ? {} : { notice }) });
  };
  program
    .command('poller')
    .description('run one poller; start as many as you like')
    .addOption(configOption(io))
    .action(async (options: WithConfig) => exit(await start(options)));
  program
    .command('up')
    .description('run all there is in one process: for development and small installations')
    .addOption(configOption(io))
    .action(async (options: WithConfig) => exit(await start(options, 'up runs the poller alone: this version has no gateway')));
  program
    .command('status')
    .description('show what the fleet is doing')
    .addOption(configOption(io))
    .option('--url <url>', 'ask the poller with this admin address, whatever the configuration says')
    .option('--json', 'print JSON')
    .option('--watch', 'repeat every 2 seconds')
    .addHelpText('after', statusNotes)
    .action(async (options: WithConfig & { url?: string; json?: boolean; watch?: boolean }) => {
      const { status } = await import('./status.ts');
      exit(await status(io, options));
    });
  program
    .command('health')
    .description('ask a poller whether it is ready: exit code 0 or 1')
    .addOption(configOption(io))
    .option('--url <url>', 'admin listener of the poller; default: admin.listen of the configuration')
    .action(async (options: WithConfig & { url?: string }) => {
      const { health } = await import('./health.ts');
      exit(await health(io, options));
    });
  program
    .command('version')
    .description('print the version')
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { version } = await import('./version.ts');
      exit(version(io, options));
    });
}

const validateNotes = `
As text, problems go to standard error, and each good file adds a line to standard output:
  wherry.yaml: ok (2 functions, 3 mappings, 1 warning)
With --format json (one list) or github, problems go to standard output.
Several files are several configurations, each checked by itself. Warnings do not change the exit code.`;

function addConfigurationCommands(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('validate')
    .description('check configuration files: every mistake at once, each with its place')
    .argument('[files...]', 'configuration files; default: --config')
    .addOption(configOption(io))
    .addOption(new Option('--format <format>', 'how problems are written').choices(['text', 'json', 'github']).default('text'))
    .option('--online', 'also ask the queues, streams, failure destinations, Redis and the targets that are named there')
    .addHelpText('after', validateNotes + exitCodes)
    .action(async (files: string[], options: WithConfig & { format: 'text' | 'json' | 'github'; online?: boolean }) => {
      if (files.includes('')) throw new UsageError('one of the files has an empty name: name a file');
      const { validate } = await import('./validate.ts');
      exit(
        await validate(io, { files: files.length > 0 ? files : [options.config], format: options.format, online: options.online === true }),
      );
    });
  const config = program.command('config').description('look at the configuration');
  config
    .command('print')
    .description('print the effective configuration, secrets starred')
    .addOption(configOption(io))
    .option('--origin', 'name file and line of each value')
    .action(async (options: WithConfig & { origin?: boolean }) => {
      const { printConfig } = await import('./print-config.ts');
      exit(await printConfig(io, options));
    });
  program
    .command('schema')
    .description('print the JSON Schema (draft-07) of the configuration, for editors')
    .action(async () => {
      const { printSchema } = await import('./schema.ts');
      exit(printSchema(io));
    });
  program
    .command('explain')
    .description('say what a field means, its limits and its default')
    .argument('<field>', 'such as mappings.BatchSize or functions.target.http')
    .action(async (field: string) => {
      const { explain } = await import('./explain.ts');
      exit(explain(io, field));
    });
  program
    .command('init')
    .description('write a first wherry.yaml from three questions, or from the options alone')
    .option('--source-arn <arn>', 'SQS queue, Kinesis stream or DynamoDB stream to poll')
    .addOption(new Option('--target-url <url>', 'plain HTTP service that gets the events').conflicts(['rie', 'lambda']))
    .addOption(new Option('--rie <url>', 'container with the Runtime Interface Emulator').conflicts(['lambda']))
    .option('--lambda <name[:qualifier]>', 'function on AWS Lambda')
    .option('--redis <url>', 'Redis of the fleet')
    .option('--out <file>', 'file to write', 'wherry.yaml')
    .option('--yes', 'ask nothing; take an example for what is not given')
    .action(async (options: InitOptions) => {
      const { init } = await import('./init.ts');
      exit(await init(io, options));
    });
}

const filterTestNotes = `
An event is tested against one pattern, or against the filters of a mapping:
  wherry filter test --pattern '{"detail":{"state":["stopped"]}}' --event event.json
  wherry filter test orders --event event.json
For a mapping the file may hold a whole Lambda event ({"Records":[…]}: each record is tested, and all have to match), one record,
or a payload alone: the body of an SQS message, the data of a Kinesis record, the "dynamodb" part of a DynamoDB record.
A body is taken byte for byte: a line break at the end of the file belongs to it.

With --ndjson each line of standard input, such as {"pattern":{"a":[1]},"event":{"a":1}}, is answered by one line of output:
  {"match":true}, {"match":false} or {"error":"reason","offset":3}
Pattern and event may also be JSON strings that hold the text. Offsets count UTF-16 units from 0: inside the pattern's text; where the
reason begins with "the event", inside the event's text; where it begins with "the line", inside the line.

Exit codes: 0 match, 1 no match, 2 bad input. With --ndjson: 0 once every line is answered, whatever the answers.`;

interface FilterTestArguments extends WithConfig {
  readonly pattern?: string;
  readonly event?: string;
  readonly ndjson?: boolean;
  readonly json?: boolean;
}

function addFilterCommands(program: Command, io: Io, exit: (code: number) => void): void {
  const filter = program.command('filter').description('try event patterns and the filters of mappings');
  filter
    .command('test')
    .description('say whether an event matches, and if not, the first condition that failed')
    .argument('[mapping]', 'mapping whose filters are tested, by its name in the configuration')
    .option('--pattern <json>', 'test this event pattern instead; @FILE reads it from a file')
    .option('--event <file>', 'JSON file with the event; - is standard input')
    .addOption(configOption(io))
    .option('--ndjson', 'answer pairs of pattern and event from standard input, line by line')
    .option('--json', 'print JSON')
    .addHelpText('after', filterTestNotes)
    .action(async (mapping: string | undefined, options: FilterTestArguments) => {
      const { filterTest } = await import('./filter-test.ts');
      exit(await filterTest(io, { ...options, ...(mapping === undefined ? {} : { mapping }) }));
    });
}
