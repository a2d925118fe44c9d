import { tens, type Lane } from './lane.ts';
import { Ledger } from './ledger.ts';
import type { Order, Queues } from './queues.ts';

const orderCount = 2_000;
const paymentCount = 400;
const paymentGroups = 40;
const poisonEvery = 500;
const draftEvery = 20;
const freeEvery = 11;
const visibilitySeconds = 4;

/** The standard queue: orders, of which drafts are filtered out and a few are poison. */
export async function openOrders(queues: Queues): Promise<Lane> {
  return {
    ...(await openQueue(queues, 'orders', 3, makeOrders())),
    name: 'orders-queue',
    kind: 'sqs',
    path: '/orders',
    note: ({ filtered, deadLettered }, { counts }) =>
      `${filtered} drafts filtered out · ${deadLettered} poison → dead-letter · ${counts.failedInvocations} invocations failed`,
  };
}

/** The FIFO queue: payments of many accounts, each account's in order. */
export async function openPayments(queues: Queues): Promise<Lane> {
  return {
    ...(await openQueue(queues, 'payments.fifo', 6, makePayments())),
    name: 'payments-queue',
    kind: 'sqs fifo',
    path: '/payments',
    note: ({ filtered }) => `${paymentGroups} groups, in order · ${filtered} of amount 0 filtered out`,
  };
}

async function openQueue(
  queues: Queues,
  name: string,
  maxReceiveCount: number,
  orders: readonly Order[],
): Promise<Pick<Lane, 'ledger' | 'shipments' | 'givenUp' | 'remaining'>> {
  const queue = await queues.create(name, visibilitySeconds, maxReceiveCount);
  return {
    ledger: new Ledger(name),
    shipments: tens(orders).map((batch) => ({
      entries: batch.map((order) => ({ ...order, isWanted: isWanted(order) })),
      send: () => queues.send(queue, batch),
    })),
    givenUp: async () => (await queues.read(queue.deadLetterUrl)).map((body) => (JSON.parse(body) as Order).id),
    remaining: () => queues.remaining(queue),
  };
}

/** What the filters in wherry.yaml let through. */
function isWanted(order: Order): boolean {
  return order.status === undefined ? (order.amount ?? 0) > 0 : order.status === 'placed';
}

function makeOrders(): Order[] {
  return Array.from({ length: orderCount }, (_, index) => ({
    id: `order-${index + 1}`,
    status: (index + 1) % draftEvery === 0 ? 'draft' : 'placed',
    ...((index + 1) % poisonEvery === 13 ? { poison: true } : {}),
  }));
}

function makePayments(): Order[] {
  return Array.from({ length: paymentCount }, (_, index) => ({
    id: `payment-${index + 1}`,
    amount: (index + 1) % freeEvery === 0 ? 0 : 10 + index,
    group: `account-${(index % paymentGroups) + 1}`,
  }));
}
