import type { StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { credentialsFault } from './credentials-fault.ts';
import type { OnlineFinding } from './online-finding.ts';

const PERMISSIONS = {
  kinesis: 'kinesis:DescribeStreamSummary, ListShards, GetShardIterator and GetRecords',
  'enhanced-fan-out': 'kinesis:DescribeStreamSummary and ListShards on it, DescribeStreamConsumer and SubscribeToShard on its consumer',
  dynamodb: 'dynamodb:DescribeStream, GetShardIterator and GetRecords',
} as const;

const SERVICES = { kinesis: 'Kinesis', dynamodb: 'DynamoDB Streams' } as const;

/** What a stream that could not be asked means: it is missing, it may not be read, there are no credentials, or nobody answers. */
export function streamFault(mapping: StreamMapping, error: unknown): OnlineFinding {
  const { name, aws, source } = mapping;
  if (!(error instanceof SourceError)) throw error;
  const path = ['mappings', name, 'EventSourceArn'];
  const where = aws.endpoint ?? `${SERVICES[source]} in ${aws.region}`;
  const said = `${error.serviceCode}: ${error.message}`;
  if (error.code === 'notFound') {
    return {
      severity: 'error',
      path,
      code: 'stream-missing',
      message: 'the stream does not exist',
      help: `asked ${where}; check name, account and region, or create the stream${source === 'dynamodb' ? " (the table's LatestStreamArn is the one it has now)" : ''}`,
      awsMessage: `Stream not found: ${mapping.eventSourceArn}`,
    };
  }
  if (error.code !== 'accessDenied') {
    return {
      severity: 'error',
      path,
      code: 'stream-unreachable',
      message: `the stream could not be asked (${said})`,
      help: `asked ${where}`,
    };
  }
  const fault = credentialsFault(error.serviceCode, aws);
  if (fault !== undefined) {
    return { severity: 'error', path, code: 'aws-credentials', message: `${fault.message} (${said})`, help: fault.help };
  }
  const way = mapping.consumer.kind === 'polling' ? source : mapping.consumer.kind;
  return {
    severity: 'error',
    path,
    code: 'stream-refused',
    message: `the stream may not be read (${said})`,
    help: `the credentials found here need ${PERMISSIONS[way]}`,
  };
}
