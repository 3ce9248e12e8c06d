import type { KnownDeviation } from '../check.ts';

/** Where QEMU's HDA controllers and codecs are known to differ from the documents (found with QEMU 7.2). */
export const HDA_KNOWN_DEVIATIONS: readonly KnownDeviation[] = [];
