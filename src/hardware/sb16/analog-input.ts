import type { PcmSource } from '../../hal/bus.ts';
import { FormatCache } from '../codecs/ac97-jacks.ts';
import { toSample } from '../codecs/gain.ts';
import type { SampleClock } from '../sample-clock.ts';
import { MicAmplifier } from './agc.ts';
import type { FmTap } from './fm-tap.ts';
import type { Sb16Jacks } from './jacks.ts';
import type { Ct1745Mixer, Side } from './mixer.ts';
import {
  SWITCH_CD_LEFT,
  SWITCH_CD_RIGHT,
  SWITCH_LINE_LEFT,
  SWITCH_LINE_RIGHT,
  SWITCH_MIC,
  SWITCH_MIDI_LEFT,
  SWITCH_MIDI_RIGHT,
} from './registers.ts';

const BLOCK_FRAMES = 1024;

/** Sources of the mixers with their volumes applied, at one block of one sample grid. */
export interface SourceBlock {
  readonly midi: Float64Array;
  readonly cd: Float64Array;
  readonly line: Float64Array;
  /** Mono. */
  readonly mic: Float64Array;
}

/** Reads the analogue sources behind their volumes: what both mixers of the CT1745 get (guide, figures 4-5 and 4-6). */
export class AnalogSources {
  readonly #mixer: Ct1745Mixer;
  readonly #jacks: Sb16Jacks;
  readonly #fm: FmTap;
  readonly #formats = new FormatCache();
  readonly #amplifier = new MicAmplifier();
  readonly #raw = new Int16Array(BLOCK_FRAMES * 2);
  readonly block: SourceBlock = {
    midi: new Float64Array(BLOCK_FRAMES * 2),
    cd: new Float64Array(BLOCK_FRAMES * 2),
    line: new Float64Array(BLOCK_FRAMES * 2),
    mic: new Float64Array(BLOCK_FRAMES),
  };

  constructor(mixer: Ct1745Mixer, jacks: Sb16Jacks, fm: FmTap) {
    this.#mixer = mixer;
    this.#jacks = jacks;
    this.#fm = fm;
  }

  static readonly blockFrames = BLOCK_FRAMES;

  /** Fills the parts of {@link block} that `switches` (SWITCH_* bits) names: up to {@link blockFrames} frames. */
  fill(switches: number, frames: number, clock: SampleClock, firstSlot: number): void {
    const { midi, cd, line, mic } = this.block;
    const mixer = this.#mixer;
    if ((switches & (SWITCH_MIDI_LEFT | SWITCH_MIDI_RIGHT)) !== 0) {
      this.#fm.read(midi, frames, clock, firstSlot);
      scale(midi, frames, mixer.midiGain(0), mixer.midiGain(1));
    }
    if ((switches & (SWITCH_CD_LEFT | SWITCH_CD_RIGHT)) !== 0) {
      this.#readStereo(this.#jacks.cdIn, cd, frames, clock, firstSlot);
      scale(cd, frames, mixer.cdGain(0), mixer.cdGain(1));
    }
    if ((switches & (SWITCH_LINE_LEFT | SWITCH_LINE_RIGHT)) !== 0) {
      this.#readStereo(this.#jacks.lineIn, line, frames, clock, firstSlot);
      scale(line, frames, mixer.lineGain(0), mixer.lineGain(1));
    }
    if ((switches & SWITCH_MIC) !== 0) {
      this.readMono(this.#jacks.micIn, mic, frames, clock, firstSlot);
      this.#amplifier.process(mic, frames, clock.rate, mixer.agcOn);
      const gain = mixer.micGain;
      for (let i = 0; i < frames; i++) mic[i]! *= gain;
    }
  }

  readMono(
    source: PcmSource | undefined,
    into: Float64Array,
    frames: number,
    clock: SampleClock,
    firstSlot: number,
  ): void {
    if (source === undefined) {
      into.fill(0, 0, frames);
      return;
    }
    this.#raw.fill(0, 0, frames);
    source.read(this.#raw, frames, this.#formats.mono(Math.round(clock.rate)), clock.tickOf(firstSlot));
    for (let i = 0; i < frames; i++) into[i] = this.#raw[i]!;
  }

  #readStereo(
    source: PcmSource | undefined,
    into: Float64Array,
    frames: number,
    clock: SampleClock,
    firstSlot: number,
  ): void {
    if (source === undefined) {
      into.fill(0, 0, frames * 2);
      return;
    }
    this.#raw.fill(0, 0, frames * 2);
    source.read(this.#raw, frames, this.#formats.stereo(Math.round(clock.rate)), clock.tickOf(firstSlot));
    for (let i = 0; i < frames * 2; i++) into[i] = this.#raw[i]!;
  }
}

function scale(samples: Float64Array, frames: number, left: number, right: number): void {
  if (left === 1 && right === 1) return;
  for (let i = 0; i < frames * 2; i += 2) {
    samples[i]! *= left;
    samples[i + 1]! *= right;
  }
}

/**
 * The input mixer and the ADCs: each side hears what its switches let through, crosswise too, behind a gain of 0 to 18 dB. A single source
 * at 0 dB passes unchanged.
 */
export class Sb16Input {
  readonly #mixer: Ct1745Mixer;
  readonly #sources: AnalogSources;
  readonly #sum = new Float64Array(BLOCK_FRAMES);

  constructor(mixer: Ct1745Mixer, sources: AnalogSources) {
    this.#mixer = mixer;
    this.#sources = sources;
  }

  /** Does the ADC hear the FM chip? */
  get hearsMidi(): boolean {
    const switches = this.#mixer.inputSwitches(0) | this.#mixer.inputSwitches(1);
    return (switches & (SWITCH_MIDI_LEFT | SWITCH_MIDI_RIGHT)) !== 0;
  }

  /** Converts `frames` frames, periods `firstPeriod` … of `clock`, into 16-bit stereo. */
  record(into: Int16Array, frames: number, clock: SampleClock, firstPeriod: number): void {
    const mixer = this.#mixer;
    const switches = mixer.inputSwitches(0) | mixer.inputSwitches(1);
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      this.#sources.fill(switches, block, clock, firstPeriod + done);
      for (const side of [0, 1] as const) this.#convert(side, block, into, done * 2 + side);
    }
  }

  #convert(side: Side, frames: number, into: Int16Array, at: number): void {
    const { midi, cd, line, mic } = this.#sources.block;
    const sum = this.#sum;
    const switches = this.#mixer.inputSwitches(side);
    sum.fill(0, 0, frames);
    const add = (bit: number, source: Float64Array, offset: number, step: number) => {
      if ((switches & bit) === 0) return;
      for (let i = 0, from = offset; i < frames; i++, from += step) sum[i]! += source[from]!;
    };
    add(SWITCH_MIDI_LEFT, midi, 0, 2);
    add(SWITCH_MIDI_RIGHT, midi, 1, 2);
    add(SWITCH_LINE_LEFT, line, 0, 2);
    add(SWITCH_LINE_RIGHT, line, 1, 2);
    add(SWITCH_CD_LEFT, cd, 0, 2);
    add(SWITCH_CD_RIGHT, cd, 1, 2);
    add(SWITCH_MIC, mic, 0, 1);
    const gain = this.#mixer.inputGain(side);
    for (let i = 0, to = at; i < frames; i++, to += 2) into[to] = toSample(sum[i]! * gain);
  }
}
