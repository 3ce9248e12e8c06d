import type { CardUnderTest } from '../card-under-test.ts';
import { SeededRandom } from '../seeded-random.ts';
import { AC97_ACCEPTED_DIFFERENCES, AC97_AVOIDED_TRAFFIC } from './accepted-differences.ts';
import { Ac97Bench } from './bench.ts';
import type { FoundDifference } from './diff-compare.ts';
import { DiffGenerator } from './diff-generator.ts';
import type { DiffOperation } from './diff-operations.ts';
import { Ac97SideBySide } from './diff-run.ts';

/** Lines of the story in front of a difference. */
const STORY_LINES = 24;
/** Of so many steps one third goes with a signal at the inputs, so that the capture engines run. */
const CAPTURE_SHARE = 1 / 3;
/** How often a shorter sequence is tried. */
const SHRINK_ATTEMPTS = 40;

export interface DiffOptions {
  readonly seed: number;
  readonly steps: number;
  /** Recorded traffic to play in place of generated. */
  readonly operations?: readonly DiffOperation[];
  /** Looks for a shorter sequence that shows the same difference; true by default. */
  readonly shrink?: boolean;
}

export interface DiffCallbacks {
  /** After each step. */
  readonly onStep?: (done: number, steps: number) => void;
  /** Before each attempt to find a shorter sequence. */
  readonly onShrink?: (attempt: number, operations: number) => void;
  /** Asked before each step; true ends the run. */
  readonly cancelled?: () => boolean;
}

/** A difference with what led to it. */
export interface DiffStory extends FoundDifference {
  /** Step in the original sequence, counted from 1. */
  readonly step: number;
  /** The last accesses, oldest first, with what each side answered. */
  readonly lines: readonly string[];
  /** The shortest sequence found that shows it; play it again as `operations`. */
  readonly operations: readonly DiffOperation[];
}

export interface DiffReport {
  readonly card: string;
  readonly model: string;
  readonly other: string;
  readonly seed: number;
  readonly steps: number;
  readonly stepsDone: number;
  /** Answers, recordings and buffers that were compared. */
  readonly comparisons: number;
  /** The first difference that no entry of the list accounts for; null when there was none. */
  readonly difference: DiffStory | null;
  /** Accepted differences that occurred, and how often. */
  readonly accepted: readonly {
    readonly id: string;
    readonly about: string;
    readonly reason: string;
    readonly count: number;
  }[];
  /** Traffic that is left out because it is known to lead the two apart. */
  readonly avoided: typeof AC97_AVOIDED_TRAFFIC;
}

/** The traffic of a seed: the same for ever. */
export function generateAc97Traffic(seed: number, steps: number): readonly DiffOperation[] {
  const generator = new DiffGenerator(new SeededRandom(seed));
  const capture = Math.floor(steps * CAPTURE_SHARE);
  const operations: DiffOperation[] = [];
  for (const [input, count] of [
    [false, steps - capture],
    [true, capture],
  ] as const) {
    if (count === 0) continue;
    operations.push(generator.wire(input));
    while (operations.length < (input ? steps : steps - capture) - 1) operations.push(generator.next());
    operations.push(generator.settle());
  }
  return operations;
}

/**
 * Differential test of our AC'97 model against another card: the same traffic goes to both, and every answer, interrupt level, captured
 * buffer and played sample is compared. The machines of both are switched off and on.
 */
export async function runAc97Diff(
  model: CardUnderTest,
  other: CardUnderTest,
  options: DiffOptions,
  callbacks: DiffCallbacks = {},
): Promise<DiffReport> {
  const operations = options.operations ?? generateAc97Traffic(options.seed, options.steps);
  const benches = [new Ac97Bench(model), new Ac97Bench(other)] as const;
  const run = await playSequence(benches, operations, callbacks);
  let difference: DiffStory | null = null;
  if (run.difference) {
    const failing = operations.slice(0, run.stepsDone);
    difference = { ...run.difference, step: run.stepsDone, lines: run.lines, operations: failing };
    if (options.shrink !== false) difference = await shorten(benches, difference, callbacks);
  }
  return {
    card: 'ac97',
    model: model.description,
    other: other.description,
    seed: options.seed,
    steps: operations.length,
    stepsDone: run.stepsDone,
    comparisons: run.comparisons,
    difference,
    accepted: AC97_ACCEPTED_DIFFERENCES.flatMap(({ id, about, reason }) => {
      const count = run.accepted.get(id);
      return count === undefined ? [] : [{ id, about, reason, count }];
    }),
    avoided: AC97_AVOIDED_TRAFFIC,
  };
}

interface PlayedSequence {
  readonly difference: FoundDifference | null;
  readonly stepsDone: number;
  readonly lines: readonly string[];
  readonly comparisons: number;
  readonly accepted: ReadonlyMap<string, number>;
}

async function playSequence(
  [model, other]: readonly [Ac97Bench, Ac97Bench],
  operations: readonly DiffOperation[],
  { onStep, cancelled }: DiffCallbacks,
): Promise<PlayedSequence> {
  const lines: string[] = [];
  let step = 0;
  const sideBySide = new Ac97SideBySide(model, other, (line) => {
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
async function shorten(
  benches: readonly [Ac97Bench, Ac97Bench],
  found: DiffStory,
  callbacks: DiffCallbacks,
): Promise<DiffStory> {
  let attempts = 0;
  let best = found;
  const reproduces = async (operations: readonly DiffOperation[]): Promise<boolean> => {
    if (attempts >= SHRINK_ATTEMPTS || callbacks.cancelled?.() === true) return false;
    callbacks.onShrink?.(++attempts, operations.length);
    const run = await playSequence(benches, operations, {});
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
  for (let count = 1; count < phase.length; count *= 2) {
    if (await reproduces([...prefix, ...phase.slice(-count)])) break;
  }
  // Then without ever smaller pieces of what is left, from the end; the wiring in front stays.
  for (let piece = Math.floor((best.operations.length - 1) / 2); piece >= 1; piece = Math.floor(piece / 2)) {
    for (let end = best.operations.length - 1; end > 1; end -= piece) {
      const start = Math.max(1, end - piece);
      const kept = [...best.operations.slice(0, start), ...best.operations.slice(end)];
      await reproduces(kept);
      end = Math.min(end, best.operations.length);
    }
  }
  return best;
}

/** The report as text: what was compared, what was accepted and why, and the story of the first difference. */
export function formatDiffReport(report: DiffReport): string {
  const { difference } = report;
  const lines = [
    `${report.model} beside ${report.other}`,
    `Seed ${report.seed}: ${report.stepsDone} of ${report.steps} steps, ${report.comparisons} comparisons.`,
    '',
  ];
  if (report.accepted.length > 0) {
    lines.push('Differences that are known, and why:');
    for (const { id, about, reason, count } of report.accepted)
      lines.push(`  ${id} (${count}×): ${about}`, `      ${reason}`);
    lines.push('');
  }
  lines.push('Left out of the traffic, since it leads the two apart for good:');
  for (const { what } of report.avoided) lines.push(`  ${what}`);
  lines.push('');
  if (difference === null) {
    lines.push('No other difference.');
    return `${lines.join('\n')}\n`;
  }
  lines.push(
    `Step ${difference.step}: ${difference.what} differs, and no entry of the list says why.`,
    `The shortest traffic found that shows it has ${difference.operations.length} steps; its last accesses were:`,
    ...difference.lines.map((line) => `  ${line}`),
    '',
    `  model: ${difference.model}`,
    `  other: ${difference.other}`,
  );
  if (difference.documentation !== null)
    lines.push(...difference.documentation.split('\n').map((line) => `  ${line}`));
  lines.push('', `Again: miniport diff --card ${report.card} --seed ${report.seed} --steps ${report.steps}`);
  return `${lines.join('\n')}\n`;
}
