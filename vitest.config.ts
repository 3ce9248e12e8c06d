import { defineConfig } from 'vitest/config';

const QEMU_TESTS = 'test/qemu/**/*.test.ts';

export default defineConfig({
  test: {
    testTimeout: 120_000,
    pool: 'threads',
    projects: [
      {
        extends: true,
        test: {
          name: 'all',
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: [QEMU_TESTS, '**/node_modules/**'],
        },
      },
      {
        extends: true,
        // Time is real there: one file at a time, with nothing else going on.
        test: { name: 'qemu', include: [QEMU_TESTS], fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
