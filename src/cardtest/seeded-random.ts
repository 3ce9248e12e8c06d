/** Random numbers that a seed repeats: xorshift32 behind a scrambled seed. Not for secrets. */
export class SeededRandom {
  #state: number;

  constructor(seed: number) {
    let state = (seed ^ 0x9e37_79b9) >>> 0;
    state = Math.imul(state ^ (state >>> 16), 0x85eb_ca6b) >>> 0;
    state = Math.imul(state ^ (state >>> 13), 0xc2b2_ae35) >>> 0;
    this.#state = (state ^ (state >>> 16)) >>> 0 || 1;
  }

  /** 32 random bits. */
  bits(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state;
  }

  /** An integer from 0 to, not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.bits() / 0x1_0000_0000) * limit);
  }

  /** True in `percent` of a hundred cases. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  /** One of these. */
  pick<T>(items: readonly [T, ...T[]]): T;
  pick<T>(items: readonly T[]): T;
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** One of these, each as often as its weight says. */
  weighted<T>(items: readonly (readonly [weight: number, item: T])[]): T {
    let at = this.below(items.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, item] of items) {
      at -= weight;
      if (at < 0) return item;
    }
    throw new RangeError('There is nothing to choose from.');
  }
}
