import { type DiffSuite, generateInTwoParts } from '../diff/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { AC97_ACCEPTED_DIFFERENCES, AC97_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { Ac97Bench } from './bench.ts';
import { DiffGenerator } from './diff-generator.ts';
import type { DiffOperation } from './diff-operations.ts';
import { Ac97SideBySide } from './diff-run.ts';
import { ac97OperationsFromTrace } from './recorded-traffic.ts';

/** Our AC'97 model beside another card. Run it with {@link runDiffSuite}. */
export const AC97_DIFF: DiffSuite<DiffOperation, Ac97Bench> = {
  card: 'ac97',
  generate: (seed, steps) => generateInTwoParts(new DiffGenerator(new SeededRandom(seed)), steps),
  fromTrace: ac97OperationsFromTrace,
  open: (card) => new Ac97Bench(card),
  sideBySide: (model, other, log) => new Ac97SideBySide(model, other, log),
  accepted: AC97_ACCEPTED_DIFFERENCES,
  avoided: AC97_AVOIDED_TRAFFIC,
};
