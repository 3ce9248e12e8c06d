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
  /** Number of the sample after the last one received. */
  #end = 0;

  /** The chip begins to count. */
  start(tick: number): void {
    this.#clock.start(tick, FM_RATE_HZ, FM_DIVISOR);
    this.#end = 0;
    this.#tap.clear();
  }

  write(samples: PcmSamples, frames: number, _format: PcmFormat, startTick: number): void {
    // Notes that are dying away end in samples of 0 for a while: silence, which must not keep the mixer at work.
    if (!(samples instanceof Int16Array) || isSilent(samples, frames)) return;
    // The stamp is that of sample n rounded up to a tick, which is less than a sample away.
    const first = this.#clock.periodsBy(startTick);
    this.#tap.append(samples, 0, frames, this.#clock, first);
    this.#end = first + frames;
  }

  /** Has the chip played anything after `tick`? */
  soundedAfter(tick: number): boolean {
    return this.#end > this.#clock.slotsBy(tick);
  }

  /** What is on the wire at slots `firstSlot` … of `clock`: interleaved stereo, 0 where the chip was silent. */
  read(into: Float64Array, frames: number, clock: SampleClock, firstSlot: number): void {
    this.#tap.read(into, frames, clock, firstSlot);
  }
}

function isSilent(samples: Int16Array, frames: number): boolean {
  for (let i = 0; i < frames * 2; i++) if (samples[i] !== 0) return false;
  return true;
}
