import { type DiffSuite, generateInTwoParts } from '../diff/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { ES1370_ACCEPTED_DIFFERENCES, ES1370_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { Es1370Bench } from './bench.ts';
import { Es1370Generator } from './diff-generator.ts';
import type { Es1370Operation } from './diff-operations.ts';
import { Es1370SideBySide } from './diff-run.ts';
import { es1370OperationsFromTrace } from './recorded-traffic.ts';

/** Our ES1370 model beside another card. Run it with {@link runDiffSuite}. */
export const ES1370_DIFF: DiffSuite<Es1370Operation, Es1370Bench> = {
  card: 'es1370',
  generate: (seed, steps) => generateInTwoParts(new Es1370Generator(new SeededRandom(seed)), steps),
  fromTrace: es1370OperationsFromTrace,
  open: (card) => new Es1370Bench(card),
  sideBySide: (model, other, log) => new Es1370SideBySide(model, other, log),
  accepted: ES1370_ACCEPTED_DIFFERENCES,
  avoided: ES1370_AVOIDED_TRAFFIC,
};
