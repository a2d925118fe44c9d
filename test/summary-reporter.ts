/**
 * The last word of a test run: every skipped test with its reason, then one line `N passed, N failed, N skipped`.
 *
 * Under `npm test` the counts go to the parent (`test/run.ts`), which adds its own checks and prints the line; a vitest that
 * was started by hand prints it itself.
 */
import type { SerializedError } from 'vitest';
import type { Reporter, TestModule } from 'vitest/node';

/** What a run came to. A file that cannot be loaded, a failing hook and an unhandled error each count as one failure. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The final line. */
export function summaryLine(counts: Counts): string {
  return `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
}

interface Skip {
  readonly file: string;
  readonly name: string;
  readonly reason: string | undefined;
}

/** Counts the tests of a finished run. A run without a single test is a failure: it has shown nothing. */
export function countTests(
  modules: readonly TestModule[],
  unhandledErrors: readonly unknown[],
): Counts & { readonly skips: readonly Skip[] } {
  let passed = 0;
  let failed = unhandledErrors.length;
  const skips: Skip[] = [];
  for (const testModule of modules) {
    let brokenHooks = testModule.errors().length;
    for (const suite of testModule.children.allSuites()) brokenHooks += suite.errors().length;
    failed += brokenHooks;
    for (const test of testModule.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') passed++;
      else if (result.state === 'failed') failed++;
      else skips.push({ file: testModule.relativeModuleId, name: test.fullName, reason: reasonOf(result, brokenHooks) });
    }
  }
  if (passed + failed + skips.length === 0) failed = 1;
  return { passed, failed, skipped: skips.length, skips };
}

function reasonOf(result: { readonly state: string; readonly note?: string | undefined }, brokenHooks: number): string | undefined {
  if (result.note !== undefined) return result.note;
  return brokenHooks > 0 ? 'the hook before it failed' : undefined;
}

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const { skips, ...counts } = countTests(modules, unhandledErrors);
    for (const skip of skips) console.log(`skipped: ${skip.file} > ${skip.name}: ${skip.reason ?? 'no reason given'}`);
    if (process.send === undefined) console.log(summaryLine(counts));
    else process.send(counts);
  }
}
