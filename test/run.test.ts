import type { TestModule } from 'vitest/node';
import { expect, test } from 'vitest';
import { totals } from './run.ts';
import { countTests, summaryLine } from './summary-reporter.ts';

interface FakeTest {
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending';
  readonly note?: string;
}

function testModule(tests: readonly FakeTest[], errors = 0, hookErrors = 0): TestModule {
  const cases = tests.map((result, index) => ({ fullName: `test ${index}`, result: () => result }));
  return {
    relativeModuleId: 'x.test.ts',
    errors: () => Array.from({ length: errors }),
    children: { allTests: () => cases, allSuites: () => [{ errors: () => Array.from({ length: hookErrors }) }] },
  } as unknown as TestModule;
}

test('passed, failed and skipped tests are counted, and a skip carries its reason', () => {
  const module = testModule([{ state: 'passed' }, { state: 'failed' }, { state: 'skipped', note: 'needs python3.13' }]);
  expect(countTests([module], [])).toMatchObject({
    passed: 1,
    failed: 1,
    skipped: 1,
    skips: [{ file: 'x.test.ts', reason: 'needs python3.13' }],
  });
});

test.each([
  ['a file that cannot be loaded', [testModule([], 1)], []],
  ['a hook that fails', [testModule([{ state: 'skipped' }], 0, 1)], []],
  ['an error outside of every test', [testModule([{ state: 'passed' }])], [new Error('late')]],
  ['a run without a single test', [], []],
])('%s is one failure', (_what, modules, unhandled) => {
  expect(countTests(modules, unhandled).failed).toBe(1);
});

test('a test behind a failed hook says so', () => {
  expect(countTests([testModule([{ state: 'skipped' }], 0, 1)], []).skips).toMatchObject([{ reason: 'the hook before it failed' }]);
});

const counts = { passed: 3, failed: 0, skipped: 1 };
test.each([
  ['all is well', true, { isGood: true, message: counts }, '3 passed, 0 failed, 1 skipped'],
  ['the checks fail', false, { isGood: true, message: counts }, '3 passed, 1 failed, 1 skipped'],
  ['tests fail', true, { isGood: false, message: { ...counts, failed: 2 } }, '3 passed, 2 failed, 1 skipped'],
  ['both fail', false, { isGood: false, message: { ...counts, failed: 2 } }, '3 passed, 3 failed, 1 skipped'],
  ['vitest ends badly without naming a failure', true, { isGood: false, message: counts }, '3 passed, 1 failed, 1 skipped'],
  ['vitest dies before it can count', true, { isGood: false, message: undefined }, '0 passed, 1 failed, 0 skipped'],
  ['vitest ends well and has counted nothing', true, { isGood: true, message: undefined }, '0 passed, 1 failed, 0 skipped'],
])('when %s the line is true', (_what, isCheckGood, tests, line) => {
  expect(summaryLine(totals(isCheckGood, tests))).toBe(line);
});
