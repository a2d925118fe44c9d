import { expect, it } from 'vitest';
import { deadlineMsOf } from './deadline.ts';
import type { Target } from './mapping.ts';

it.each<[Target, number]>([
  [{ kind: 'http', url: 'http://127.0.0.1:9000', headers: {} }, 3_000],
  [{ kind: 'rie', urls: ['http://127.0.0.1:9000'], concurrency: 1 }, 8_000],
  [{ kind: 'lambda', functionName: 'orders', aws: { region: 'us-east-1', maxAttempts: 1 } }, 8_000],
])('a target that keeps the time itself gets 5 s to say so: $kind', (target, deadlineMs) => {
  expect(deadlineMsOf({ timeoutSeconds: 3, target })).toBe(deadlineMs);
});
