import { mulDivCeil, mulDivFloor, TICKS_PER_SECOND } from '../hal/bus.ts';

/**
 * The sample grid of a converter that started at a given tick: frame n belongs to tick start + ceil(n × 10^7 ÷ rate).
 * Everything is derived from the start by integers, so the grid is as exact after a week as after a millisecond.
 */
export class SampleClock {
  #startTick = 0;
  #rate = 48000;

  get startTick(): number {
    return this.#startTick;
  }

  /** Frames per second. */
  get rate(): number {
    return this.#rate;
  }

  /** Begins a new grid; frame 0 belongs to `startTick`, which may lie ahead. */
  start(startTick: number, rate: number): void {
    this.#startTick = startTick;
    this.#rate = rate;
  }

  /** The tick of frame `n`, or of the end of period n − 1. */
  tickOf(n: number): number {
    return this.#startTick + mulDivCeil(n, TICKS_PER_SECOND, this.#rate);
  }

  /** How many frames have left a DAC by `tick`: frame 0 leaves at the start itself. */
  slotsBy(tick: number): number {
    return tick < this.#startTick ? 0 : mulDivFloor(tick - this.#startTick, this.#rate, TICKS_PER_SECOND) + 1;
  }

  /** How many whole sample periods have passed by `tick`: an ADC delivers frame n at the end of period n. */
  periodsBy(tick: number): number {
    return tick < this.#startTick ? 0 : mulDivFloor(tick - this.#startTick, this.#rate, TICKS_PER_SECOND);
  }
}
