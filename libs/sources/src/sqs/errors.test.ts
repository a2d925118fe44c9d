import { describe, expect, test } from 'vitest';
import { settleOutcome } from './errors.ts';

describe('an entry that was not settled', () => {
  test.each([
    ['gone', 'ReceiptHandleIsInvalid', ''],
    ['gone', 'AWS.SimpleQueueService.ReceiptHandleIsInvalid', ''],
    ['gone', 'MessageNotInflight', ''],
    ['gone', 'AWS.SimpleQueueService.MessageNotInflight', ''],
    [
      'gone',
      'InvalidParameterValueException',
      'Value AQEB for parameter ReceiptHandle is invalid. Reason: Message does not exist or is not available for visibility timeout change.',
    ],
    ['gone', 'InvalidParameterValue', 'Value AQEB for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired.'],
    [
      'failed',
      'InvalidParameterValue',
      'Value 43200 for parameter VisibilityTimeout is invalid. Reason: Total VisibilityTimeout is beyond the limit.',
    ],
    ['failed', 'InternalError', ''],
    ['failed', 'AWS.SimpleQueueService.RequestThrottled', ''],
  ])('is %s for %s %s', (outcome, code, message) => {
    expect(settleOutcome(code, message)).toBe(outcome);
  });
});
