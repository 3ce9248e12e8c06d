import type { PcmSource } from '../../hal/bus.ts';
import { FormatCache } from '../codecs/ac97-jacks.ts';
import { decibelsToGain } from '../codecs/gain.ts';
import type { SampleClock } from '../sample-clock.ts';
import {
  AK_LAUX,
  AK_LCD,
  AK_LLINE,
  AK_MIC,
  AK_MIC_GAIN,
  AK_MONO1,
  AK_MONO2,
  AK_RAUX,
  AK_RCD,
  AK_RLINE,
  type Ak4531,
  MIC_GAIN_30_DB,
} from './ak4531.ts';
import type { Es1370Jacks } from './jacks.ts';

/** Largest block of {@link AnalogInputs.add}. */
export const INPUT_BLOCK_FRAMES = 1024;
const MIC_BOOST = decibelsToGain(30);

/** How loud the four ways of one input (left and right, to the left and the right of a mix) are. */
export interface Routing {
  leftToLeft: number;
  leftToRight: number;
  rightToLeft: number;
  rightToRight: number;
}

export type AnalogInput = 'mic' | 'cd' | 'line' | 'aux' | 'mono1' | 'mono2';

interface Input {
  readonly name: AnalogInput;
  readonly source: PcmSource | undefined;
  readonly channels: 1 | 2;
  readonly left: number;
  readonly right: number;
}

/** The codec's analogue inputs: their jacks and their volumes. What is routed where is the two mixers' business. */
export class AnalogInputs {
  readonly #codec: Ak4531;
  readonly #inputs: readonly Input[];
  readonly #formats = new FormatCache();
  readonly #raw = new Int16Array(INPUT_BLOCK_FRAMES * 2);

  constructor(codec: Ak4531, jacks: Es1370Jacks) {
    this.#codec = codec;
    this.#inputs = [
      { name: 'mic', source: jacks.micIn, channels: 1, left: AK_MIC, right: AK_MIC },
      { name: 'cd', source: jacks.cdIn, channels: 2, left: AK_LCD, right: AK_RCD },
      { name: 'line', source: jacks.lineIn, channels: 2, left: AK_LLINE, right: AK_RLINE },
      { name: 'aux', source: jacks.auxIn, channels: 2, left: AK_LAUX, right: AK_RAUX },
      { name: 'mono1', source: jacks.mono1In, channels: 1, left: AK_MONO1, right: AK_MONO1 },
      { name: 'mono2', source: jacks.mono2In, channels: 1, left: AK_MONO2, right: AK_MONO2 },
    ];
  }

  /** The inputs with something plugged in. */
  get connected(): readonly Input[] {
    return this.#inputs.filter(({ source }) => source !== undefined);
  }

  /** Gain of one side of an input: its volume, or the tap before it, with the microphone's amplifier in both. */
  gain(input: Input, register: number, tapped: boolean): number {
    const boost =
      input.name === 'mic' && (this.#codec.value(AK_MIC_GAIN) & MIC_GAIN_30_DB) !== 0 ? MIC_BOOST : 1;
    return boost * (tapped ? 1 : this.#codec.gain(register));
  }

  /** Adds one input to a stereo mix of up to 1024 frames, on the grid of whoever converts it. */
  add(
    input: Input,
    routing: Routing,
    mix: Float64Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const raw = this.#raw;
    const { channels } = input;
    const rate = Math.floor(clock.rate);
    raw.fill(0, 0, frames * channels);
    input.source?.read(
      raw,
      frames,
      channels === 2 ? this.#formats.stereo(rate) : this.#formats.mono(rate),
      clock.tickOf(firstFrame),
    );
    const { leftToLeft, leftToRight, rightToLeft, rightToRight } = routing;
    for (let frame = 0; frame < frames; frame++) {
      const left = raw[frame * channels]!;
      const right = raw[frame * channels + channels - 1]!;
      mix[frame * 2]! += left * leftToLeft + right * rightToLeft;
      mix[frame * 2 + 1]! += left * leftToRight + right * rightToRight;
    }
  }
}

export type { Input as AnalogInputJack };
