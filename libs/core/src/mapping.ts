/**
 * The internal form of the configuration: what is left after YAML, includes, SAM and CloudFormation spellings, interpolation
 * and defaults have been dealt with by `libs/config`. Everything here is valid and complete; loops never check it again.
 * Names are Lambda's own in camelCase; units are Lambda's own too (seconds where Lambda says seconds).
 */

import type { OnDestinationFailure } from './stream/failure-delivery.ts';
import type { StartingPosition } from './stream/starting-set.ts';

/** How calls to AWS (or an emulator) are made for one mapping or target, after the global `aws:` block was merged in. */
export interface AwsSettings {
  readonly region: string;
  /** One endpoint for the service at hand; absent means the region's public endpoint. */
  readonly endpoint?: string;
  /** Where `assumeRole` is asked for; absent means the region's own STS. */
  readonly stsEndpoint?: string;
  readonly profile?: string;
  readonly assumeRole?: { readonly roleArn: string; readonly externalId?: string; readonly sessionName?: string };
  /** SDK retries of reads and settles (never of an invocation). */
  readonly maxAttempts: number;
}

/** Where a function runs. Exactly one kind per function. */
export type Target =
  | {
      readonly kind: 'lambda';
      readonly functionName: string;
      readonly qualifier?: string;
      readonly aws: AwsSettings;
    }
  | {
      readonly kind: 'rie';
      /** Base URLs of containers that run the Runtime Interface Emulator. */
      readonly urls: readonly string[];
      /** Requests at a time per URL, across the whole fleet. The classic emulator survives exactly 1. */
      readonly concurrency: number;
    }
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly bearer?: { readonly token: string };
      readonly hmac?: { readonly secret: string; readonly header: string };
    };

/** One entry of `functions:`. */
export interface FunctionDefinition {
  readonly name: string;
  /** Unqualified function ARN, used in events and delivery headers. */
  readonly arn: string;
  readonly target: Target;
  /** Lambda's `Timeout`: the longest one invocation may run, 1 to 5,400 s. */
  readonly timeoutSeconds: number;
  /** Fleet-wide ceiling of concurrent invocations; 0 stops the function; absent means no ceiling. */
  readonly reservedConcurrentExecutions?: number;
}

/** What every event source mapping has, whatever its source. */
interface MappingBase {
  /** Name in the configuration; the `mapping` label everywhere. */
  readonly name: string;
  /** UUIDv5 of (fleet id, name), or of the old name where `renamedFrom` is given. */
  readonly uuid: string;
  readonly eventSourceArn: string;
  /** Name of the entry in `functions:`. */
  readonly functionName: string;
  /** Alias or version the mapping names, if any. */
  readonly qualifier?: string;
  readonly enabled: boolean;
  readonly batchSize: number;
  readonly maximumBatchingWindowInSeconds: number;
  /** `ReportBatchItemFailures` is on. */
  readonly reportBatchItemFailures: boolean;
  /** JSON texts of the event patterns; empty means that every record matches. */
  readonly filterPatterns: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly logLevel?: 'debug' | 'info' | 'warn';
  readonly aws: AwsSettings;
}

/** An SQS queue, standard or FIFO. */
export interface SqsMapping extends MappingBase {
  readonly source: 'sqs';
  readonly fifo: boolean;
  /** `ScalingConfig.MaximumConcurrency`: batches in flight across the fleet, 1 to 1,000. */
  readonly maximumConcurrency?: number;
  readonly provisionedPollerConfig?: { readonly minimumPollers: number; readonly maximumPollers: number };
  /** `WaitTimeSeconds` of an idle long poll, 0 to 20. */
  readonly waitTimeSeconds: number;
  /** Lengthen the visibility of messages whose invocation outlives it. */
  readonly extendVisibility: boolean;
}

/** Where records of a stream go that were given up. */
export type OnFailure =
  | { readonly kind: 'sqs' | 'sns' | 's3'; readonly arn: string; readonly aws: AwsSettings }
  /** The fleet's own store, `wherry://failed/<name>`. */
  | { readonly kind: 'failed'; readonly name: string };

/** A Kinesis stream or the stream of a DynamoDB table. -1 means "no limit", as it does for Lambda. */
export interface StreamMapping extends MappingBase {
  readonly source: 'kinesis' | 'dynamodb';
  readonly startingPosition: StartingPosition;
  /** 1 to 10. */
  readonly parallelizationFactor: number;
  readonly maximumRetryAttempts: number;
  readonly maximumRecordAgeInSeconds: number;
  readonly bisectBatchOnFunctionError: boolean;
  /** 0 without windows. */
  readonly tumblingWindowInSeconds: number;
  /** Absent: what is given up is told and dropped, as Lambda does it. */
  readonly onFailure?: OnFailure;
  readonly onDestinationFailure: OnDestinationFailure;
  readonly onCheckpointLoss: 'TRIM_HORIZON' | 'stop';
  /** How the shards of a Kinesis stream are read; a consumer's ARN as the source means enhanced fan-out with that consumer. */
  readonly consumer: { readonly kind: 'polling' } | { readonly kind: 'enhanced-fan-out'; readonly register: boolean };
}

/** An event source mapping, told apart by `source`. */
export type Mapping = SqsMapping | StreamMapping;

/** Lease timings in milliseconds (design section 5: 10 s, 3 s, 1 s, 10 s). */
export interface LeaseTimings {
  readonly ttlMs: number;
  readonly renewEveryMs: number;
  readonly claimEveryMs: number;
  readonly rebalanceEveryMs: number;
  /** Subtracted from the ttl before a poller trusts its own lease (invariant 3). */
  readonly marginMs: number;
}

/** How Redis is reached. Exactly one of url, cluster, sentinel. */
export interface RedisSettings {
  readonly url?: string;
  readonly cluster?: readonly string[];
  readonly sentinel?: { readonly name: string; readonly nodes: readonly string[] };
  readonly password?: string;
  readonly keyPrefix: string;
  readonly tls?: { readonly ca?: string; readonly serverName?: string };
}

/** The whole effective configuration of one process. */
export interface WherryConfig {
  readonly fleet: { readonly id: string; readonly accountId: string; readonly region: string };
  readonly redis: RedisSettings;
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  readonly mappings: ReadonlyMap<string, Mapping>;
  readonly leases: LeaseTimings;
  readonly limits: { readonly bufferedBytes: number; readonly inFlight: number; readonly shardsPerPoller: number };
  readonly shutdownGraceMs: number;
  readonly reload: { readonly intervalMs: number; readonly onSighup: boolean };
  readonly admin: { readonly listen: string; readonly bearerTokens: readonly string[] };
  readonly logging: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    readonly format: 'auto' | 'json' | 'pretty';
    readonly redact: readonly string[];
  };
  readonly metrics: {
    readonly prefix: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly nodejs: boolean;
    /** A gauge of its own for every shard; thousands of shards make every scrape slow. */
    readonly perShard: boolean;
  };
  readonly network: { readonly blockPrivate: boolean; readonly allow: readonly string[] };
  /** The trail of what operators did: whether it is kept, and how many of its newest entries. */
  readonly audit: { readonly enabled: boolean; readonly keep: number };
  /** SHA-256 of everything that was read (files and interpolated values), hex; equal on pollers that run the same configuration. */
  readonly hash: string;
}
