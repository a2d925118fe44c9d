import type { FunctionDefinition, SqsMapping } from '@wherry/core/mapping';
import type { QueueAttributes, QueueSource } from '@wherry/core/queue-source';
import { SourceError } from '@wherry/core/source-error';
import { credentialsFault } from './credentials-fault.ts';
import type { OnlineFinding } from './online-finding.ts';

/**
 * AWS's advice: a queue whose visibility timeout is at least six times the function's leaves room for retries after throttles.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
const ADVISED_VISIBILITY_FACTOR = 6;

const permissions = 'sqs:ReceiveMessage, DeleteMessage, ChangeMessageVisibility, GetQueueAttributes and GetQueueUrl';

/** Whether the queue of a mapping exists, may be read, and hides messages long enough. Receives nothing. */
export async function checkQueue(
  mapping: SqsMapping,
  definition: FunctionDefinition,
  createSource: (mapping: SqsMapping) => QueueSource,
): Promise<OnlineFinding[]> {
  const source = createSource(mapping);
  try {
    return visibilityFindings(mapping, definition, await source.attributes());
  } catch (error) {
    return [queueFault(mapping, error)];
  } finally {
    source.close();
  }
}

function visibilityFindings(mapping: SqsMapping, definition: FunctionDefinition, attributes: QueueAttributes): OnlineFinding[] {
  const { visibilityTimeoutSeconds: visibility } = attributes;
  const { timeoutSeconds: timeout, name } = definition;
  const path = ['mappings', mapping.name, 'EventSourceArn'];
  if (visibility < timeout) {
    return [
      {
        severity: 'error',
        path,
        code: 'visibility-too-short',
        message: `the queue's visibility timeout of ${visibility} s is less than the Timeout of ${timeout} s of function "${name}"`,
        help: `set the queue's VisibilityTimeout to ${timeout * ADVISED_VISIBILITY_FACTOR}, or lower functions.${name}.Timeout`,
        awsMessage: `Queue visibility timeout: ${visibility} seconds is less than Function timeout: ${timeout} seconds`,
      },
    ];
  }
  if (visibility >= timeout * ADVISED_VISIBILITY_FACTOR) return [];
  return [
    {
      severity: 'warning',
      path,
      code: 'visibility-short',
      message: `the queue's visibility timeout of ${visibility} s is less than six times the Timeout of ${timeout} s of function "${name}"`,
      help: `AWS advises a VisibilityTimeout of ${timeout * ADVISED_VISIBILITY_FACTOR}, so that throttled batches can be tried again in time`,
    },
  ];
}

function queueFault(mapping: SqsMapping, error: unknown): OnlineFinding {
  const path = ['mappings', mapping.name, 'EventSourceArn'];
  const where = mapping.aws.endpoint ?? `SQS in ${mapping.aws.region}`;
  if (!(error instanceof SourceError)) throw error;
  const said = `${error.serviceCode}: ${error.message}`;
  switch (error.code) {
    case 'notFound':
      return {
        severity: 'error',
        path,
        code: 'queue-missing',
        message: 'the queue does not exist',
        help: `asked ${where}; check name, account and region, or create the queue`,
        awsMessage:
          'Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.',
      };
    case 'accessDenied': {
      const fault = credentialsFault(error.serviceCode, mapping.aws);
      if (fault !== undefined) {
        const { message, help } = fault;
        return { severity: 'error', path, code: 'aws-credentials', message: `${message} (${said})`, help };
      }
      return {
        severity: 'error',
        path,
        code: 'queue-refused',
        message: `the queue may not be read (${said})`,
        help: `the credentials found here need ${permissions} on it`,
      };
    }
    case 'throttled':
    case 'expired':
    case 'unavailable':
    case 'invalid':
    case 'unknown':
      return {
        severity: 'error',
        path,
        code: 'queue-unreachable',
        message: `the queue could not be asked (${said})`,
        help: `asked ${where}`,
      };
  }
}
