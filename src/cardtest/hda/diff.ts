import { type DiffSuite, generateInTwoParts } from '../diff/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { HDA_ACCEPTED_DIFFERENCES, HDA_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { HdaBench } from './bench.ts';
import { HdaDiffGenerator } from './diff-generator.ts';
import type { HdaOperation } from './diff-operations.ts';
import { HdaSideBySide } from './diff-run.ts';
import { hdaOperationsFromTrace } from './recorded-traffic.ts';

/** Our HDA model with QEMU's duplex codec beside another card. Run it with {@link runDiffSuite}. */
export const HDA_DIFF: DiffSuite<HdaOperation, HdaBench> = {
  card: 'hda',
  generate: (seed, steps) => generateInTwoParts(new HdaDiffGenerator(new SeededRandom(seed)), steps),
  fromTrace: hdaOperationsFromTrace,
  open: (card) => new HdaBench(card),
  sideBySide: (model, other, log) => new HdaSideBySide(model, other, log),
  accepted: HDA_ACCEPTED_DIFFERENCES,
  avoided: HDA_AVOIDED_TRAFFIC,
};
