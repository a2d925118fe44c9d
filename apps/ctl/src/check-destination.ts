import type { OnFailure, StreamMapping } from '@wherry/core/mapping';
import { SourceError } from '@wherry/core/source-error';
import { credentialsFault } from './credentials-fault.ts';
import type { OnlineFinding } from './online-finding.ts';

/** A failure destination outside the fleet. */
type Place = Exclude<OnFailure, { readonly kind: 'failed' }>;

const NAMES = { sqs: 'queue', sns: 'topic', s3: 'bucket' } as const;
const WRITES = { sqs: 'sqs:SendMessage and GetQueueUrl', sns: 'sns:Publish', s3: 's3:PutObject' } as const;
const SERVICES = { sqs: 'SQS', sns: 'SNS', s3: 'S3' } as const;

/**
 * Whether the failure destination of a mapping is there. Nothing is written to it, so that whether it may be written to stays open;
 * that is said. A destination that nobody takes records at holds up the shards whose records are given up.
 *
 * @param ask throws `SourceError` when the destination is not there or may not be asked
 */
export async function checkDestination(mapping: StreamMapping, ask: (place: Place) => Promise<void>): Promise<OnlineFinding[]> {
  const { onFailure } = mapping;
  // The fleet's own store is Redis, which is asked about by itself.
  if (onFailure === undefined || onFailure.kind === 'failed') return [];
  const path = ['mappings', mapping.name, 'DestinationConfig', 'OnFailure', 'Destination'];
  const what = NAMES[onFailure.kind];
  try {
    await ask(onFailure);
  } catch (error) {
    return [destinationFault(onFailure, path, error)];
  }
  const message = `nothing was written to the ${what}: only that it exists was checked, not that it may be written to`;
  return [{ severity: 'notice', path, code: 'destination-not-written', message, help: `writing needs ${WRITES[onFailure.kind]}` }];
}

function destinationFault({ kind, aws }: Place, path: readonly string[], error: unknown): OnlineFinding {
  if (!(error instanceof SourceError)) throw error;
  const what = NAMES[kind];
  const said = `${error.serviceCode}: ${error.message}`;
  const where = aws.endpoint ?? `${SERVICES[kind]} in ${aws.region}`;
  if (error.code === 'notFound') {
    const help = `asked ${where}; check name, account and region, or create the ${what}: records that are given up would hold up their shard`;
    return { severity: 'error', path, code: 'destination-missing', message: `the ${what} does not exist`, help };
  }
  if (error.code !== 'accessDenied') {
    const message = `the ${what} could not be asked (${said})`;
    return { severity: 'error', path, code: 'destination-unreachable', message, help: `asked ${where}` };
  }
  const fault = credentialsFault(error.serviceCode, aws);
  if (fault !== undefined) {
    return { severity: 'error', path, code: 'aws-credentials', message: `${fault.message} (${said})`, help: fault.help };
  }
  if (kind === 'sqs') {
    const message = `the queue may not be used with these credentials (${said})`;
    return { severity: 'error', path, code: 'destination-refused', message, help: `writing needs ${WRITES[kind]}` };
  }
  // Whoever may write to a topic or bucket need not be allowed to look at it.
  return {
    severity: 'warning',
    path,
    code: 'destination-refused',
    message: `the ${what} may not be looked at with these credentials (${said})`,
    help: `that alone does no harm; writing needs ${WRITES[kind]}`,
  };
}
