/** What the ARN of a queue says: `arn:<partition>:sqs:<region>:<account>:<name>`. */
export interface QueueArn {
  readonly region: string;
  readonly accountId: string;
  readonly queueName: string;
}

/** Takes a queue's ARN apart. Throws on anything else; the configuration has refused it long before. */
export function parseQueueArn(arn: string): QueueArn {
  const [, , service, region, accountId, queueName, ...rest] = arn.split(':');
  if (service !== 'sqs' || region === undefined || accountId === undefined || queueName === undefined || rest.length > 0) {
    throw new TypeError(`not the ARN of an SQS queue: ${arn}; expected arn:aws:sqs:REGION:ACCOUNT:NAME`);
  }
  return { region, accountId, queueName };
}

/**
 * Where a queue is. Asks once, by name and owner, and keeps the answer until `refresh`; simultaneous askers share one
 * call and a failed call is not kept. The URL is only a name here: requests go to the client's own endpoint whatever host
 * the URL has, because emulators hand out hosts that resolve nowhere outside their container.
 */
export class QueueUrl {
  readonly #queue: QueueArn;
  readonly #askUrl: (queue: QueueArn) => Promise<string | undefined>;
  #url: Promise<string> | undefined;

  /** @param askUrl calls `GetQueueUrl` */
  constructor(queue: QueueArn, askUrl: (queue: QueueArn) => Promise<string | undefined>) {
    this.#queue = queue;
    this.#askUrl = askUrl;
  }

  get(): Promise<string> {
    if (this.#url === undefined) {
      const asked = this.#ask();
      this.#url = asked;
      asked.catch(() => {
        if (this.#url === asked) this.#url = undefined;
      });
    }
    return this.#url;
  }

  /** Forgets the URL; the next `get` asks again. */
  refresh(): void {
    this.#url = undefined;
  }

  async #ask(): Promise<string> {
    const url = await this.#askUrl(this.#queue);
    if (url !== undefined) return url;
    throw new Error(`the answer for queue ${this.#queue.queueName} of account ${this.#queue.accountId} holds no URL`);
  }
}
