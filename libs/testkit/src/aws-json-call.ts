import { unsignedHeaders } from './aws-scope.ts';

/** A service of an emulator. */
export interface AwsJsonService {
  readonly endpoint: string;
  /** Name in the credential scope, such as `sqs`. */
  readonly service: string;
  /** The part of `X-Amz-Target` before the dot. */
  readonly target: string;
  readonly region: string;
}

/**
 * Calls an operation of an AWS service in its JSON protocol, without the SDK, so that what the product receives through the SDK
 * was not also written by it. Throws with the server's answer unless it is 200.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html
 */
export async function callAws<Answer>(service: AwsJsonService, operation: string, input: object): Promise<Answer> {
  const response = await fetch(service.endpoint, {
    method: 'POST',
    headers: {
      'content-type': `application/x-amz-json-${service.service === 'kinesis' ? '1.1' : '1.0'}`,
      'x-amz-target': `${service.target}.${operation}`,
      ...unsignedHeaders(service.service, service.region),
    },
    body: JSON.stringify(input),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${operation} answered ${response.status}: ${text}`);
  return (text === '' ? {} : JSON.parse(text)) as Answer;
}
