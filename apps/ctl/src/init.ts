import { writeFile } from 'node:fs/promises';
import { ExitCode, UsageError, type Io } from './io.ts';
import { exampleAnswers, sourceArnFault, starterFile, urlFault, type StarterAnswers, type StarterTarget } from './starter-file.ts';

/** The options of `wherry init`, as commander names them. */
export interface InitOptions {
  readonly sourceArn?: string;
  readonly targetUrl?: string;
  readonly rie?: string;
  readonly lambda?: string;
  readonly redis?: string;
  readonly out: string;
  readonly yes?: boolean;
}

/** `wherry init`: writes a first configuration and never overwrites one. */
export async function init(io: Io, options: InitOptions): Promise<number> {
  const given = checkOptions(options);
  const answers = await complete(given, io, options);
  if (answers === undefined) {
    io.stderr.write('nothing was written\n');
    return ExitCode.failed;
  }
  try {
    await writeFile(options.out, starterFile(answers, options.out), { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    io.stderr.write(
      code === 'EEXIST' ? `error: ${options.out} exists and stays as it is; name another file with --out\n` : `error: ${message}\n`,
    );
    return ExitCode.failed;
  }
  io.stdout.write(
    `wrote ${options.out}\nnext: npx wherry validate --online ${options.out}\n      npx wherry poller --config ${options.out}\n`,
  );
  return ExitCode.ok;
}

function checkOptions(options: InitOptions): Partial<StarterAnswers> {
  refuse('--source-arn', options.sourceArn, sourceArnFault);
  refuse('--target-url', options.targetUrl, httpFault);
  refuse('--rie', options.rie, httpFault);
  refuse('--redis', options.redis, redisFault);
  refuse('--lambda', options.lambda, functionFault);
  const target = targetOf(options);
  return {
    ...(options.sourceArn === undefined ? {} : { sourceArn: options.sourceArn }),
    ...(target === undefined ? {} : { target }),
    ...(options.redis === undefined ? {} : { redisUrl: options.redis }),
  };
}

function refuse(flag: string, value: string | undefined, faultOf: (value: string) => string | undefined): void {
  const fault = value === undefined ? undefined : faultOf(value);
  if (fault !== undefined) throw new UsageError(`${flag} ${value}: ${fault}`);
}

const httpFault = (text: string): string | undefined => urlFault(text, ['http:', 'https:']);
const redisFault = (text: string): string | undefined => urlFault(text, ['redis:', 'rediss:']);
const functionFault = (text: string): string | undefined =>
  /^[A-Za-z0-9_-]{1,64}(:[A-Za-z0-9_$-]{1,128})?$/.test(text)
    ? undefined
    : 'expected the name of a function, optionally with :alias or :version';

function targetOf(options: InitOptions): StarterTarget | undefined {
  if (options.targetUrl !== undefined) return { kind: 'http', url: options.targetUrl };
  if (options.rie !== undefined) return { kind: 'rie', url: options.rie };
  return options.lambda === undefined ? undefined : lambdaTarget(options.lambda);
}

function lambdaTarget(text: string): StarterTarget {
  const [functionName = '', qualifier] = text.split(':');
  return { kind: 'lambda', functionName, ...(qualifier === undefined ? {} : { qualifier }) };
}

/** Fills in what the options leave open. Undefined when the user gave up. */
async function complete(given: Partial<StarterAnswers>, io: Io, options: InitOptions): Promise<StarterAnswers | undefined> {
  const isOpen = given.sourceArn === undefined || given.target === undefined || given.redisUrl === undefined;
  if (!isOpen || options.yes === true) return { ...exampleAnswers, ...given };
  if (io.stdin.isTTY === true && io.stdout.isTTY === true) return ask(given);
  throw new UsageError(
    'without a terminal init needs --source-arn, one of --target-url, --rie or --lambda, and --redis; or --yes to take examples for the rest',
  );
}

async function ask(given: Partial<StarterAnswers>): Promise<StarterAnswers | undefined> {
  const { intro, isCancel, text } = await import('@clack/prompts');
  const question: Question = async (message, initialValue, faultOf) => {
    const answer = await text({ message, initialValue, validate: (value) => faultOf(value ?? '') });
    return isCancel(answer) ? undefined : answer;
  };
  intro('wherry init');
  const sourceArn =
    given.sourceArn ??
    (await question('Which SQS queue, Kinesis stream or DynamoDB stream? (ARN)', exampleAnswers.sourceArn, sourceArnFault));
  if (sourceArn === undefined) return undefined;
  const target = given.target ?? (await askTarget(question));
  if (target === undefined) return undefined;
  const redisUrl = given.redisUrl ?? (await question('Which Redis?', exampleAnswers.redisUrl, redisFault));
  return redisUrl === undefined ? undefined : { sourceArn, target, redisUrl };
}

type Question = (message: string, initialValue: string, faultOf: (value: string) => string | undefined) => Promise<string | undefined>;

async function askTarget(question: Question): Promise<StarterTarget | undefined> {
  const { isCancel, select } = await import('@clack/prompts');
  const kind = await select({
    message: 'Where does the function run?',
    options: [
      { value: 'http' as const, label: 'an HTTP service', hint: 'gets POSTs with the event' },
      { value: 'rie' as const, label: 'a container with the Lambda Runtime Interface Emulator' },
      { value: 'lambda' as const, label: 'AWS Lambda' },
    ],
  });
  if (isCancel(kind)) return undefined;
  if (kind === 'lambda') {
    const name = await question('Which function? (name, or name:alias)', 'orders', functionFault);
    return name === undefined ? undefined : lambdaTarget(name);
  }
  const url = await question('Its URL?', kind === 'http' ? 'http://127.0.0.1:9000/orders' : 'http://127.0.0.1:8080', httpFault);
  return url === undefined ? undefined : { kind, url };
}
