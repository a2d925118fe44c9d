import { unsignedHeaders } from './aws-scope.ts';

/** The topics of one SNS backend, called without the SDK. */
export class TestTopics {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  /** @returns its ARN */
  async create(name: string): Promise<string> {
    const arn = /<TopicArn>([^<]+)<\/TopicArn>/.exec(await this.#call('CreateTopic', { Name: name }))?.[1];
    if (arn === undefined) throw new Error(`topic ${name} has no ARN`);
    return arn;
  }

  /** Lets every notification of the topic become a message of the queue, inside SNS's envelope. */
  async subscribe(topicArn: string, queueArn: string): Promise<void> {
    await this.#call('Subscribe', { TopicArn: topicArn, Protocol: 'sqs', Endpoint: queueArn });
  }

  async #call(action: string, parameters: Readonly<Record<string, string>>): Promise<string> {
    const body = new URLSearchParams({ Action: action, Version: '2010-03-31', ...parameters });
    const response = await fetch(this.#endpoint, { method: 'POST', headers: unsignedHeaders('sns', 'us-east-1'), body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${action} answered ${response.status}: ${text}`);
    return text;
  }
}
