import { describe } from 'vitest';
import { findQemu, QemuError } from '../../src/machines/qemu/index.ts';

/** Why QEMU cannot be had, null when it can. Asked once. */
export const qemuMissing: string | null = (() => {
  try {
    findQemu();
    return null;
  } catch (error) {
    if (error instanceof QemuError && error.missing) return error.message;
    throw error;
  }
})();

/** A group of tests that need QEMU. Without it they are left out, and a line of the output says so and why. */
export function describeWithQemu(name: string, tests: () => void): void {
  if (qemuMissing !== null) console.warn(`Left out: ${name}. ${qemuMissing}`);
  describe.skipIf(qemuMissing !== null)(name, tests);
}
