import { randomUUID } from 'node:crypto';
import { callAws } from './aws-json-call.ts';

/** One DynamoDB table of a test, keyed by the text `pk` and the number `sk`, with its stream. */
export interface TestTable {
  readonly name: string;
  readonly streamArn: string;
}

/** What the records of a table's stream show. */
export type StreamViewType = 'KEYS_ONLY' | 'NEW_IMAGE' | 'OLD_IMAGE' | 'NEW_AND_OLD_IMAGES';

/** An item in DynamoDB's JSON. */
export type TestItem = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The DynamoDB side of a test: makes tables with streams, writes, switches streams off. */
export class TestTables {
  readonly #endpoint: string;

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async create(viewType: StreamViewType = 'NEW_AND_OLD_IMAGES'): Promise<TestTable> {
    const name = `table-${randomUUID()}`;
    const answer = await this.call<{ TableDescription: { LatestStreamArn: string } }>('CreateTable', {
      TableName: name,
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamEnabled: true, StreamViewType: viewType },
    });
    return { name, streamArn: answer.TableDescription.LatestStreamArn };
  }

  async put(table: TestTable, item: TestItem): Promise<void> {
    await this.call('PutItem', { TableName: table.name, Item: item });
  }

  async delete(table: TestTable, key: TestItem): Promise<void> {
    await this.call('DeleteItem', { TableName: table.name, Key: key });
  }

  /** Closes the stream's open shard. */
  async disableStream(table: TestTable): Promise<void> {
    await this.call('UpdateTable', { TableName: table.name, StreamSpecification: { StreamEnabled: false } });
  }

  /** Switches the stream on again. @returns the table with the ARN of its new stream */
  async enableStream(table: TestTable): Promise<TestTable> {
    const answer = await this.call<{ TableDescription: { LatestStreamArn: string } }>('UpdateTable', {
      TableName: table.name,
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    });
    return { ...table, streamArn: answer.TableDescription.LatestStreamArn };
  }

  /** Any operation of DynamoDB. */
  async call<Answer>(operation: string, input: object): Promise<Answer> {
    const service = { endpoint: this.#endpoint, service: 'dynamodb', target: 'DynamoDB_20120810', region: 'us-east-1' };
    return await callAws<Answer>(service, operation, input);
  }
}
