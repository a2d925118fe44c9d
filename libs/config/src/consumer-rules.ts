import type { MapNode } from './node.ts';
import { nodeAt, textAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';

/**
 * How the shards of a Kinesis stream are read: by polling, or by enhanced fan-out with a consumer that the ARN names or that is
 * registered. What asks for neither, or for both, is refused.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
 */
export function checkConsumer(mapping: MapNode, arn: string, problems: ProblemList): void {
  const consumer = nodeAt(mapping, ['kinesis', 'consumer']);
  const register = nodeAt(mapping, ['kinesis', 'registerConsumer']);
  const way = textAt(consumer);
  const registers = textAt(register) === 'true';
  if (isConsumerArn(arn)) {
    if (consumer !== undefined && way === 'polling') {
      problems.error(consumer, 'consumer-polling', "EventSourceArn names a stream's consumer, which cannot be polled", {
        help: "remove kinesis.consumer to read by enhanced fan-out, or shorten the ARN to the stream's (…:stream/NAME) to poll",
      });
    } else if (register !== undefined && registers) {
      problems.warn(register, 'no-effect', 'registerConsumer has no effect: EventSourceArn names a consumer that is registered already', {
        help: 'remove it',
      });
    }
    return;
  }
  if (consumer !== undefined && way === 'enhanced-fan-out' && !registers) {
    problems.error(consumer, 'no-consumer', 'enhanced fan-out needs a consumer of the stream', {
      help: 'set kinesis.registerConsumer: true to have one registered, or write the ARN of a registered one (…/consumer/NAME:TIME) as EventSourceArn',
    });
  } else if (register !== undefined && registers && way !== 'enhanced-fan-out' && consumer?.broken !== true) {
    problems.error(register, 'no-effect', 'registerConsumer goes with kinesis.consumer: enhanced-fan-out; polling needs no consumer', {
      help: 'add consumer: enhanced-fan-out, or remove registerConsumer',
    });
  }
}

/** Whether the ARN of a Kinesis source is that of a consumer (`…:stream/NAME/consumer/CONSUMER:TIME`). */
export function isConsumerArn(arn: string): boolean {
  return arn.includes('/consumer/');
}
