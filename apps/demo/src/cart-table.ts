import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient, type WriteRequest } from '@aws-sdk/client-dynamodb';
import { credentials } from './emulators.ts';
import type { Entry, Lane, Shipment } from './lane.ts';
import { Ledger } from './ledger.ts';

const tableName = 'carts';
const blockCount = 25;
/** Carts are written by the ten: all are made in one call, and paid for or thrown away in the next. */
const blockSize = 10;
const draftsPerBlock = 2;

type Status = 'open' | 'paid' | 'draft' | 'removed';

/** The DynamoDB table: carts that are made, paid for and removed; its stream has every change, the filters let some through. */
export class CartTable {
  #client: DynamoDBClient;
  /** ARN of the table's stream, which DynamoDB gives the time of its creation. */
  readonly streamArn: string;

  private constructor(client: DynamoDBClient, streamArn: string) {
    this.#client = client;
    this.streamArn = streamArn;
  }

  /** Makes the table with its stream. */
  static async create(endpoint: string): Promise<CartTable> {
    const client = new DynamoDBClient({ endpoint, region: 'us-east-1', credentials });
    const { TableDescription: table } = await client.send(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
      }),
    );
    return new CartTable(client, table!.LatestStreamArn!);
  }

  lane(): Lane {
    const shipments = Array.from({ length: blockCount }, (_, block) => this.#shipments(block)).flat();
    return {
      name: 'carts-table',
      kind: 'dynamodb',
      path: '/carts',
      ledger: new Ledger(tableName),
      shipments,
      givenUp: async () => [],
      remaining: async () => 0,
      note: ({ filtered }) => `${blockCount * blockSize} items, changes in order · ${filtered} drafts and removals filtered out`,
    };
  }

  close(): void {
    this.#client.destroy();
  }

  /** Removals come before payments, so that the last change of all is one that has to arrive. */
  #shipments(block: number): Shipment[] {
    const carts = Array.from({ length: blockSize }, (_, index) => `cart-${block * blockSize + index + 1}`);
    const [drafts, bought] = [carts.slice(0, draftsPerBlock), carts.slice(draftsPerBlock)];
    return [
      this.#shipment([...drafts.map((id) => [id, 'draft'] as const), ...bought.map((id) => [id, 'open'] as const)]),
      this.#shipment([...drafts.map((id) => [id, 'removed'] as const), ...bought.map((id) => [id, 'paid'] as const)]),
    ];
  }

  #shipment(changes: readonly (readonly [cart: string, status: Status])[]): Shipment {
    return {
      entries: changes.map(([cart, status]): Entry => ({
        id: changeId(cart, status),
        group: cart,
        isWanted: status === 'open' || status === 'paid',
      })),
      send: async () => {
        const requests = changes.map(([cart, status]): WriteRequest =>
          status === 'removed'
            ? { DeleteRequest: { Key: { id: { S: cart } } } }
            : { PutRequest: { Item: { id: { S: cart }, status: { S: status } } } },
        );
        const answer = await this.#client.send(new BatchWriteItemCommand({ RequestItems: { [tableName]: requests } }));
        const left = answer.UnprocessedItems?.[tableName]?.length ?? 0;
        if (left > 0) throw new Error(`the emulator refused ${left} writes`);
      },
    };
  }
}

/** What a change of a cart is called in the ledger. @param status the new one; a removed item has none */
export function changeId(cart: string, status: string | undefined): string {
  return `${cart} ${status ?? 'removed'}`;
}
