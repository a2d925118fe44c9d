import { defineConfig } from 'vitest/config';

const root = new URL('..', import.meta.url).pathname;

export default defineConfig({
  root,
  test: {
    reporters: ['default', './test/summary-reporter.ts'],
    projects: [
      { test: { name: 'unit', root, include: ['libs/**/*.test.ts', 'apps/**/*.test.ts', 'test/*.test.ts'], maxWorkers: '100%' } },
      { test: { name: 'simulation', root, include: ['test/simulation/**/*.test.ts'], testTimeout: 120_000, maxWorkers: '100%' } },
      {
        test: {
          name: 'processes',
          root,
          // Real processes wait far more than they compute: two files at a time halve the run on two cores, and no test
          // depends on how fast it goes. They begin when the tests that do compute are through.
          include: ['test/processes/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
