import type { CardOnBench, CardSignal, CardUnderTest } from './card-under-test.ts';

/** One thing that a check found other than it should be. */
export interface Mismatch {
  /** What was looked at; unique within its check. */
  readonly what: string;
  readonly expected: string;
  readonly observed: string;
}

/** Looks at values, and keeps what does not fit: a check goes on after a mismatch. */
export class Expectations {
  readonly mismatches: Mismatch[] = [];

  /** A register value. */
  equal(what: string, observed: number, expected: number): void {
    if (observed !== expected) this.#note(what, hex(expected), hex(observed));
  }

  /** The bits of `mask` in a register value. */
  bits(what: string, observed: number, mask: number, expected: number): void {
    if ((observed & mask) >>> 0 !== expected >>> 0) {
      this.#note(
        what,
        `${hex(expected >>> 0)} in the bits ${hex(mask >>> 0)}`,
        `${hex((observed & mask) >>> 0)} of ${hex(observed)}`,
      );
    }
  }

  /** A count or a time that lies between two limits, both included. */
  between(what: string, observed: number, lowest: number, highest: number): void {
    if (!(observed >= lowest && observed <= highest)) {
      this.#note(what, lowest === highest ? `${lowest}` : `${lowest} to ${highest}`, `${observed}`);
    }
  }

  /** Anything else: both texts say what the condition is about. */
  that(what: string, condition: boolean, expected: string, observed: string): void {
    if (!condition) this.#note(what, expected, observed);
  }

  /** Samples or bytes, one by one. */
  same(what: string, observed: ArrayLike<number>, expected: ArrayLike<number>): void {
    const length = Math.min(observed.length, expected.length);
    let different = 0;
    let first = -1;
    for (let i = 0; i < length; i++) {
      if (observed[i] === expected[i]) continue;
      different++;
      if (first < 0) first = i;
    }
    if (different > 0) {
      this.#note(
        what,
        `${expected.length} values; number ${first} is ${excerpt(expected, first)}`,
        `${different} of them differ; number ${first} is ${excerpt(observed, first)}`,
      );
    } else if (observed.length < expected.length) {
      this.#note(what, `${expected.length} values`, `${observed.length}`);
    }
  }

  #note(what: string, expected: string, observed: string): void {
    this.mismatches.push({ what, expected, observed });
  }
}

function excerpt(values: ArrayLike<number>, from: number): string {
  return Array.from({ length: Math.min(4, values.length - from) }, (_, i) => values[from + i]).join(', ');
}

/** A register value as datasheets write it. */
export function hex(value: number): string {
  const digits = value.toString(16).toUpperCase();
  return `${digits.length <= 2 ? digits.padStart(2, '0') : digits.length <= 4 ? digits.padStart(4, '0') : digits.padStart(8, '0')}h`;
}

/**
 * What a check needs besides a prepared card: `powerOn` a card untouched since power-on, `output` the recorder at its output,
 * `input` a known signal at its inputs.
 */
export type CheckNeed = 'powerOn' | 'output' | 'input';

/** One check of a card. `Bench` is the suite's way to speak to it. */
export interface CardCheck<Bench> {
  /** `AC97-RING-003`: never given to another check. */
  readonly id: string;
  /** What is true of a card that passes. */
  readonly title: string;
  /** Heading in the report. */
  readonly group: string;
  /** Where the documentation says so. */
  readonly source: string;
  readonly needs?: CheckNeed;
  /** A part that not every card of this kind has; see {@link CardTestSuite.missing}. */
  readonly part?: string;
  run(bench: Bench, expect: Expectations): void;
}

/** Where a card that many use is known to differ from the documentation. */
export interface KnownDeviation {
  readonly checkId: string;
  /** {@link CardUnderTest.machine} on which it occurs. */
  readonly machine: string;
  /** The mismatches that belong to it, by {@link Mismatch.what}; every one must occur, and no other. */
  readonly what: readonly string[];
  /** Why that card does so. */
  readonly reason: string;
}

/** A table of checks for one kind of card. */
export interface CardTestSuite<Bench, Card extends CardOnBench = CardUnderTest> {
  /** As `--card` takes it. */
  readonly card: string;
  readonly title: string;
  /** The documents that the sources of the checks name. */
  readonly documents: readonly { readonly short: string; readonly title: string }[];
  readonly checks: readonly CardCheck<Bench>[];
  readonly deviations: readonly KnownDeviation[];
  /** The signal for checks that need `input`. */
  readonly input: CardSignal;
  /** Makes the bench on which all checks run. */
  open(card: Card): Bench;
  /** Brings the card into a known state by its own means, whatever the last check did. */
  prepare(bench: Bench): void;
  /** Why a check of this part cannot be made here: the card does not have it. Null when it has, as without this method. */
  missing?(bench: Bench, part: string): string | null;
}
