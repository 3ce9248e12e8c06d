import type { PcmFormat, PcmSamples, PcmSink } from '../../hal/bus.ts';
import { MixTap } from '../codecs/mix-tap.ts';
import { SampleClock } from '../sample-clock.ts';

/** The FM chip's samples: 7 in 1408 ticks of 100 ns (14.31818 MHz ÷ 288), as a rate and its divisor. */
const FM_RATE_HZ = 70_000_000;
const FM_DIVISOR = 1408;

/**
 * The wire from the FM chip to the mixer: keeps what the chip played last, on the chip's own sample grid, for whoever samples it: the
 * output mixer and the ADC.
 */
export class FmTap implements PcmSink {
  readonly #tap = new MixTap();
  readonly #clock = new SampleClock();
  /** Number of the first sample since {@link takeStartTick}; null when there was none. */
  #first: number | null = null;
  /** Number of the sample after the last one. */
  #end = 0;
  #awake = false;

  /** The chip begins to count. */
  start(tick: number): void {
    this.#clock.start(tick, FM_RATE_HZ, FM_DIVISOR);
    this.#first = null;
    this.#end = 0;
    this.#awake = false;
    this.#tap.clear();
  }

  write(samples: PcmSamples, frames: number, _format: PcmFormat, startTick: number): void {
    if (!(samples instanceof Int16Array)) return;
    this.#awake = true;
    // Notes that are dying away end in samples of 0 for a while: silence, which must not keep the mixer at work.
    let start = 0;
    while (start < frames && isZero(samples, start)) start++;
    let end = frames;
    while (end > start && isZero(samples, end - 1)) end--;
    if (start === end) return;
    // The stamp is that of sample n rounded up to a tick, which is less than a sample away.
    const first = this.#clock.periodsBy(startTick) + start;
    this.#tap.append(samples, start, end - start, this.#clock, first);
    this.#first ??= first;
    this.#end = first + end - start;
  }

  /** When the chip sounded first since this was asked last; null when it did not. */
  takeStartTick(): number | null {
    const first = this.#first;
    this.#first = null;
    return first === null ? null : this.#clock.tickOf(first);
  }

  /** Did the chip work since this was asked last, be it on a note that is still too soft to be heard? */
  takeAwake(): boolean {
    const awake = this.#awake;
    this.#awake = false;
    return awake;
  }

  /** When the sample after the last one would have left. */
  get endTick(): number {
    return this.#clock.tickOf(this.#end);
  }

  /** What is on the wire at slots `firstSlot` … of `clock`: interleaved stereo, 0 where the chip was silent. */
  read(into: Float64Array, frames: number, clock: SampleClock, firstSlot: number): void {
    this.#tap.read(into, frames, clock, firstSlot);
  }
}

function isZero(samples: Int16Array, frame: number): boolean {
  return samples[frame * 2] === 0 && samples[frame * 2 + 1] === 0;
}
