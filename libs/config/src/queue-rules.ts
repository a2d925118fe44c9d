import type { MapNode } from './node.ts';
import { entryOf, isSet, nodeAt, numberAt } from './node.ts';
import type { ProblemList } from './problem-list.ts';

/**
 * Rules between the fields of an SQS mapping, with the texts Lambda has for them.
 *
 * @see https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export function checkQueueRules(mapping: MapNode, fifo: boolean, problems: ProblemList): void {
  const batchSize = numberAt(mapping, 'BatchSize');
  const window = numberAt(mapping, 'MaximumBatchingWindowInSeconds');
  const size = nodeAt(mapping, ['BatchSize']);
  const windowNode = nodeAt(mapping, ['MaximumBatchingWindowInSeconds']);
  if (fifo) {
    if (window !== undefined && window > 0 && windowNode) {
      problems.error(windowNode, 'fifo-window', 'a FIFO queue has no batching window', {
        help: 'remove it, or set it to 0 (Lambda has the same rule)',
        awsMessage: 'Batching window is not supported for FIFO queues',
      });
    }
    if (batchSize !== undefined && batchSize > 10 && size) {
      problems.error(size, 'fifo-batch-size', `expected an integer from 1 to 10 for a FIFO queue, got ${batchSize}`, {
        help: 'lower BatchSize to 10 (Lambda has the same rule)',
        awsMessage: 'Batch size must not exceed 10 for FIFO queues',
      });
    }
  } else if (batchSize !== undefined && batchSize > 10 && (window ?? 0) === 0 && !windowNode?.broken && size) {
    problems.error(size, 'batch-window', 'BatchSize above 10 on SQS needs MaximumBatchingWindowInSeconds of at least 1', {
      help: 'add MaximumBatchingWindowInSeconds: 1, or lower BatchSize to 10 (Lambda has the same rule)',
      awsMessage: 'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    });
  }
  checkScaling(mapping, problems);
}

function checkScaling(mapping: MapNode, problems: ProblemList): void {
  const concurrency = nodeAt(mapping, ['ScalingConfig', 'MaximumConcurrency']);
  if (numberAt(mapping, 'ScalingConfig', 'MaximumConcurrency') === 1 && concurrency) {
    problems.notice(concurrency, 'beyond-lambda', 'MaximumConcurrency 1 is possible here, but Lambda itself takes 2 to 1000');
  }
  const provisioned = entryOf(mapping, 'ProvisionedPollerConfig');
  if (provisioned?.value.kind !== 'map') return;
  const { value: node, key } = provisioned;
  if (node.entries.size === 0) {
    problems.error(key, 'empty-provisioned', 'ProvisionedPollerConfig needs MinimumPollers or MaximumPollers', {
      awsMessage: 'Either MinimumPollers or MaximumPollers are required if ProvisionedPollerConfig is provided.',
    });
    return;
  }
  if (isSet(concurrency)) {
    problems.error(key, 'provisioned-and-concurrency', 'ProvisionedPollerConfig and ScalingConfig.MaximumConcurrency exclude each other', {
      help: 'bound the pollers with MaximumPollers and remove MaximumConcurrency (Lambda has the same rule)',
      awsMessage:
        'Provisioned mode for SQS ESM does not support maximum concurrency feature. Use MaximumPollers as the control mechanism and remove maximum concurrency.',
    });
  }
  const group = node.entries.get('PollerGroupName');
  if (isSet(group?.value) && group) {
    problems.error(group.key, 'unsupported-source', 'PollerGroupName is for Kafka, which wherry does not poll', { help: 'remove it' });
  }
  checkPollers(node, problems);
}

function checkPollers(node: MapNode, problems: ProblemList): void {
  const awsMessage = 'MinimumPollers should be between [2, 200] and MaximumPollers should be between [MinimumPollers, 10000]';
  const least = numberAt(node, 'MinimumPollers') ?? 2;
  const most = numberAt(node, 'MaximumPollers');
  const minimum = nodeAt(node, ['MinimumPollers']);
  const maximum = nodeAt(node, ['MaximumPollers']);
  if (least === 1 && minimum) {
    problems.error(minimum, 'out-of-range', 'expected an integer from 2 to 200, got 1', {
      help: 'SQS has two pollers at least',
      awsMessage,
    });
  }
  if (most !== undefined && most < least && most >= 1 && maximum) {
    problems.error(maximum, 'out-of-range', `MaximumPollers ${most} is less than MinimumPollers ${least}`, { awsMessage });
  }
}
