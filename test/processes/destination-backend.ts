import { randomUUID } from 'node:crypto';
import type { OnFailure } from '@wherry/core/mapping';
import { failureObjectKey } from '@wherry/core/stream/failure-record';
import { createFailureDestination } from '@wherry/destinations/create-failure-destination';
import { DestinationClients } from '@wherry/destinations/destination-clients';
import type { FailureDestination } from '@wherry/core/failure-destination';
import { clientSettings } from '@wherry/sources/aws/client-settings';
import { CredentialsByRole } from '@wherry/sources/aws/credentials';
import type { ArrivedDocument, DestinationBackend, DestinationWish, OpenDestination } from '@wherry/testkit/contracts/failure-destination';
import { TestBuckets } from '@wherry/testkit/test-buckets';
import { TestQueues } from '@wherry/testkit/test-queues';
import { TestTopics } from '@wherry/testkit/test-topics';
import { realClock, useTestCredentials } from './sqs-backend.ts';

/** Kinds of destinations that an AWS emulator has. */
export type EmulatedKind = 'sqs' | 'sns' | 's3';

/** Seconds that a document may need at most to come through a topic into its queue. */
const ARRIVAL_SECONDS = 5;

/** Where permissions are checked, a topic needs that of the queue. */
const TOPICS_MAY_SEND = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'sns.amazonaws.com' }, Action: 'sqs:SendMessage', Resource: '*' }],
};

/** A destination that makes each call once, as the poller makes it. */
export function openDestination(onFailure: OnFailure, wish: Pick<DestinationWish, 'clock' | 'mappingUuid'>): FailureDestination {
  const credentials = new CredentialsByRole({ clock: realClock, random: Math.random });
  return createFailureDestination(onFailure, {
    mapping: { name: 'clicks', uuid: wish.mappingUuid, functionName: 'f' },
    clients: new DestinationClients((aws, traffic) => clientSettings(aws, credentials.provider(aws), traffic)),
    failedStore: {
      put: () => Promise.reject(new Error('no destination of AWS writes here')),
      list: () => Promise.resolve([]),
      get: () => Promise.resolve(undefined),
      remove: () => Promise.resolve(0),
      counts: () => Promise.resolve(new Map()),
    },
    clock: wish.clock,
  });
}

/** A backend that also says where its places are. */
interface EmulatedBackend extends DestinationBackend {
  open(wish: DestinationWish): Promise<OpenDestination & { readonly arn: string }>;
}

/** An emulator as the contract of failure destinations wants it. */
export function destinationBackend(kind: EmulatedKind, url: string, close: () => Promise<void>): EmulatedBackend {
  useTestCredentials();
  const place = { sqs: queuePlace, sns: topicPlace, s3: bucketPlace }[kind];
  return {
    url,
    close,
    open: async (wish) => {
      const opened = place(url, wish.mappingUuid);
      if (wish.exists) await opened.create();
      const aws = { region: 'us-east-1', endpoint: wish.endpoint, maxAttempts: 1 };
      return { ...opened, destination: openDestination({ kind, arn: opened.arn, aws }, wish) };
    },
  };
}

type Place = Omit<OpenDestination, 'destination'> & { readonly arn: string };

function queuePlace(url: string): Place {
  const queues = new TestQueues(url);
  const name = `failed-${randomUUID()}`;
  return {
    arn: `arn:aws:sqs:us-east-1:000000000000:${name}`,
    create: async () => void (await queues.create({ name })),
    arrived: async () => {
      const { QueueUrl: queueUrl } = await queues.call<{ QueueUrl: string }>('GetQueueUrl', { QueueName: name });
      const bodies = await queues.drain({ name, url: queueUrl, arn: '' });
      return bodies.map((text) => ({ text }));
    },
    operationOf: () => 'SendMessage',
  };
}

function topicPlace(url: string): Place {
  const queues = new TestQueues(url);
  const topics = new TestTopics(url);
  const name = `failed-${randomUUID()}`;
  const subscriber = queues.create({ attributes: { Policy: JSON.stringify(TOPICS_MAY_SEND) } });
  return {
    arn: `arn:aws:sns:us-east-1:000000000000:${name}`,
    create: async () => await topics.subscribe(await topics.create(name), (await subscriber).arn),
    arrived: async (count) => {
      const documents: ArrivedDocument[] = [];
      for (;;) {
        const isWaiting = documents.length < count;
        const envelopes = await queues.drain(await subscriber, isWaiting ? ARRIVAL_SECONDS : 0);
        documents.push(...envelopes.map((text) => ({ text: (JSON.parse(text) as { Message: string }).Message })));
        if (envelopes.length === 0) return documents;
      }
    },
    operationOf: () => '/',
  };
}

function bucketPlace(url: string, mappingUuid: string): Place {
  const buckets = new TestBuckets(url);
  const bucket = `failed-${randomUUID()}`;
  return {
    arn: `arn:aws:s3:::${bucket}`,
    create: () => buckets.create(bucket),
    arrived: () => buckets.objects(bucket),
    operationOf: ({ id, failure, origin }) => `/${bucket}/${failureObjectKey(failure, origin, mappingUuid, id)}?x-id=PutObject`,
  };
}
