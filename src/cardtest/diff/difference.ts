/** What our model and the other card did differently, without an accepted reason. */
export interface FoundDifference {
  /** Register or thing that differs: the same on a second run that finds the same. */
  readonly what: string;
  readonly model: string;
  readonly other: string;
  /** What the documents say of it; null when they say nothing. */
  readonly documentation: string | null;
}

/** A difference between our model and the other card that is no error of the model. `Read` is what the card's comparer knows of a read. */
export interface AcceptedDifference<Read> {
  readonly id: string;
  /** The registers and the circumstances. */
  readonly about: string;
  /** Why: what the documents say, or what QEMU does. */
  readonly reason: string;
  /** Bits of the register that may differ here; 0 where it does not apply. */
  mask(read: Read): number;
}

/** Traffic that leads the two cards apart for good, so that a generator leaves it out. */
export interface AvoidedTraffic {
  readonly what: string;
  readonly reason: string;
}

/** Counts comparisons, and the accepted differences among them. What a card's own comparer is built on. */
export class DifferenceCounter<Read> {
  readonly #accepted: readonly AcceptedDifference<Read>[];
  readonly #counts = new Map<string, number>();
  #comparisons = 0;

  constructor(accepted: readonly AcceptedDifference<Read>[]) {
    this.#accepted = accepted;
  }

  get comparisons(): number {
    return this.#comparisons;
  }

  /** How often each accepted difference occurred, by its id. */
  get acceptedCounts(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  /** Something is compared. */
  countComparison(): void {
    this.#comparisons++;
  }

  /** The bits of `differing` that no entry of the list accounts for; entries that account for any are counted. */
  withoutAccepted(differing: number, read: Read): number {
    let left = differing;
    for (const accepted of this.#accepted) {
      if (left === 0) break;
      const mask = accepted.mask(read);
      if ((left & mask) === 0) continue;
      this.accept(accepted.id);
      left &= ~mask;
    }
    return left >>> 0;
  }

  /** A difference other than in a register's bits is one of the list. */
  accept(id: string): void {
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  /** Anything that is the same or not. */
  same(what: string, model: string, other: string, documentation: string | null): FoundDifference | null {
    this.#comparisons++;
    return model === other ? null : { what, model, other, documentation };
  }
}
