import type { PcmSink, PcmSource } from '../../hal/bus.ts';
import { mulDivFloor, TICKS_PER_SECOND } from '../../hal/bus.ts';
import { SampleClock } from '../sample-clock.ts';
import { AC97_FIXED_RATE, type Ac97Codec } from './ac97-codec.ts';
import type { Ac97Input } from './ac97-input.ts';
import { type Ac97Jacks, type ExternalAmplifier, FormatCache } from './ac97-jacks.ts';
import {
  AC97_3D_CONTROL,
  AC97_AUX_IN_VOLUME,
  AC97_CD_VOLUME,
  AC97_GENERAL_PURPOSE,
  AC97_HEADPHONE_VOLUME,
  AC97_LINE_IN_VOLUME,
  AC97_MASTER_TONE,
  AC97_MASTER_VOLUME,
  AC97_MIC_VOLUME,
  AC97_MONO_VOLUME,
  AC97_MUTE,
  AC97_PC_BEEP,
  AC97_PCM_OUT_VOLUME,
  AC97_PHONE_VOLUME,
  AC97_VIDEO_VOLUME,
  GP_3D,
  GP_LPBK,
  GP_MIX,
  GP_MS,
  GP_POP,
} from './ac97-registers.ts';
import { decibelsToGain, gainOf, inputDecibels, masterDecibels, toSample } from './gain.ts';
import type { MixTap } from './mix-tap.ts';
import { ShelfFilter } from './shelf-filter.ts';

const BLOCK_FRAMES = 1024;
/** Corners of the tone controls; the specification leaves them to the vendor (§5.7.3). */
const BASS_CORNER_HZ = 100;
const TREBLE_CORNER_HZ = 10_000;
/** Level of the built-in beep at 0 dB: a quarter of full scale, since the specification asks for audibility, not loudness. */
const BEEP_PEAK = 8192;

interface StereoOutput {
  readonly sink: PcmSink;
  readonly register: number;
  readonly jack: ExternalAmplifier;
  left: number;
  right: number;
}

interface MixerInput {
  readonly source: PcmSource;
  readonly register: number;
  readonly channels: 1 | 2;
  left: number;
  right: number;
}

/**
 * The playing half of the codec: PCM out gain, analogue mixer, 3D, tone, master volumes, jacks (AC'97 2.3, §5.7, mixer figure).
 *
 * While the path from the DACs to a jack is at 0 dB and nothing else is mixed in, the jack gets the very samples, untouched.
 * Otherwise blocks are summed in double precision with exact gains and converted once, at the jack: nearest, saturating. The
 * analogue sum itself does not clip.
 */
export class Ac97Output {
  readonly #codec: Ac97Codec;
  readonly #input: Ac97Input;
  readonly #tap: MixTap;
  readonly #amplifier: ExternalAmplifier;
  readonly #formats = new FormatCache();
  readonly #stereoOutputs: StereoOutput[] = [];
  readonly #monoOut: PcmSink | null;
  readonly #inputs: MixerInput[] = [];
  readonly #beepIn: PcmSource | null;
  readonly #jacks: Ac97Jacks;
  readonly #bass = new ShelfFilter('low', BASS_CORNER_HZ);
  readonly #treble = new ShelfFilter('high', TREBLE_CORNER_HZ);

  /** Set while something records the mix: it is then kept in the tap. */
  tapWanted = false;

  #revision = -1;
  #pcmLeft = 0;
  #pcmRight = 0;
  #pcmAfter3d = false;
  #loopback = false;
  #micGain = 0;
  #monoGain = 0;
  #monoIsMic = false;
  #beepGain = 0;
  #beepDivider = 0;
  #spread = 0;
  #centre = 0;
  #direct = false;
  #live = false;

  #driven = false;
  /** Where the mixer goes on alone after the DACs stopped; null when it begins whenever something becomes audible. */
  #releaseTick: number | null = null;
  #idleRuns = false;
  #idleHandled = 0;
  readonly #idleClock = new SampleClock();

  readonly #mix = new Float64Array(BLOCK_FRAMES * 2);
  readonly #mic = new Float64Array(BLOCK_FRAMES * 2);
  readonly #raw = new Int16Array(BLOCK_FRAMES * 2);
  readonly #out = new Int16Array(BLOCK_FRAMES * 2);
  readonly #held = new Int16Array(BLOCK_FRAMES * 2);

  constructor(
    codec: Ac97Codec,
    input: Ac97Input,
    tap: MixTap,
    jacks: Ac97Jacks,
    amplifier: ExternalAmplifier,
  ) {
    this.#codec = codec;
    this.#input = input;
    this.#tap = tap;
    this.#amplifier = amplifier;
    this.#jacks = jacks;
    const stereo = (sink: PcmSink | undefined, register: number, jack: ExternalAmplifier): void => {
      if (sink !== undefined) this.#stereoOutputs.push({ sink, register, jack, left: 0, right: 0 });
    };
    stereo(jacks.lineOut, AC97_MASTER_VOLUME, 'lineOut');
    stereo(jacks.headphoneOut, AC97_HEADPHONE_VOLUME, 'headphoneOut');
    this.#monoOut = jacks.monoOut ?? null;
    const mixed = (source: PcmSource | undefined, register: number, channels: 1 | 2): void => {
      if (source !== undefined) this.#inputs.push({ source, register, channels, left: 0, right: 0 });
    };
    mixed(jacks.phoneIn, AC97_PHONE_VOLUME, 1);
    mixed(jacks.lineIn, AC97_LINE_IN_VOLUME, 2);
    mixed(jacks.cdIn, AC97_CD_VOLUME, 2);
    mixed(jacks.videoIn, AC97_VIDEO_VOLUME, 2);
    mixed(jacks.auxIn, AC97_AUX_IN_VOLUME, 2);
    this.#beepIn = jacks.pcBeepIn ?? null;
  }

  /** True while something can be heard without the DACs, so that time alone makes sound. */
  get live(): boolean {
    this.#refresh();
    return this.#live && (this.tapWanted || this.#stereoOutputs.length > 0 || this.#monoOut !== null);
  }

  /** The DACs take samples from now on; up to here the caller has let the mixer run alone ({@link advanceIdle}). */
  claim(): void {
    this.#driven = true;
    this.#idleRuns = false;
  }

  /** The DACs stop; the next sample would have left at `tick`. */
  release(tick: number): void {
    this.#driven = false;
    this.#releaseTick = tick;
  }

  /** Lets the mixer alone run up to `now`: analogue inputs and beep are heard without any stream. */
  advanceIdle(now: number): void {
    if (this.#driven) return;
    if (!this.live) {
      this.#idleRuns = false;
      this.#releaseTick = null;
      return;
    }
    if (!this.#idleRuns) {
      this.#idleRuns = true;
      this.#idleClock.start(this.#releaseTick ?? now, AC97_FIXED_RATE);
      this.#idleHandled = 0;
      this.#releaseTick = null;
    }
    const frames = this.#idleClock.slotsBy(now) - this.#idleHandled;
    if (frames <= 0) return;
    this.#mixBlocks(null, frames, this.#idleClock, this.#idleHandled);
    this.#idleHandled += frames;
  }

  /**
   * `frames` stereo frames leave the DACs, slots `firstFrame` … of `clock`. `null` is digital silence: with nothing else to
   * hear, the jacks get no block at all, which is what a silent converter is.
   */
  play(samples: Int16Array | null, frames: number, clock: SampleClock, firstFrame: number): void {
    this.#refresh();
    if (samples === null && !this.#live) return;
    if (samples === null || !this.#direct) {
      this.#mixBlocks(samples, frames, clock, firstFrame);
      return;
    }
    if (this.tapWanted) this.#tap.append(samples, 0, frames, clock, firstFrame);
    for (const output of this.#stereoOutputs) {
      if (output.left === 1 && output.right === 1) {
        output.sink.write(samples, frames, this.#formats.stereo(clock.rate), clock.tickOf(firstFrame));
      } else {
        this.#deliverScaled(output, samples, frames, clock, firstFrame);
      }
    }
    if (this.#monoOut !== null) this.#deliverMono(this.#monoOut, samples, frames, clock, firstFrame);
  }

  /** One frame held for `frames` slots. */
  hold(left: number, right: number, frames: number, clock: SampleClock, firstFrame: number): void {
    if (left === 0 && right === 0) {
      this.play(null, frames, clock, firstFrame);
      return;
    }
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      // A sink may not write into its block, but filling costs little and asks for no trust.
      for (let index = 0; index < block * 2; index += 2) {
        this.#held[index] = left;
        this.#held[index + 1] = right;
      }
      this.play(this.#held, block, clock, firstFrame + done);
    }
  }

  #refresh(): void {
    if (this.#revision === this.#codec.revision) return;
    this.#revision = this.#codec.revision;
    const codec = this.#codec;
    const general = codec.stored(AC97_GENERAL_PURPOSE);
    const mixer = codec.mixerPowered;
    const converting = mixer && codec.dacPowered;
    const pcm = codec.stored(AC97_PCM_OUT_VOLUME);
    this.#pcmLeft = converting ? gainOf(pcm, inputDecibels, 'left') : 0;
    this.#pcmRight = converting ? gainOf(pcm, inputDecibels, 'right') : 0;
    this.#pcmAfter3d = (general & GP_POP) !== 0;
    this.#loopback = converting && (general & GP_LPBK) !== 0;

    let inputsHeard = false;
    for (const input of this.#inputs) {
      const register = codec.stored(input.register);
      input.right = mixer ? gainOf(register, inputDecibels, 'right') : 0;
      input.left = mixer && input.channels === 2 ? gainOf(register, inputDecibels, 'left') : input.right;
      inputsHeard ||= input.left !== 0 || input.right !== 0;
    }
    const micJack = (general & GP_MS) !== 0 ? this.#jacks.mic2In : this.#jacks.micIn;
    const micPlugged = micJack !== undefined && mixer;
    this.#micGain = micPlugged ? gainOf(codec.stored(AC97_MIC_VOLUME), inputDecibels, 'right') : 0;

    const beep = codec.stored(AC97_PC_BEEP);
    this.#beepDivider = (beep >>> 5) & 0xff;
    const beepHeard = mixer && (beep & AC97_MUTE) === 0 && (this.#beepDivider !== 0 || this.#beepIn !== null);
    this.#beepGain = beepHeard ? decibelsToGain(-3 * ((beep >>> 1) & 0x0f)) : 0;

    const control3d = codec.stored(AC97_3D_CONTROL);
    const spatial = (general & GP_3D) !== 0;
    this.#spread = spatial ? (control3d & 0x0f) / 15 : 0;
    this.#centre = spatial ? ((control3d >>> 8) & 0x0f) / 15 : 0;

    const tone = codec.stored(AC97_MASTER_TONE);
    this.#bass.setDecibels(toneDecibels((tone >>> 8) & 0x0f));
    this.#treble.setDecibels(toneDecibels(tone & 0x0f));

    for (const output of this.#stereoOutputs) {
      const powered =
        mixer &&
        (output.jack !== this.#amplifier || codec.externalAmplifierPowered) &&
        (output.jack !== 'headphoneOut' || codec.headphonePowered);
      const register = codec.stored(output.register);
      output.left = powered ? gainOf(register, masterDecibels, 'left') : 0;
      output.right = powered ? gainOf(register, masterDecibels, 'right') : 0;
    }
    this.#monoGain = mixer ? gainOf(codec.stored(AC97_MONO_VOLUME), masterDecibels, 'right') : 0;
    this.#monoIsMic = (general & GP_MIX) !== 0;

    const monoMicHeard = this.#monoIsMic && this.#monoOut !== null && this.#monoGain !== 0 && micPlugged;
    const loopbackHeard = this.#loopback && (this.#pcmLeft !== 0 || this.#pcmRight !== 0);
    this.#live = inputsHeard || this.#micGain !== 0 || this.#beepGain !== 0 || monoMicHeard || loopbackHeard;
    this.#direct =
      !this.#live &&
      this.#pcmLeft === 1 &&
      this.#pcmRight === 1 &&
      (this.#pcmAfter3d || (this.#spread === 0 && this.#centre === 0)) &&
      this.#bass.flat &&
      this.#treble.flat;
  }

  #deliverScaled(
    output: StereoOutput,
    samples: Int16Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const { left, right } = output;
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      if (left === 0 && right === 0) this.#out.fill(0, 0, block * 2);
      else {
        for (let index = 0; index < block * 2; index += 2) {
          this.#out[index] = toSample(samples[done * 2 + index]! * left);
          this.#out[index + 1] = toSample(samples[done * 2 + index + 1]! * right);
        }
      }
      output.sink.write(this.#out, block, this.#formats.stereo(clock.rate), clock.tickOf(firstFrame + done));
    }
  }

  #deliverMono(
    sink: PcmSink,
    samples: Int16Array | Float64Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const gain = this.#monoIsMic ? 0 : this.#monoGain;
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      for (let frame = 0; frame < block; frame++) {
        const index = (done + frame) * 2;
        this.#out[frame] = toSample(((samples[index]! + samples[index + 1]!) / 2) * gain);
      }
      sink.write(this.#out, block, this.#formats.mono(clock.rate), clock.tickOf(firstFrame + done));
    }
  }

  #mixBlocks(samples: Int16Array | null, frames: number, clock: SampleClock, firstFrame: number): void {
    for (let done = 0; done < frames; done += BLOCK_FRAMES) {
      const block = Math.min(BLOCK_FRAMES, frames - done);
      this.#mixBlock(samples, done * 2, block, clock, firstFrame + done);
    }
  }

  #mixBlock(
    samples: Int16Array | null,
    offset: number,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const mix = this.#mix;
    mix.fill(0, 0, frames * 2);
    if (this.#loopback) {
      this.#input.readStereo(this.#raw, 0, frames, clock, firstFrame);
      samples = this.#raw.slice(0, frames * 2);
      offset = 0;
    }
    if (samples !== null && !this.#pcmAfter3d) this.#addPcm(samples, offset, frames);
    for (const input of this.#inputs)
      if (input.left !== 0 || input.right !== 0) this.#addInput(input, frames, clock, firstFrame);
    const micNeeded = this.#micGain !== 0 || (this.#monoIsMic && this.#monoOut !== null);
    if (micNeeded) this.#input.fillMic(this.#mic, frames, clock, firstFrame);
    if (this.#micGain !== 0) {
      for (let index = 0; index < frames * 2; index++) mix[index]! += this.#mic[index]! * this.#micGain;
    }
    if (this.#beepGain !== 0) this.#addBeep(frames, clock, firstFrame);
    if (this.#spread !== 0 || this.#centre !== 0) this.#widen(frames);
    if (samples !== null && this.#pcmAfter3d) this.#addPcm(samples, offset, frames);
    this.#bass.process(mix, frames, clock.rate);
    this.#treble.process(mix, frames, clock.rate);
    if (this.tapWanted) this.#tap.append(mix, 0, frames, clock, firstFrame);

    const tick = clock.tickOf(firstFrame);
    for (const output of this.#stereoOutputs) {
      for (let index = 0; index < frames * 2; index += 2) {
        this.#out[index] = toSample(mix[index]! * output.left);
        this.#out[index + 1] = toSample(mix[index + 1]! * output.right);
      }
      output.sink.write(this.#out, frames, this.#formats.stereo(clock.rate), tick);
    }
    if (this.#monoOut === null) return;
    if (!this.#monoIsMic) {
      this.#deliverMono(this.#monoOut, mix, frames, clock, firstFrame);
      return;
    }
    for (let frame = 0; frame < frames; frame++)
      this.#out[frame] = toSample(this.#mic[frame * 2]! * this.#monoGain);
    this.#monoOut.write(this.#out, frames, this.#formats.mono(clock.rate), tick);
  }

  #addPcm(samples: Int16Array, offset: number, frames: number): void {
    const mix = this.#mix;
    for (let index = 0; index < frames * 2; index += 2) {
      mix[index]! += samples[offset + index]! * this.#pcmLeft;
      mix[index + 1]! += samples[offset + index + 1]! * this.#pcmRight;
    }
  }

  #addInput(input: MixerInput, frames: number, clock: SampleClock, firstFrame: number): void {
    const mix = this.#mix;
    const raw = this.#raw;
    const format = input.channels === 2 ? this.#formats.stereo(clock.rate) : this.#formats.mono(clock.rate);
    raw.fill(0, 0, frames * input.channels);
    input.source.read(raw, frames, format, clock.tickOf(firstFrame));
    const second = input.channels - 1;
    for (let frame = 0; frame < frames; frame++) {
      mix[frame * 2]! += raw[frame * input.channels]! * input.left;
      mix[frame * 2 + 1]! += raw[frame * input.channels + second]! * input.right;
    }
  }

  /** The beep's own square wave of 48 kHz ÷ 4F, or, with F = 0, the PC_BEEP pin (§5.7.4). */
  #addBeep(frames: number, clock: SampleClock, firstFrame: number): void {
    const mix = this.#mix;
    if (this.#beepDivider !== 0) {
      for (let frame = 0; frame < frames; frame++) {
        const tick = clock.tickOf(firstFrame + frame);
        const halfPeriods = mulDivFloor(tick, AC97_FIXED_RATE / 2, this.#beepDivider * TICKS_PER_SECOND);
        const value = (halfPeriods % 2 === 0 ? BEEP_PEAK : -BEEP_PEAK) * this.#beepGain;
        mix[frame * 2]! += value;
        mix[frame * 2 + 1]! += value;
      }
      return;
    }
    if (this.#beepIn === null) return;
    const raw = this.#raw;
    raw.fill(0, 0, frames);
    this.#beepIn.read(raw, frames, this.#formats.mono(clock.rate), clock.tickOf(firstFrame));
    for (let frame = 0; frame < frames; frame++) {
      mix[frame * 2]! += raw[frame]! * this.#beepGain;
      mix[frame * 2 + 1]! += raw[frame]! * this.#beepGain;
    }
  }

  /** 3D: the difference of the sides grows by up to twice (depth), the sum by up to half (centre). */
  #widen(frames: number): void {
    const mix = this.#mix;
    const sumGain = (1 + this.#centre / 2) / 2;
    const differenceGain = (1 + this.#spread) / 2;
    for (let index = 0; index < frames * 2; index += 2) {
      const sum = (mix[index]! + mix[index + 1]!) * sumGain;
      const difference = (mix[index]! - mix[index + 1]!) * differenceGain;
      mix[index] = sum + difference;
      mix[index + 1] = sum - difference;
    }
  }
}

/** 0 is +10.5 dB, 7 flat, 14 −10.5 dB, 15 bypass (§5.7.3, table 20). */
function toneDecibels(code: number): number {
  return code === 15 ? 0 : 1.5 * (7 - code);
}
