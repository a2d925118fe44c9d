import type { S3Client } from '@aws-sdk/client-s3';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
import { LazyClient } from '@wherry/core/lazy-client';
import type { AwsSettings } from '@wherry/core/mapping';
import { SharedConnections } from '@wherry/core/shared-connections';

/** The part of an SDK client's configuration that is the same for every service. */
export type AwsClientSettings = Pick<SQSClientConfig, 'region' | 'credentials' | 'maxAttempts' | 'endpoint' | 'requestHandler'>;

/** How one client talks. */
export interface DestinationTraffic {
  /** Longest wait for an answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly maxSockets: number;
}

/** Makes the settings of a client: its connections, and credentials of the profile or role that `aws` names. */
export type OpenClientSettings = (aws: AwsSettings, traffic: DestinationTraffic) => AwsClientSettings;

/** Deliveries are rare: a few sockets are enough. An answer that has not come by then is asked for again by the client. */
const TRAFFIC: DestinationTraffic = { timeoutMs: 10_000, maxSockets: 16 };

/** Stands in the user agent behind what the SDK says about itself, so that AWS's own logs show whose call it was. */
const USER_AGENT = 'wherry';

/**
 * The clients of one process, one per service for all destinations with equal settings. The SDK's code for a service is loaded by the
 * first delivery that needs it: most pollers never give anything up.
 */
export class DestinationClients {
  readonly sqs: SharedConnections<LazyClient<SQSClient>>;
  readonly sns: SharedConnections<LazyClient<SNSClient>>;
  readonly s3: SharedConnections<LazyClient<S3Client>>;

  constructor(clientSettings: OpenClientSettings) {
    const settings = (aws: AwsSettings) => ({ ...clientSettings(aws, TRAFFIC), customUserAgent: USER_AGENT });
    this.sqs = shareClients(async (aws) => {
      const { SQSClient } = await import('@aws-sdk/client-sqs');
      // Without this and an endpoint the SDK sends to the host of the queue's URL, which for an emulator may be real AWS.
      return new SQSClient({ ...settings(aws), useQueueUrlAsEndpoint: false });
    });
    this.sns = shareClients(async (aws) => {
      const { SNSClient } = await import('@aws-sdk/client-sns');
      return new SNSClient(settings(aws));
    });
    this.s3 = shareClients(async (aws) => {
      const { S3Client } = await import('@aws-sdk/client-s3');
      return new S3Client({
        ...settings(aws),
        // A bucket's ARN names no region: AWS tells where it is.
        followRegionRedirects: true,
        // The host of an emulator or a store of one's own has no name for each bucket.
        forcePathStyle: aws.endpoint !== undefined,
      });
    });
  }
}

function shareClients<Client extends { destroy(): void }>(
  create: (aws: AwsSettings) => Promise<Client>,
): SharedConnections<LazyClient<Client>> {
  return new SharedConnections((aws) => new LazyClient(() => create(aws)));
}
