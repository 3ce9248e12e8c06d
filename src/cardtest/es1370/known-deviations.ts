import type { KnownDeviation } from '../check.ts';

/** A row: check, the mismatches that belong to it, and why. */
type Row = readonly [checkId: string, what: readonly string[], reason: string];

const QEMU_ROWS: readonly Row[] = [];

/** Where QEMU's ES1370 is known to differ. */
export const ES1370_KNOWN_DEVIATIONS: readonly KnownDeviation[] = QEMU_ROWS.map(
  ([checkId, what, reason]) => ({ checkId, machine: 'qemu', what, reason }),
);
