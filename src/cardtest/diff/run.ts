import type { CardOnBench, CardUnderTest } from '../card-under-test.ts';
import type { FoundDifference } from './difference.ts';
import type { DiffCallbacks, DiffOptions, DiffReport, DiffStep, DiffStory, DiffSuite } from './suite.ts';

/** Lines of the story in front of a difference. */
const STORY_LINES = 24;
/** How often a shorter sequence is tried. */
const SHRINK_ATTEMPTS = 40;

/**
 * Differential test of our model of a card against another one: the same traffic goes to both, and every answer, interrupt level,
 * captured buffer and played sample is compared. The machines of both are switched off and on.
 */
export async function runDiffSuite<Step extends DiffStep, Bench, Card extends CardOnBench = CardUnderTest>(
  model: Card,
  other: Card,
  suite: DiffSuite<Step, Bench, Card>,
  options: DiffOptions<Step>,
  callbacks: DiffCallbacks = {},
): Promise<DiffReport<Step>> {
  const operations = options.operations ?? suite.generate(options.seed, options.steps);
  const benches = [suite.open(model), suite.open(other)] as const;
  const play: Player<Step> = (steps, listeners) => playSequence(suite, benches, steps, listeners);
  const run = await play(operations, callbacks);
  let difference: DiffStory<Step> | null = null;
  if (run.difference) {
    const failing = operations.slice(0, run.stepsDone);
    difference = { ...run.difference, step: run.stepsDone, lines: run.lines, operations: failing };
    if (options.shrink !== false) difference = await shorten(play, difference, callbacks);
  }
  return {
    card: suite.card,
    model: model.description,
    other: other.description,
    seed: options.seed,
    steps: operations.length,
    stepsDone: run.stepsDone,
    comparisons: run.comparisons,
    difference,
    accepted: suite.accepted.flatMap(({ id, about, reason }) => {
      const count = run.accepted.get(id);
      return count === undefined ? [] : [{ id, about, reason, count }];
    }),
    avoided: suite.avoided,
  };
}

interface PlayedSequence {
  readonly difference: FoundDifference | null;
  readonly stepsDone: number;
  readonly lines: readonly string[];
  readonly comparisons: number;
  readonly accepted: ReadonlyMap<string, number>;
}

type Player<Step> = (steps: readonly Step[], callbacks: DiffCallbacks) => Promise<PlayedSequence>;

async function playSequence<Step extends DiffStep, Bench, Card extends CardOnBench>(
  suite: DiffSuite<Step, Bench, Card>,
  [model, other]: readonly [Bench, Bench],
  operations: readonly Step[],
  { onStep, cancelled }: DiffCallbacks,
): Promise<PlayedSequence> {
  const lines: string[] = [];
  let step = 0;
  const sideBySide = suite.sideBySide(model, other, (line) => {
    lines.push(`${String(step).padStart(5)}  ${line}`);
    if (lines.length > STORY_LINES) lines.shift();
  });
  let difference: FoundDifference | null = null;
  for (const operation of operations) {
    if (cancelled?.() === true) break;
    step++;
    difference = await sideBySide.step(operation);
    onStep?.(step, operations.length);
    if (difference) break;
  }
  const { comparisons, acceptedCounts } = sideBySide.comparer;
  return { difference, stepsDone: step, lines, comparisons, accepted: acceptedCounts };
}

/** Tries the last operations alone, twice as many each time. */
async function shorten<Step extends DiffStep>(
  play: Player<Step>,
  found: DiffStory<Step>,
  callbacks: DiffCallbacks,
): Promise<DiffStory<Step>> {
  let attempts = 0;
  let best = found;
  const reproduces = async (operations: readonly Step[]): Promise<boolean> => {
    if (attempts >= SHRINK_ATTEMPTS || callbacks.cancelled?.() === true) return false;
    callbacks.onShrink?.(++attempts, operations.length);
    const run = await play(operations, {});
    if (run.difference?.what !== found.what) return false;
    best = {
      ...run.difference,
      step: found.step,
      lines: run.lines,
      operations: operations.slice(0, run.stepsDone),
    };
    return true;
  };
  const all = found.operations;
  const lastWire = all.findLastIndex(({ kind }) => kind === 'wire');
  const wire = all[lastWire];
  const phase = all.slice(lastWire + 1);
  const prefix = wire === undefined ? [] : [wire];
  for (let count = 1; ; count *= 2) {
    if ((await reproduces([...prefix, ...phase.slice(-count)])) || count >= phase.length) break;
  }
  // Then without ever smaller pieces of what is left, from the end; the wiring stays.
  for (let piece = Math.floor((best.operations.length - 1) / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let end = best.operations.length - 1; end > 1; end -= piece) {
      const start = Math.max(1, end - piece);
      const piecesOf = best.operations;
      const kept = piecesOf.filter(({ kind }, index) => index < start || index >= end || kind === 'wire');
      if (kept.length < piecesOf.length) await reproduces(kept);
      end = Math.min(end, best.operations.length);
    }
  }
  return best;
}
