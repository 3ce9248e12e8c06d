import {
  OPL_STATUS_FT1,
  OPL_STATUS_FT2,
  OPL_STATUS_IRQ,
  TC_MT1,
  TC_MT2,
  TC_RST,
  TC_ST1,
  TC_ST2,
} from './registers.ts';

/** An 8-bit counter upwards from a preset; it is loaded at the start and at every overflow. */
class FmTimer {
  readonly #samplesPerCount: number;
  preset = 0;
  /** The sample before which it overflows next; null while it stands. */
  overflowSample: number | null = null;
  masked = false;
  flag = false;

  constructor(samplesPerCount: number) {
    this.#samplesPerCount = samplesPerCount;
  }

  get #period(): number {
    return (256 - this.preset) * this.#samplesPerCount;
  }

  /** The sample before which the flag is set next; null when it is not. */
  get nextFlagSample(): number | null {
    return this.masked || this.flag ? null : this.overflowSample;
  }

  /** Starting a timer that runs changes nothing. */
  run(on: boolean, sample: number): void {
    if (!on) this.overflowSample = null;
    else if (this.overflowSample === null) this.overflowSample = sample + this.#period;
  }

  /** All overflows up to and at `sample`. */
  advance(sample: number): void {
    if (this.overflowSample === null || this.overflowSample > sample) return;
    if (!this.masked) this.flag = true;
    const missed = Math.floor((sample - this.overflowSample) / this.#period);
    this.overflowSample += (missed + 1) * this.#period;
  }

  reset(): void {
    this.preset = 0;
    this.overflowSample = null;
    this.masked = false;
    this.flag = false;
  }
}

/**
 * The two timers and the status register (registers 02h, 03h, 04h). Timer 1 counts every four samples, timer 2 every sixteen:
 * 80.46 µs and 321.8 µs with the usual crystal ("80 µs" and "320 µs" in the manuals, whose formulas assume 14.4 MHz). Time is in
 * samples.
 */
export class FmTimers {
  readonly #timer1 = new FmTimer(4);
  readonly #timer2 = new FmTimer(16);

  /** FT1, FT2, and IRQ where either is set; the other bits 0. */
  get status(): number {
    const flags = (this.#timer1.flag ? OPL_STATUS_FT1 : 0) | (this.#timer2.flag ? OPL_STATUS_FT2 : 0);
    return flags === 0 ? 0 : flags | OPL_STATUS_IRQ;
  }

  /** The sample before which timer 1 overflows, null while it stands. */
  get overflow1Sample(): number | null {
    return this.#timer1.overflowSample;
  }

  /** The next sample at which the status changes by itself; null when it does not. */
  get nextFlagSample(): number | null {
    const one = this.#timer1.nextFlagSample;
    const two = this.#timer2.nextFlagSample;
    if (one === null || two === null) return one ?? two;
    return Math.min(one, two);
  }

  setPreset1(value: number): void {
    this.#timer1.preset = value;
  }

  setPreset2(value: number): void {
    this.#timer2.preset = value;
  }

  /** Register 04h, at the boundary before `sample`. With RST the flags are cleared and the other bits mean nothing. */
  control(value: number, sample: number): void {
    if ((value & TC_RST) !== 0) {
      this.#timer1.flag = false;
      this.#timer2.flag = false;
      return;
    }
    this.#mask(this.#timer1, (value & TC_MT1) !== 0);
    this.#mask(this.#timer2, (value & TC_MT2) !== 0);
    this.#timer1.run((value & TC_ST1) !== 0, sample);
    this.#timer2.run((value & TC_ST2) !== 0, sample);
  }

  advance(sample: number): void {
    this.#timer1.advance(sample);
    this.#timer2.advance(sample);
  }

  reset(): void {
    this.#timer1.reset();
    this.#timer2.reset();
  }

  /** A masked flag reads 0, also when it was set before. */
  #mask(timer: FmTimer, masked: boolean): void {
    timer.masked = masked;
    if (masked) timer.flag = false;
  }
}
