import type { KnownDeviation } from '../check.ts';

/** Where QEMU's sb16 differs from the guide. */
export const SB16_KNOWN_DEVIATIONS: readonly KnownDeviation[] = [];
