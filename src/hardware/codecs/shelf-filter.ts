/**
 * A second-order shelving filter for two channels (the cookbook form, slope 1): what turns tone controls into sound. It keeps
 * its state across blocks and starts at rest.
 */
export class ShelfFilter {
  readonly #kind: 'low' | 'high';
  readonly #cornerHz: number;
  readonly #channels: readonly (0 | 1)[];
  #rate = 0;
  #decibels = 0;
  #b0 = 1;
  #b1 = 0;
  #b2 = 0;
  #a1 = 0;
  #a2 = 0;
  /** Per channel: x1, x2, y1, y2. */
  readonly #state = new Float64Array(8);

  /** @param channels which of the two it filters; the other one passes unchanged */
  constructor(kind: 'low' | 'high', cornerHz: number, channels: readonly (0 | 1)[] = [0, 1]) {
    this.#kind = kind;
    this.#cornerHz = cornerHz;
    this.#channels = channels;
  }

  get flat(): boolean {
    return this.#decibels === 0;
  }

  /** Sets the gain of the shelf. Going flat forgets the past. */
  setDecibels(decibels: number): void {
    if (decibels === this.#decibels) return;
    this.#decibels = decibels;
    if (decibels === 0) this.#state.fill(0);
    this.#design();
  }

  /** Filters interleaved stereo frames in place. */
  process(samples: Float64Array, frames: number, rate: number): void {
    if (this.flat) return;
    if (rate !== this.#rate) {
      this.#rate = rate;
      this.#state.fill(0);
      this.#design();
    }
    const state = this.#state;
    for (const channel of this.#channels) {
      const base = channel * 4;
      let x1 = state[base]!;
      let x2 = state[base + 1]!;
      let y1 = state[base + 2]!;
      let y2 = state[base + 3]!;
      for (let index = channel; index < frames * 2; index += 2) {
        const x = samples[index]!;
        const y = this.#b0 * x + this.#b1 * x1 + this.#b2 * x2 - this.#a1 * y1 - this.#a2 * y2;
        x2 = x1;
        x1 = x;
        y2 = y1;
        y1 = y;
        samples[index] = y;
      }
      state[base] = x1;
      state[base + 1] = x2;
      state[base + 2] = y1;
      state[base + 3] = y2;
    }
  }

  #design(): void {
    if (this.#rate === 0) return;
    const amplitude = 10 ** (this.#decibels / 40);
    // A corner above the band would fold back: keep it below Nyquist.
    const corner = Math.min(this.#cornerHz, 0.45 * this.#rate);
    const omega = (2 * Math.PI * corner) / this.#rate;
    const alpha = (Math.sin(omega) / 2) * Math.SQRT2;
    const beta = 2 * Math.sqrt(amplitude) * alpha;
    // A high shelf is the low shelf mirrored at a quarter of the rate: cos changes sign, and so do the odd coefficients.
    const sign = this.#kind === 'low' ? 1 : -1;
    const cosine = sign * Math.cos(omega);
    const plus = amplitude + 1;
    const minus = amplitude - 1;
    const a0 = plus + minus * cosine + beta;
    this.#b0 = (amplitude * (plus - minus * cosine + beta)) / a0;
    this.#b1 = (sign * 2 * amplitude * (minus - plus * cosine)) / a0;
    this.#b2 = (amplitude * (plus - minus * cosine - beta)) / a0;
    this.#a1 = (-sign * 2 * (minus + plus * cosine)) / a0;
    this.#a2 = (plus + minus * cosine - beta) / a0;
  }
}
