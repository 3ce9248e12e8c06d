import type { PcmSink } from '../../hal/bus.ts';
import { TICKS_PER_MILLISECOND } from '../../hal/bus.ts';
import { FormatCache } from '../codecs/ac97-jacks.ts';
import { toSample } from '../codecs/gain.ts';
import { MixTap } from '../codecs/mix-tap.ts';
import { ShelfFilter } from '../codecs/shelf-filter.ts';
import { SampleClock } from '../sample-clock.ts';
import { AnalogSources } from './analog-input.ts';
import type { FmTap } from './fm-tap.ts';
import type { Sb16Jacks } from './jacks.ts';
import type { Ct1745Mixer } from './mixer.ts';
import {
  SWITCH_CD_LEFT,
  SWITCH_CD_RIGHT,
  SWITCH_LINE_LEFT,
  SWITCH_LINE_RIGHT,
  SWITCH_MIC,
  SWITCH_MIDI_LEFT,
  SWITCH_MIDI_RIGHT,
} from './registers.ts';

/** Rate at which the analogue sum is delivered: the FM chip's, so that of its samples none is lost and none comes twice. */
export const MIX_RATE = 49_716;
const BLOCK_FRAMES = AnalogSources.blockFrames;
/** Corners of the tone controls, which the guide does not give. */
const BASS_CORNER_HZ = 100;
const TREBLE_CORNER_HZ = 10_000;
/** A byte written to the DAC directly is held this long: the output is coupled by a capacitor. */
const DIRECT_HOLD_TICKS = 100 * TICKS_PER_MILLISECOND;

/**
 * The output mixer, tone controls and line output (guide, figure 4-5). It delivers in one of two ways.
 *
 * Alone, the voice leaves block by block as it comes, at its own rate; with all its gains at 0 dB the jack gets the very samples. As soon
 * as something else sounds (FM, CD, line, microphone, PC speaker) all are summed at {@link MIX_RATE}, the voice as the DAC holds it between
 * its samples; that lasts until both the others and the voice are silent, so that the rate does not change in the middle of a stream.
 */
export class Sb16Output {
  readonly #mixer: Ct1745Mixer;
  readonly #sources: AnalogSources;
  readonly #fm: FmTap;
  readonly #jacks: Sb16Jacks;
  readonly #sink: PcmSink | null;
  readonly #fixedRate: number | null;
  readonly #formats = new FormatCache();
  readonly #voice = new MixTap();
  readonly #bass = [
    new ShelfFilter('low', BASS_CORNER_HZ, [0]),
    new ShelfFilter('low', BASS_CORNER_HZ, [1]),
  ] as const;
  readonly #treble = [
    new ShelfFilter('high', TREBLE_CORNER_HZ, [0]),
    new ShelfFilter('high', TREBLE_CORNER_HZ, [1]),
  ] as const;

  #speaker = true;
  #revision = -1;
  #voiceLeft = 0;
  #voiceRight = 0;
  /** Output gain and master volume. */
  #totalLeft = 0;
  #totalRight = 0;
  #flat = true;
  /** Sources besides voice and FM that are heard. */
  #switches = 0;

  /** Transfers that hold the DAC. */
  #claims = 0;
  #mixing = false;
  /** The FM chip works, although perhaps not to be heard yet. */
  #fmAwake = false;
  /** When the voice's last sample in the mix ends. */
  #voiceEndTick = 0;
  readonly #mixClock = new SampleClock();
  #mixed = 0;

  /** A sample written by software, until it has faded. */
  #directUntilTick = 0;
  #directRuns = false;
  #directSample = 0;
  #directHandled = 0;
  readonly #directClock = new SampleClock();

  readonly #sum = new Float64Array(BLOCK_FRAMES * 2);
  readonly #mono = new Float64Array(BLOCK_FRAMES);
  readonly #out = new Int16Array(BLOCK_FRAMES * 2);

  /** @param fixedRate delivers everything at this rate, whatever the voice's is */
  constructor(
    mixer: Ct1745Mixer,
    sources: AnalogSources,
    fm: FmTap,
    jacks: Sb16Jacks,
    fixedRate: number | null = null,
  ) {
    this.#mixer = mixer;
    this.#sources = sources;
    this.#fm = fm;
    this.#jacks = jacks;
    this.#sink = jacks.lineOut ?? null;
    this.#fixedRate = fixedRate;
  }

  /** The mix begins to count its frames. */
  start(tick: number): void {
    this.#mixClock.start(tick, this.#fixedRate ?? MIX_RATE);
    this.#mixed = 0;
    this.#mixing = false;
    this.#directRuns = false;
    this.#voice.clear();
  }

  /** Up to DSP 3.xx the voice passes a switch. */
  setSpeaker(on: boolean): void {
    this.#speaker = on;
    this.#revision = -1;
  }

  /** True while time alone makes sound. */
  get live(): boolean {
    this.#refresh();
    return this.#sink !== null && (this.#mixing || this.#directRuns || this.#fmAwake || this.#switches !== 0);
  }

  // --- the voice ---

  claim(): void {
    this.#claims++;
  }

  release(): void {
    this.#claims = Math.max(this.#claims - 1, 0);
  }

  /** `frames` frames leave the DAC at slots `firstSlot` … of `clock`; null is silence, of which the jack hears nothing. */
  play(samples: Int16Array | null, frames: number, clock: SampleClock, firstSlot: number): void {
    const sink = this.#sink;
    if (samples === null || sink === null) return;
    this.#refresh();
    if (this.#mixing) {
      this.#voice.append(samples, 0, frames, clock, firstSlot);
      this.#voiceEndTick = clock.tickOf(firstSlot + frames);
      return;
    }
    const left = this.#voiceLeft * this.#totalLeft;
    const right = this.#voiceRight * this.#totalRight;
    const format = this.#formats.stereo(Math.round(clock.rate));
    if (this.#flat && left === 1 && right === 1) {
      sink.write(samples, frames, format, clock.tickOf(firstSlot));
      return;
    }
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      const sum = this.#sum;
      for (let i = 0; i < block * 2; i += 2) {
        sum[i] = samples[done * 2 + i]! * this.#voiceLeft;
        sum[i + 1] = samples[done * 2 + i + 1]! * this.#voiceRight;
      }
      this.#deliver(sink, block, clock, firstSlot + done);
    }
  }

  /** Software writes a sample to the DAC, which holds it. The card has advanced to `now`. */
  direct(sample: number, now: number): void {
    this.#directSample = sample;
    this.#directUntilTick = now + DIRECT_HOLD_TICKS;
    if (this.#directRuns) return;
    this.#directRuns = true;
    this.#directClock.start(now, this.#fixedRate ?? MIX_RATE);
    this.#directHandled = 0;
  }

  // --- time ---

  /** Decides, before the voice advances, whether it goes to the jack by itself. The FM chip has caught up with the present. */
  prepare(): void {
    this.#refresh();
    this.#fmAwake = this.#fm.takeAwake();
    const fmStartTick = this.#fm.takeStartTick();
    const voice = this.#claims > 0 || this.#directRuns;
    const others = this.#switches !== 0 || fmStartTick !== null;
    if (this.#mixing || !(others || (this.#fixedRate !== null && voice))) return;
    this.#mixing = true;
    this.#voice.clear();
    // Nothing sounds before the chip does, whenever somebody looks.
    if (this.#switches === 0 && !voice && fmStartTick !== null) {
      this.#mixed = Math.max(this.#mixed, this.#mixClock.slotsBy(fmStartTick - 1));
    }
  }

  /** Delivers the mix up to `now`. */
  advance(now: number): void {
    this.#advanceDirect(now);
    const due = this.#mixClock.slotsBy(now);
    const voice = this.#claims > 0 || this.#directRuns;
    if (this.#mixing) {
      // When all has ended, so does the mix, and not when somebody looks.
      const lastTick = Math.max(this.#fm.endTick, this.#voiceEndTick) - 1;
      const goesOn = this.#switches !== 0 || voice;
      this.#mixUpTo(goesOn ? due : Math.min(due, this.#mixClock.slotsBy(lastTick)));
      if (!goesOn && now >= lastTick) this.#mixing = false;
    }
    this.#mixed = due;
  }

  #mixUpTo(due: number): void {
    const sink = this.#sink;
    if (sink === null) return;
    while (this.#mixed < due) {
      const block = Math.min(BLOCK_FRAMES, due - this.#mixed);
      this.#mix(sink, block);
      this.#mixed += block;
    }
  }

  #advanceDirect(now: number): void {
    if (!this.#directRuns) return;
    const end = Math.min(now, this.#directUntilTick);
    let frames = this.#directClock.slotsBy(end) - this.#directHandled;
    const sample = this.#directSample;
    while (frames > 0) {
      const block = Math.min(BLOCK_FRAMES, frames);
      this.#out.fill(sample, 0, block * 2);
      // The mixer may use #out for its own ends while it plays this: a copy, since the voice is never long here.
      this.play(
        sample === 0 ? null : this.#out.slice(0, block * 2),
        block,
        this.#directClock,
        this.#directHandled,
      );
      this.#directHandled += block;
      frames -= block;
    }
    if (now >= this.#directUntilTick) this.#directRuns = false;
  }

  #refresh(): void {
    const mixer = this.#mixer;
    if (this.#revision === mixer.revision) return;
    this.#revision = mixer.revision;
    this.#voiceLeft = this.#speaker ? mixer.voiceGain(0) : 0;
    this.#voiceRight = this.#speaker ? mixer.voiceGain(1) : 0;
    this.#totalLeft = mixer.outputGain(0) * mixer.masterGain(0);
    this.#totalRight = mixer.outputGain(1) * mixer.masterGain(1);
    this.#flat = true;
    for (const side of [0, 1] as const) {
      this.#bass[side].setDecibels(mixer.bassDecibels(side));
      this.#treble[side].setDecibels(mixer.trebleDecibels(side));
      this.#flat &&= this.#bass[side].flat && this.#treble[side].flat;
    }
    const { cdIn, lineIn, micIn } = this.#jacks;
    const plugged =
      (cdIn ? SWITCH_CD_LEFT | SWITCH_CD_RIGHT : 0) |
      (lineIn ? SWITCH_LINE_LEFT | SWITCH_LINE_RIGHT : 0) |
      (micIn ? SWITCH_MIC : 0);
    this.#switches = mixer.outputSwitches & plugged;
    // The PC speaker has no switch.
    if (this.#jacks.pcSpeakerIn) this.#switches |= PC_SPEAKER_HEARD;
  }

  #mix(sink: PcmSink, frames: number): void {
    const clock = this.#mixClock;
    const first = this.#mixed;
    const sum = this.#sum;
    this.#voice.read(sum, frames, clock, first);
    for (let i = 0; i < frames * 2; i += 2) {
      sum[i]! *= this.#voiceLeft;
      sum[i + 1]! *= this.#voiceRight;
    }
    const sources = this.#sources;
    const switches = this.#switches | SWITCH_MIDI_LEFT | SWITCH_MIDI_RIGHT;
    sources.fill(switches, frames, clock, first);
    const { midi, cd, line, mic } = sources.block;
    addStereo(sum, midi, frames, true, true);
    addStereo(sum, cd, frames, (switches & SWITCH_CD_LEFT) !== 0, (switches & SWITCH_CD_RIGHT) !== 0);
    addStereo(sum, line, frames, (switches & SWITCH_LINE_LEFT) !== 0, (switches & SWITCH_LINE_RIGHT) !== 0);
    if ((switches & SWITCH_MIC) !== 0) addMono(sum, mic, frames, 1);
    if ((switches & PC_SPEAKER_HEARD) !== 0) {
      sources.readMono(this.#jacks.pcSpeakerIn, this.#mono, frames, clock, first);
      addMono(sum, this.#mono, frames, this.#mixer.pcSpeakerGain);
    }
    this.#deliver(sink, frames, clock, first);
  }

  /** Tone, output gain, master volume, and the jack: nearest, saturating. */
  #deliver(sink: PcmSink, frames: number, clock: SampleClock, firstSlot: number): void {
    const sum = this.#sum;
    if (!this.#flat) {
      for (const side of [0, 1] as const) {
        this.#treble[side].process(sum, frames, clock.rate);
        this.#bass[side].process(sum, frames, clock.rate);
      }
    }
    const out = this.#out;
    for (let i = 0; i < frames * 2; i += 2) {
      out[i] = toSample(sum[i]! * this.#totalLeft);
      out[i + 1] = toSample(sum[i + 1]! * this.#totalRight);
    }
    sink.write(out, frames, this.#formats.stereo(Math.round(clock.rate)), clock.tickOf(firstSlot));
  }
}

/** Beside the SWITCH_* bits. */
const PC_SPEAKER_HEARD = 1 << 8;

function addStereo(
  sum: Float64Array,
  source: Float64Array,
  frames: number,
  left: boolean,
  right: boolean,
): void {
  if (left) for (let i = 0; i < frames * 2; i += 2) sum[i]! += source[i]!;
  if (right) for (let i = 1; i < frames * 2; i += 2) sum[i]! += source[i]!;
}

function addMono(sum: Float64Array, source: Float64Array, frames: number, gain: number): void {
  for (let i = 0; i < frames; i++) {
    const value = source[i]! * gain;
    sum[i * 2]! += value;
    sum[i * 2 + 1]! += value;
  }
}
