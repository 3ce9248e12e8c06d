import { mulDivCeil, mulDivFloor, TICKS_PER_SECOND } from '../hal/bus.ts';

/**
 * The sample grid of a converter that started at a given tick: frame n belongs to tick start + ceil(n × 10^7 ÷ rate).
 * Everything is derived from the start by integers, so the grid is as exact after a week as after a millisecond.
 */
export class SampleClock {
  #startTick = 0;
  #rate = 48000;
  /** Frames per tick as a fraction in lowest terms, so that the products of exact arithmetic stay small. */
  #numerator = 3;
  #denominator = 625;

  get startTick(): number {
    return this.#startTick;
  }

  /** Frames per second; a fraction where a divider makes them. */
  get rate(): number {
    return this.#rate;
  }

  /** Frames per tick, exactly: numerator of the fraction in lowest terms. */
  get numerator(): number {
    return this.#numerator;
  }

  /** Denominator to {@link numerator}. */
  get denominator(): number {
    return this.#denominator;
  }

  /** Begins a new grid of `rate` ÷ `divisor` frames a second; frame 0 belongs to `startTick`, which may lie ahead. */
  start(startTick: number, rate: number, divisor = 1): void {
    this.#startTick = startTick;
    this.#rate = rate / divisor;
    const ticks = divisor * TICKS_PER_SECOND;
    const common = greatestCommonDivisor(rate, ticks);
    this.#numerator = rate / common;
    this.#denominator = ticks / common;
  }

  /** The tick of frame `n`, or of the end of period n − 1. */
  tickOf(n: number): number {
    return this.#startTick + mulDivCeil(n, this.#denominator, this.#numerator);
  }

  /** How many frames have left a DAC by `tick`: frame 0 leaves at the start itself. */
  slotsBy(tick: number): number {
    return tick < this.#startTick ? 0 : this.periodsBy(tick) + 1;
  }

  /** How many whole sample periods have passed by `tick`: an ADC delivers frame n at the end of period n. */
  periodsBy(tick: number): number {
    return tick < this.#startTick
      ? 0
      : mulDivFloor(tick - this.#startTick, this.#numerator, this.#denominator);
  }
}

function greatestCommonDivisor(one: number, other: number): number {
  while (other !== 0) [one, other] = [other, one % other];
  return one;
}
