import type { IsaCardUnderTest } from '../card-under-test.ts';
import type { DiffSuite } from '../diff/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { SB16_ACCEPTED_DIFFERENCES, SB16_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { Sb16Bench } from './bench.ts';
import { Sb16DiffGenerator } from './diff-generator.ts';
import type { Sb16Operation } from './diff-operations.ts';
import { Sb16SideBySide } from './diff-run.ts';
import { sb16OperationsFromTrace } from './recorded-traffic.ts';

/** The differential test of a Sound Blaster 16; both cards placed by jumpers, as QEMU's is. */
export const SB16_DIFF: DiffSuite<Sb16Operation, Sb16Bench, IsaCardUnderTest> = {
  card: 'sb16',
  generate: (seed, steps) => {
    const generator = new Sb16DiffGenerator(new SeededRandom(seed));
    return Array.from(
      { length: steps },
      (_, step): Sb16Operation => (step === 0 ? { kind: 'wire' } : generator.next()),
    );
  },
  fromTrace: sb16OperationsFromTrace,
  open: (card) => new Sb16Bench(card),
  sideBySide: (model, other, log) => new Sb16SideBySide(model, other, log),
  accepted: SB16_ACCEPTED_DIFFERENCES,
  avoided: SB16_AVOIDED_TRAFFIC,
};
