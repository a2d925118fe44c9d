import { setImmediate } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '@wherry/core/clock';
import type { FailureDelivery, FailureDestination } from '@wherry/core/failure-destination';
import type { LazyClient } from '@wherry/core/lazy-client';
import type { AwsSettings } from '@wherry/core/mapping';
import type { Share } from '@wherry/core/shared-connections';
import { FAILURE_OBJECT_CONTENT_TYPE, failureObjectKey, failureRecord } from '@wherry/core/stream/failure-record';
import { boundedCall } from './bounded-call.ts';
import type { DestinationClients } from './destination-clients.ts';
import { toS3Error } from './errors.ts';

/**
 * Failure records as objects of a bucket, the whole event beside as the document's `payload`. The delivery's id ends the key, so that a
 * repeat of an object that did arrive writes it again and makes no second one.
 */
export class S3Destination implements FailureDestination {
  readonly #bucket: string;
  readonly #mappingUuid: string;
  readonly #share: Share<LazyClient<S3Client>>;
  readonly #clock: Clock;

  constructor(
    arn: string,
    aws: AwsSettings,
    options: { readonly mappingUuid: string; readonly clients: DestinationClients; readonly clock: Clock },
  ) {
    this.#bucket = bucketOf(arn);
    this.#mappingUuid = options.mappingUuid;
    this.#share = options.clients.s3.acquire(aws);
    this.#clock = options.clock;
  }

  async deliver(delivery: FailureDelivery, signal: AbortSignal): Promise<void> {
    const { failure, origin, id } = delivery;
    const key = failureObjectKey(failure, origin, this.#mappingUuid, id);
    // Bytes, because the SDK would encode a text anew for each thing that it does with it.
    const body = Buffer.from(failureRecord(failure, origin, new TextDecoder().decode(delivery.event())));
    try {
      await boundedCall((abortSignal) => this.#put(key, body, abortSignal), { operation: 'PutObject', signal, clock: this.#clock });
    } catch (error) {
      throw toS3Error(error, 'PutObject');
    }
  }

  close(): void {
    this.#share.release();
  }

  async #put(key: string, body: Uint8Array, abortSignal: AbortSignal): Promise<void> {
    // Writing megabytes and signing them take tens of milliseconds each: others go on in between.
    await setImmediate();
    const client = await this.#share.connection.get();
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    const command = new PutObjectCommand({ Bucket: this.#bucket, Key: key, Body: body, ContentType: FAILURE_OBJECT_CONTENT_TYPE });
    await client.send(command, { abortSignal });
  }
}

/** Takes a bucket's ARN apart. Throws on anything else; the configuration has refused it long before. */
function bucketOf(arn: string): string {
  const bucket = /^arn:[^:]+:s3:::([^/:]+)$/.exec(arn)?.[1];
  if (bucket === undefined) throw new TypeError(`not the ARN of an S3 bucket: ${arn}; expected arn:aws:s3:::NAME`);
  return bucket;
}
