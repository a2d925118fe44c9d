import type { StreamMapping } from '@wherry/core/mapping';
import type { TableStreamDescription } from '@wherry/sources/dynamodb/describe-stream';
import type { KinesisDescription } from '@wherry/sources/kinesis/describe-stream';
import type { OnlineFinding } from './online-finding.ts';

const HOUR_MS = 3_600_000;

/** How long DynamoDB keeps stream records: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html */
const TABLE_RETENTION_HOURS = 24;

/** What the state of a Kinesis stream means for a mapping. */
export function kinesisFindings(mapping: StreamMapping, { status, retentionHours }: KinesisDescription, nowMs: number): OnlineFinding[] {
  const path = ['mappings', mapping.name, 'EventSourceArn'];
  if (status === 'DELETING' || status === 'CREATING') return [notActive(path, 'stream', status)];
  return retentionHours === undefined
    ? []
    : [...retentionFindings(mapping, retentionHours, nowMs), ...ageFindings(mapping, retentionHours, nowMs)];
}

function notActive(path: readonly string[], what: string, status: string): OnlineFinding {
  const isComing = status === 'CREATING' || status === 'ENABLING';
  return {
    severity: isComing ? 'warning' : 'error',
    path,
    code: 'stream-not-active',
    message: `the ${what} is ${status}`,
    help: isComing ? 'reading begins once it is there' : `it is going away; name another ${what}, or take the mapping out`,
  };
}

/** A record that the stream drops before the mapping gives it up, and a start before the oldest record. */
function retentionFindings(mapping: StreamMapping, retentionHours: number, nowMs: number): OnlineFinding[] {
  const { name, startingPosition, maximumRecordAgeInSeconds } = mapping;
  const findings: OnlineFinding[] = [];
  const kept = `the stream keeps records for ${retentionHours} h`;
  if (startingPosition.kind === 'AT_TIMESTAMP' && startingPosition.timestampMs < nowMs - retentionHours * HOUR_MS) {
    findings.push({
      severity: 'warning',
      path: ['mappings', name, 'StartingPositionTimestamp'],
      code: 'before-retention',
      message: `${kept}: a mapping that starts now starts at its oldest record, not at ${new Date(startingPosition.timestampMs).toISOString()}`,
      help: 'TRIM_HORIZON says the same without a time',
    });
  }
  if (maximumRecordAgeInSeconds * 1000 > retentionHours * HOUR_MS) {
    findings.push({
      severity: 'warning',
      path: ['mappings', name, 'MaximumRecordAgeInSeconds'],
      code: 'beyond-retention',
      message: `${kept}: none gets ${maximumRecordAgeInSeconds} s old, and what fails until then is lost without a failure record`,
      help: `lower it below ${retentionHours * 3600}, or lengthen the stream's retention`,
    });
  }
  return findings;
}

/** A mapping that begins with records which it gives up unseen, because they are older than it takes. */
function ageFindings(mapping: StreamMapping, retentionHours: number, nowMs: number): OnlineFinding[] {
  const { name, startingPosition, maximumRecordAgeInSeconds: age, onFailure } = mapping;
  const oldestMs = nowMs - retentionHours * HOUR_MS;
  const startMs = startingPosition.kind === 'AT_TIMESTAMP' ? Math.max(startingPosition.timestampMs, oldestMs) : oldestMs;
  if (startingPosition.kind === 'LATEST' || age === -1 || startMs >= nowMs - age * 1000) return [];
  return [
    {
      severity: 'notice',
      path: ['mappings', name, 'StartingPosition'],
      code: 'start-beyond-age',
      message: `records that are older than ${age} s when the mapping starts are given up without an invocation${onFailure === undefined ? '' : ', and go to its failure destination'}`,
      help: 'raise MaximumRecordAgeInSeconds for a first run over a stream that holds older records, or start later',
    },
  ];
}

/** What the consumer of a mapping with enhanced fan-out is like; undefined: there is none. */
export function consumerFindings(mapping: StreamMapping, description: KinesisDescription | undefined): OnlineFinding[] {
  const { consumer, name } = mapping;
  const registers = consumer.kind === 'enhanced-fan-out' && consumer.register;
  const path = ['mappings', name, ...(registers ? ['kinesis', 'registerConsumer'] : ['EventSourceArn'])];
  if (description !== undefined) {
    return description.status === 'DELETING' || description.status === 'CREATING' ? [notActive(path, 'consumer', description.status)] : [];
  }
  if (registers) {
    return [
      {
        severity: 'notice',
        path,
        code: 'consumer-to-register',
        message: 'the consumer is not registered yet; the first poller registers it',
        help: 'that needs kinesis:RegisterStreamConsumer, and AWS bills a consumer by the hour',
      },
    ];
  }
  return [
    {
      severity: 'error',
      path,
      code: 'consumer-missing',
      message: 'the stream has no such consumer',
      help: 'take its ARN from: aws kinesis list-stream-consumers (it ends with the time of registration), or set kinesis.registerConsumer',
    },
  ];
}

/** What the state of a table's stream means for a mapping, and what its records show. */
export function tableFindings(mapping: StreamMapping, { status, viewType }: TableStreamDescription, nowMs: number): OnlineFinding[] {
  const path = ['mappings', mapping.name, 'EventSourceArn'];
  const findings: OnlineFinding[] = [];
  if (status === 'DISABLED' || status === 'DISABLING') {
    findings.push({
      severity: 'warning',
      path,
      code: 'stream-disabled',
      message: `the table's stream is ${status}: what it holds can be read for 24 hours, and nothing new comes`,
      help: "if the stream was switched on again, it has another ARN: the table's LatestStreamArn",
    });
  } else if (status === 'ENABLING') {
    findings.push(notActive(path, 'stream', status));
  }
  findings.push(...ageFindings(mapping, TABLE_RETENTION_HOURS, nowMs));
  if (viewType === undefined) return findings;
  findings.push({
    severity: 'notice',
    path,
    code: 'stream-view-type',
    message: `its records show ${VIEWS[viewType] ?? viewType} (${viewType})`,
  });
  return [...findings, ...patternFindings(mapping, viewType)];
}

/** Members of a record's `dynamodb` by what a stream shows, in words. */
const VIEWS: Readonly<Record<string, string>> = {
  KEYS_ONLY: 'the keys of an item alone',
  NEW_IMAGE: 'items as they are after a change',
  OLD_IMAGE: 'items as they were before a change',
  NEW_AND_OLD_IMAGES: 'items before and after a change',
};

/** Patterns that ask for an image that no record of the stream has. */
function patternFindings({ name, filterPatterns }: StreamMapping, viewType: string): OnlineFinding[] {
  const absent = ['NewImage', 'OldImage'].filter((image) => !shows(viewType, image));
  return filterPatterns.flatMap((text, index) => {
    const { dynamodb } = JSON.parse(text) as { readonly dynamodb?: Readonly<Record<string, unknown>> };
    return absent
      .filter((image) => dynamodb !== undefined && image in dynamodb)
      .map((image): OnlineFinding => ({
        severity: 'warning',
        path: ['mappings', name, 'FilterCriteria', 'Filters', String(index), 'Pattern'],
        code: 'image-absent',
        message: `the pattern asks for ${image}, which records of a ${viewType} stream do not have`,
        help: 'enable the stream with NEW_AND_OLD_IMAGES (it gets a new ARN), or filter by Keys and eventName',
      }));
  });
}

function shows(viewType: string, image: string): boolean {
  return viewType === 'NEW_AND_OLD_IMAGES' || viewType === (image === 'NewImage' ? 'NEW_IMAGE' : 'OLD_IMAGE');
}
