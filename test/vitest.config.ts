import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;

export default defineConfig({
  root,
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    projects: [
      { test: { name: 'unit', root, include: ['libs/**/*.test.ts', 'apps/**/*.test.ts', 'test/*.test.ts'] } },
      { test: { name: 'simulation', root, include: ['test/simulation/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'processes',
          root,
          // Real processes on a machine of two cores: one file at a time, so that each can count on its own timings.
          include: ['test/processes/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
