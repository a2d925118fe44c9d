import { randomUUID } from 'node:crypto';
import type { Clock } from '@wherry/core/clock';
import { SqsClients } from '@wherry/sources/sqs/clients';
import { createSqsSource } from '@wherry/sources/sqs/sqs-source';
import type { QueueBackend } from '@wherry/testkit/contracts/queue-source';
import { sampleMapping } from '@wherry/testkit/sample-config';
import { TestQueues } from '@wherry/testkit/test-queues';

/** A clock of the real world, for sources in tests that ask nothing of it. */
export const realClock: Clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now(), sleep: () => Promise.resolve() };

/** Emulators check no signature, but the SDK does not call without something to sign with. */
export function useTestCredentials(): void {
  process.env['AWS_ACCESS_KEY_ID'] = 'test';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'test';
}

/** The queues of an SQS endpoint as the contract of queue-shaped sources wants them. */
export function sqsBackend(endpoint: string, close: () => Promise<void>): QueueBackend {
  useTestCredentials();
  const queues = new TestQueues(endpoint);
  return {
    close,
    open: async ({ fifo, visibilityTimeoutSeconds, exists, clock }) => {
      const name = `queue-${randomUUID()}`;
      const arn = `arn:aws:sqs:us-east-1:000000000000:${name}${fifo ? '.fifo' : ''}`;
      const create = async () => await queues.create({ name, fifo, visibilityTimeoutSeconds });
      let queue = exists ? await create() : undefined;
      const mapping = sampleMapping({ eventSourceArn: arn, fifo, aws: { region: 'us-east-1', endpoint, maxAttempts: 1 } });
      const source = createSqsSource(mapping, {
        clients: new SqsClients({ clock, random: Math.random }),
        surroundings: { clock, newId: () => randomUUID() },
      });
      return {
        source,
        create: async () => {
          queue = await create();
        },
        send: async (messages) => {
          if (queue === undefined) throw new Error(`queue ${name} does not exist yet`);
          return queues.send(queue, messages);
        },
      };
    },
  };
}
