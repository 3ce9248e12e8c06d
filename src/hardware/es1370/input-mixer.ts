import { toSample } from '../codecs/gain.ts';
import type { MixTap } from '../codecs/mix-tap.ts';
import type { SampleClock } from '../sample-clock.ts';
import {
  AK_AD_IN,
  AK_LFM,
  AK_LIN_SW1,
  AK_LIN_SW2,
  AK_LVOICE,
  AK_RFM,
  AK_RIN_SW1,
  AK_RIN_SW2,
  AK_RVOICE,
  type Ak4531,
  IN_SW2_AUXL,
  IN_SW2_AUXR,
  IN_SW2_MONO1,
  IN_SW2_MONO2,
  IN_SW2_TMIC,
  IN_SW2_TMONO1,
  IN_SW2_TMONO2,
  IN_SW2_VOICE,
  SW1_CDL,
  SW1_CDR,
  SW1_FML,
  SW1_FMR,
  SW1_LINEL,
  SW1_LINER,
  SW1_MIC,
} from './ak4531.ts';
import {
  type AnalogInputJack,
  type AnalogInputs,
  INPUT_BLOCK_FRAMES,
  type Routing,
} from './analog-inputs.ts';
import type { DacName } from './output-mixer.ts';

interface Mixed {
  readonly input: AnalogInputJack;
  readonly routing: Routing;
}

/**
 * The recording half of the AK4531: for each side of the ADC a mixer of its own, whose switches take the inputs behind their
 * volumes, the microphone and the mono inputs also before them. A conversion rounds to nearest and saturates.
 */
export class InputMixer {
  readonly #codec: Ak4531;
  readonly #inputs: AnalogInputs;
  readonly #taps: Readonly<Record<DacName, MixTap>>;
  #mixed: readonly Mixed[] = [];
  readonly #dacs: Readonly<Record<DacName, Routing>> = { DAC1: silence(), DAC2: silence() };
  #recordsDacs = false;
  #revision = -1;
  #codecEnabled = false;
  readonly #mix = new Float64Array(INPUT_BLOCK_FRAMES * 2);
  readonly #dac = new Float64Array(INPUT_BLOCK_FRAMES * 2);

  constructor(codec: Ak4531, inputs: AnalogInputs, taps: Readonly<Record<DacName, MixTap>>) {
    this.#codec = codec;
    this.#inputs = inputs;
    this.#taps = taps;
  }

  /** A switch listens to a DAC, so that what the DACs play must be kept. */
  get recordsDacs(): boolean {
    return this.#recordsDacs;
  }

  /** Looks at the codec's registers again when they changed; `enabled` is CDC_EN. */
  follow(enabled: boolean): void {
    const codec = this.#codec;
    if (codec.revision === this.#revision && enabled === this.#codecEnabled) return;
    this.#revision = codec.revision;
    this.#codecEnabled = enabled;
    const on = enabled && codec.powered && codec.value(AK_AD_IN) === 0;
    const left1 = on ? codec.value(AK_LIN_SW1) : 0;
    const right1 = on ? codec.value(AK_RIN_SW1) : 0;
    const left2 = on ? codec.value(AK_LIN_SW2) : 0;
    const right2 = on ? codec.value(AK_RIN_SW2) : 0;
    const fmLeft = codec.gain(AK_LFM);
    const fmRight = codec.gain(AK_RFM);
    const voiceLeft = codec.gain(AK_LVOICE);
    const voiceRight = codec.gain(AK_RVOICE);
    assign(this.#dacs.DAC1, left1, right1, SW1_FML, SW1_FMR, fmLeft, fmRight);
    Object.assign(this.#dacs.DAC2, silence(), {
      leftToLeft: (left2 & IN_SW2_VOICE) !== 0 ? voiceLeft : 0,
      rightToRight: (right2 & IN_SW2_VOICE) !== 0 ? voiceRight : 0,
    });
    this.#recordsDacs = isOpen(this.#dacs.DAC1) || isOpen(this.#dacs.DAC2);
    const mixed: Mixed[] = [];
    for (const input of this.#inputs.connected) {
      const routing = silence();
      const left = this.#inputs.gain(input, input.left, false);
      const right = this.#inputs.gain(input, input.right, false);
      const tap = this.#inputs.gain(input, input.left, true);
      const mono = (bit: number, tapBit: number, leftSw: number, rightSw: number): void => {
        routing.leftToLeft = gainOfMono(leftSw, left2, bit, tapBit, left, tap);
        routing.leftToRight = gainOfMono(rightSw, right2, bit, tapBit, left, tap);
      };
      switch (input.name) {
        case 'mic':
          mono(SW1_MIC, IN_SW2_TMIC, left1, right1);
          break;
        case 'mono1':
          mono(IN_SW2_MONO1, IN_SW2_TMONO1, left2, right2);
          break;
        case 'mono2':
          mono(IN_SW2_MONO2, IN_SW2_TMONO2, left2, right2);
          break;
        case 'cd':
          assign(routing, left1, right1, SW1_CDL, SW1_CDR, left, right);
          break;
        case 'line':
          assign(routing, left1, right1, SW1_LINEL, SW1_LINER, left, right);
          break;
        case 'aux':
          assign(routing, left2, right2, IN_SW2_AUXL, IN_SW2_AUXR, left, right);
          break;
      }
      if (isOpen(routing)) mixed.push({ input, routing });
    }
    this.#mixed = mixed;
  }

  /** Converts `frames` stereo frames, periods `firstFrame` … of `clock`, into `into` from its start. */
  read(into: Int16Array, frames: number, clock: SampleClock, firstFrame: number): void {
    if (this.#mixed.length === 0 && !this.#recordsDacs) {
      into.fill(0, 0, frames * 2);
      return;
    }
    for (let done = 0; done < frames; done += INPUT_BLOCK_FRAMES) {
      const block = Math.min(INPUT_BLOCK_FRAMES, frames - done);
      const mix = this.#mix;
      mix.fill(0, 0, block * 2);
      for (const { input, routing } of this.#mixed)
        this.#inputs.add(input, routing, mix, block, clock, firstFrame + done);
      if (this.#recordsDacs) {
        this.#addDac('DAC1', block, clock, firstFrame + done);
        this.#addDac('DAC2', block, clock, firstFrame + done);
      }
      for (let index = 0; index < block * 2; index++) into[done * 2 + index] = toSample(mix[index]!);
    }
  }

  #addDac(name: DacName, frames: number, clock: SampleClock, firstFrame: number): void {
    const { leftToLeft, leftToRight, rightToLeft, rightToRight } = this.#dacs[name];
    const samples = this.#dac;
    this.#taps[name].read(samples, frames, clock, firstFrame);
    for (let index = 0; index < frames * 2; index += 2) {
      const left = samples[index]!;
      const right = samples[index + 1]!;
      this.#mix[index]! += left * leftToLeft + right * rightToLeft;
      this.#mix[index + 1]! += left * leftToRight + right * rightToRight;
    }
  }
}

function silence(): Routing {
  return { leftToLeft: 0, leftToRight: 0, rightToLeft: 0, rightToRight: 0 };
}

function isOpen({ leftToLeft, leftToRight, rightToLeft, rightToRight }: Routing): boolean {
  return leftToLeft !== 0 || leftToRight !== 0 || rightToLeft !== 0 || rightToRight !== 0;
}

/** A stereo input: either mixer can take either side of it. */
function assign(
  routing: Routing,
  leftSwitches: number,
  rightSwitches: number,
  leftBit: number,
  rightBit: number,
  left: number,
  right: number,
): void {
  routing.leftToLeft = (leftSwitches & leftBit) !== 0 ? left : 0;
  routing.rightToLeft = (leftSwitches & rightBit) !== 0 ? right : 0;
  routing.leftToRight = (rightSwitches & leftBit) !== 0 ? left : 0;
  routing.rightToRight = (rightSwitches & rightBit) !== 0 ? right : 0;
}

function gainOfMono(
  switches: number,
  tapSwitches: number,
  bit: number,
  tapBit: number,
  gain: number,
  tapGain: number,
): number {
  return ((switches & bit) !== 0 ? gain : 0) + ((tapSwitches & tapBit) !== 0 ? tapGain : 0);
}
