import { mulDivCeil, mulDivFloor } from '../../hal/bus.ts';

/**
 * The FM chips divide their clock by 288 (YMF262: 14.31818 MHz) or 72 (YM3812: 3.579545 MHz). That clock is four times, or once, the NTSC
 * colour subcarrier, 315 ÷ 88 MHz, so a sample lasts 1408 ÷ 7 ticks of 100 ns exactly: 49715.909 samples a second.
 */
const TICKS_PER_7_SAMPLES = 1408;

/** The sample rate as a fraction: 546875 ÷ 11 = 49715.909 Hz. */
export const FM_SAMPLE_RATE = { numerator: 546_875, denominator: 11 } as const;

/** The nearest integer, which blocks of samples are labelled with; it is 1.8 parts per million too high. */
export const FM_NOMINAL_RATE = 49_716;

/** Which sample belongs to which tick: sample n to start + ceil(n × 1408 ÷ 7). */
export class SampleGrid {
  #startTick = 0;

  start(startTick: number): void {
    this.#startTick = startTick;
  }

  tickOf(sample: number): number {
    return this.#startTick + mulDivCeil(sample, TICKS_PER_7_SAMPLES, 7);
  }

  /** How many samples have left by `tick`; sample 0 leaves at the start itself. */
  samplesBy(tick: number): number {
    const passed = tick - this.#startTick;
    return passed < 0 ? 0 : mulDivFloor(passed, 7, TICKS_PER_7_SAMPLES) + 1;
  }
}
