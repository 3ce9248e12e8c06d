import type { TraceEvent } from '../../kernel/index.ts';
import type { CardOnBench, CardUnderTest } from '../card-under-test.ts';
import type { AvoidedTraffic, FoundDifference } from './difference.ts';

/**
 * One step of differential traffic, plain data: a sequence of them can be kept, cut short and played again. A `wire` step switches both
 * cards off and on; nothing before it matters any more.
 */
export interface DiffStep {
  readonly kind: string;
}

/** Both cards side by side: carries out steps on both and compares. */
export interface SideBySide<Step extends DiffStep> {
  /** Carries out one step; resolves to the first difference that is not accepted. */
  step(step: Step): Promise<FoundDifference | null>;
  /** What was compared so far; a `DifferenceCounter` does. */
  readonly comparer: {
    readonly comparisons: number;
    readonly acceptedCounts: ReadonlyMap<string, number>;
  };
}

/** What a differential test of one kind of card consists of. */
export interface DiffSuite<Step extends DiffStep, Bench, Card extends CardOnBench = CardUnderTest> {
  /** As `--card` takes it. */
  readonly card: string;
  /** The traffic of a seed, exactly `steps` long: the same for ever. */
  generate(seed: number, steps: number): readonly Step[];
  /** Recorded register traffic of a driver as steps; empty when the trace holds none of this card. */
  fromTrace(events: Iterable<TraceEvent>): readonly Step[];
  /** The way to speak to one card. */
  open(card: Card): Bench;
  /** Puts two cards beside each other. `log` is told every access as one readable line. */
  sideBySide(model: Bench, other: Bench, log: (line: string) => void): SideBySide<Step>;
  readonly accepted: readonly { readonly id: string; readonly about: string; readonly reason: string }[];
  readonly avoided: readonly AvoidedTraffic[];
}

export interface DiffOptions<Step extends DiffStep = DiffStep> {
  readonly seed: number;
  readonly steps: number;
  /** Recorded traffic to play in place of generated. */
  readonly operations?: readonly Step[];
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
export interface DiffStory<Step extends DiffStep = DiffStep> extends FoundDifference {
  /** Step in the original sequence, counted from 1. */
  readonly step: number;
  /** The last accesses, oldest first, with what each side answered. */
  readonly lines: readonly string[];
  /** The shortest sequence found that shows it; play it again as `operations`. */
  readonly operations: readonly Step[];
}

export interface DiffReport<Step extends DiffStep = DiffStep> {
  readonly card: string;
  readonly model: string;
  readonly other: string;
  readonly seed: number;
  readonly steps: number;
  readonly stepsDone: number;
  /** Answers, recordings and buffers that were compared. */
  readonly comparisons: number;
  /** The first difference that no entry of the list accounts for; null when there was none. */
  readonly difference: DiffStory<Step> | null;
  /** Accepted differences that occurred, and how often. */
  readonly accepted: readonly {
    readonly id: string;
    readonly about: string;
    readonly reason: string;
    readonly count: number;
  }[];
  /** Traffic that is left out because it is known to lead the two apart. */
  readonly avoided: readonly AvoidedTraffic[];
}
