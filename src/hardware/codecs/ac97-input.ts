import type { PcmSource } from '../../hal/bus.ts';
import type { SampleClock } from '../sample-clock.ts';
import type { Ac97Codec } from './ac97-codec.ts';
import { type Ac97Jacks, FormatCache } from './ac97-jacks.ts';
import {
  AC97_GENERAL_PURPOSE,
  AC97_MIC_BOOST,
  AC97_MIC_VOLUME,
  AC97_RECORD_GAIN,
  AC97_RECORD_GAIN_MIC,
  AC97_RECORD_SELECT,
  GP_MS,
  RECORD_AUX,
  RECORD_CD,
  RECORD_LINE,
  RECORD_MIC,
  RECORD_MONO_MIX,
  RECORD_PHONE,
  RECORD_STEREO_MIX,
  RECORD_VIDEO,
} from './ac97-registers.ts';
import { gainOf, recordDecibels, toSample } from './gain.ts';
import type { MixTap } from './mix-tap.ts';

const BLOCK_FRAMES = 1024;
/** The mic preamplifier's 20 dB. */
const BOOST_GAIN = 10;

/**
 * The recording half of the codec: multiplexer, record gain, ADCs (AC'97 2.3, §5.7.6, §5.7.7). The multiplexer sits before the
 * input volumes; "stereo mix" is the mixer's output behind 3D and tone, before the master volume; "mono mix" is the mean of its
 * sides. A conversion rounds to nearest and saturates.
 */
export class Ac97Input {
  readonly #codec: Ac97Codec;
  readonly #jacks: Ac97Jacks;
  readonly #tap: MixTap;
  readonly #formats = new FormatCache();
  readonly #left = new Float64Array(BLOCK_FRAMES * 2);
  readonly #right = new Float64Array(BLOCK_FRAMES * 2);
  readonly #raw = new Int16Array(BLOCK_FRAMES * 2);

  constructor(codec: Ac97Codec, jacks: Ac97Jacks, tap: MixTap) {
    this.#codec = codec;
    this.#jacks = jacks;
    this.#tap = tap;
  }

  /** True when the multiplexer listens to the mixer, so that the mix must be kept for it. */
  get recordsMix(): boolean {
    const select = this.#codec.stored(AC97_RECORD_SELECT);
    return isMix((select >>> 8) & 7) || isMix(select & 7);
  }

  /** Converts `frames` stereo frames, periods `firstFrame` … of `clock`, into `into` from sample `offset` on. */
  readStereo(into: Int16Array, offset: number, frames: number, clock: SampleClock, firstFrame: number): void {
    const select = this.#codec.stored(AC97_RECORD_SELECT);
    const gain = this.#codec.stored(AC97_RECORD_GAIN);
    const gainLeft = gainOf(gain, recordDecibels, 'left');
    const gainRight = gainOf(gain, recordDecibels, 'right');
    if (gainLeft === 0 && gainRight === 0) {
      into.fill(0, offset, offset + frames * 2);
      return;
    }
    const leftCode = (select >>> 8) & 7;
    const rightCode = select & 7;
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      this.#fill(leftCode, this.#left, block, clock, firstFrame + done);
      if (rightCode !== leftCode) this.#fill(rightCode, this.#right, block, clock, firstFrame + done);
      const right = rightCode === leftCode ? this.#left : this.#right;
      const base = offset + done * 2;
      for (let index = 0; index < block * 2; index += 2) {
        into[base + index] = toSample(this.#left[index]! * gainLeft);
        into[base + index + 1] = toSample(right[index + 1]! * gainRight);
      }
    }
  }

  /** Converts `frames` mono frames of the dedicated mic ADC. */
  readMic(into: Int16Array, offset: number, frames: number, clock: SampleClock, firstFrame: number): void {
    const gain = gainOf(this.#codec.stored(AC97_RECORD_GAIN_MIC), recordDecibels, 'right');
    if (gain === 0) {
      into.fill(0, offset, offset + frames);
      return;
    }
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      this.fillMic(this.#left, block, clock, firstFrame + done);
      for (let index = 0; index < block; index++)
        into[offset + done + index] = toSample(this.#left[index * 2]! * gain);
    }
  }

  /** The selected microphone behind its preamplifier, on both sides of `into`: up to 1024 frames. */
  fillMic(into: Float64Array, frames: number, clock: SampleClock, firstFrame: number): void {
    const second = (this.#codec.stored(AC97_GENERAL_PURPOSE) & GP_MS) !== 0;
    const boost = (this.#codec.stored(AC97_MIC_VOLUME) & AC97_MIC_BOOST) !== 0 ? BOOST_GAIN : 1;
    this.#fillMono(second ? this.#jacks.mic2In : this.#jacks.micIn, boost, into, frames, clock, firstFrame);
  }

  #fill(code: number, into: Float64Array, frames: number, clock: SampleClock, firstFrame: number): void {
    switch (code) {
      case RECORD_MIC:
        this.fillMic(into, frames, clock, firstFrame);
        break;
      case RECORD_PHONE:
        this.#fillMono(this.#jacks.phoneIn, 1, into, frames, clock, firstFrame);
        break;
      case RECORD_STEREO_MIX:
        this.#tap.read(into, frames, clock, firstFrame);
        break;
      case RECORD_MONO_MIX:
        this.#tap.read(into, frames, clock, firstFrame);
        for (let index = 0; index < frames * 2; index += 2) {
          const mean = (into[index]! + into[index + 1]!) / 2;
          into[index] = mean;
          into[index + 1] = mean;
        }
        break;
      default:
        this.#fillStereo(this.#stereoSource(code), into, frames, clock, firstFrame);
    }
  }

  #stereoSource(code: number): PcmSource | undefined {
    switch (code) {
      case RECORD_CD:
        return this.#jacks.cdIn;
      case RECORD_VIDEO:
        return this.#jacks.videoIn;
      case RECORD_AUX:
        return this.#jacks.auxIn;
      case RECORD_LINE:
        return this.#jacks.lineIn;
      default:
        return undefined;
    }
  }

  #fillStereo(
    source: PcmSource | undefined,
    into: Float64Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    if (source === undefined) {
      into.fill(0, 0, frames * 2);
      return;
    }
    this.#raw.fill(0, 0, frames * 2);
    source.read(this.#raw, frames, this.#formats.stereo(clock.rate), clock.tickOf(firstFrame));
    for (let index = 0; index < frames * 2; index++) into[index] = this.#raw[index]!;
  }

  #fillMono(
    source: PcmSource | undefined,
    gain: number,
    into: Float64Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    if (source === undefined) {
      into.fill(0, 0, frames * 2);
      return;
    }
    this.#raw.fill(0, 0, frames);
    source.read(this.#raw, frames, this.#formats.mono(clock.rate), clock.tickOf(firstFrame));
    for (let index = 0; index < frames; index++) {
      const value = this.#raw[index]! * gain;
      into[index * 2] = value;
      into[index * 2 + 1] = value;
    }
  }
}

function isMix(code: number): boolean {
  return code === RECORD_STEREO_MIX || code === RECORD_MONO_MIX;
}
