import type { PcmSink } from '../../hal/bus.ts';
import { FormatCache } from '../codecs/ac97-jacks.ts';
import { toSample } from '../codecs/gain.ts';
import type { MixTap } from '../codecs/mix-tap.ts';
import { SampleClock } from '../sample-clock.ts';
import {
  AK_LFM,
  AK_LMASTER,
  AK_LVOICE,
  AK_MONO_OUT,
  AK_OUT_SW1,
  AK_OUT_SW2,
  AK_RFM,
  AK_RMASTER,
  AK_RVOICE,
  type Ak4531,
  OUT_SW2_AUXL,
  OUT_SW2_AUXR,
  OUT_SW2_MONO1,
  OUT_SW2_MONO2,
  OUT_SW2_VOICEL,
  OUT_SW2_VOICER,
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
import { FrameQueue } from './frame-queue.ts';
import type { Es1370Jacks } from './jacks.ts';

/** Grid of the outputs while only analogue inputs sound. */
const IDLE_RATE = 44_100;

/** The two digital inputs of the mixer: DAC1 feeds the FM input, DAC2 the voice input. */
export type DacName = 'DAC1' | 'DAC2';

interface Gains {
  left: number;
  right: number;
}

interface Mixed {
  readonly input: AnalogInputJack;
  readonly routing: Routing;
}

/**
 * The playing half of the AK4531: input volumes, output switches, sum, master volume, mono output.
 *
 * One DAC leads: its samples' moments are the grid on which the jack is written. The other one is heard as what it holds on its
 * output at those moments, by exact time stamps; at the leader's own rate frame by frame, so that each is heard once, wherever the two
 * begin and end. While the leader's path is at 0 dB and nothing else sounds, the jack gets the very
 * samples. Otherwise blocks are summed in double precision and converted once, at the jack: nearest, saturating.
 */
export class OutputMixer {
  readonly #codec: Ak4531;
  readonly #inputs: AnalogInputs;
  readonly #taps: Readonly<Record<DacName, MixTap>>;
  readonly #lineOut: PcmSink | null;
  readonly #monoOut: PcmSink | null;
  readonly #formats = new FormatCache();
  readonly #gains: Readonly<Record<DacName, Gains>> = {
    DAC1: { left: 0, right: 0 },
    DAC2: { left: 0, right: 0 },
  };
  #mixed: readonly Mixed[] = [];
  #masterLeft = 0;
  #masterRight = 0;
  #mono = 0;
  #revision = -1;
  #codecEnabled = false;
  #live = false;
  /** Frames of a DAC at the leader's rate that the leader has not taken along. */
  readonly #waiting: Readonly<Record<DacName, FrameQueue>> = {
    DAC1: new FrameQueue(),
    DAC2: new FrameQueue(),
  };
  #sameRate = false;
  readonly #mix = new Float64Array(INPUT_BLOCK_FRAMES * 2);
  readonly #other = new Float64Array(INPUT_BLOCK_FRAMES * 2);
  readonly #out = new Int16Array(INPUT_BLOCK_FRAMES * 2);
  readonly #idleClock = new SampleClock();
  #idleRuns = false;
  #idleHandled = 0;

  constructor(
    codec: Ak4531,
    inputs: AnalogInputs,
    taps: Readonly<Record<DacName, MixTap>>,
    jacks: Es1370Jacks,
  ) {
    this.#codec = codec;
    this.#inputs = inputs;
    this.#taps = taps;
    this.#lineOut = jacks.lineOut ?? null;
    this.#monoOut = jacks.monoOut ?? null;
  }

  /** Something is heard though no DAC plays: time alone makes sound. */
  get live(): boolean {
    return this.#live;
  }

  /** Looks at the codec's registers again when they changed; `enabled` is CDC_EN. */
  follow(enabled: boolean): void {
    const codec = this.#codec;
    if (codec.revision === this.#revision && enabled === this.#codecEnabled) return;
    this.#revision = codec.revision;
    this.#codecEnabled = enabled;
    const on = enabled && codec.powered;
    const sw1 = codec.value(AK_OUT_SW1);
    const sw2 = codec.value(AK_OUT_SW2);
    const gain = (switches: number, bit: number, register: number): number =>
      (switches & bit) === 0 ? 0 : codec.gain(register);
    this.#gains.DAC1.left = gain(sw1, SW1_FML, AK_LFM);
    this.#gains.DAC1.right = gain(sw1, SW1_FMR, AK_RFM);
    this.#gains.DAC2.left = gain(sw2, OUT_SW2_VOICEL, AK_LVOICE);
    this.#gains.DAC2.right = gain(sw2, OUT_SW2_VOICER, AK_RVOICE);
    this.#masterLeft = on ? codec.gain(AK_LMASTER) : 0;
    this.#masterRight = on ? codec.gain(AK_RMASTER) : 0;
    this.#mono = on ? codec.gain(AK_MONO_OUT) / 2 : 0;
    const silent = this.#masterLeft === 0 && this.#masterRight === 0 && this.#mono === 0;
    const mixed: Mixed[] = [];
    for (const input of silent ? [] : this.#inputs.connected) {
      const [leftOpen, rightOpen] = outputSwitches(input.name, sw1, sw2);
      const left = leftOpen ? this.#inputs.gain(input, input.left, false) : 0;
      const right = rightOpen ? this.#inputs.gain(input, input.right, false) : 0;
      if (left === 0 && right === 0) continue;
      mixed.push({
        input,
        routing: { leftToLeft: left, leftToRight: 0, rightToLeft: 0, rightToRight: right },
      });
    }
    this.#mixed = mixed;
    this.#live = mixed.length > 0 && (this.#lineOut !== null || this.#monoOut !== null);
  }

  /** Whether the DACs run at one rate; while they do, frames of the one that does not lead come by {@link hold}. */
  setSameRate(same: boolean): void {
    if (same === this.#sameRate) return;
    this.#sameRate = same;
    this.reset();
  }

  /** Nothing that was played is heard any more. */
  reset(): void {
    this.#waiting.DAC1.clear();
    this.#waiting.DAC2.clear();
  }

  /** Frames of the DAC that does not lead, at the leader's rate. */
  hold(name: DacName, samples: Int16Array, frames: number): void {
    if (this.#lineOut !== null || this.#monoOut !== null) this.#waiting[name].push(samples, frames);
  }

  /** Some of this DAC's frames are still to be heard, whether it plays or not. */
  holds(name: DacName): boolean {
    return this.#waiting[name].length > 0;
  }

  /** Frames of the DAC that leads; `other` plays too, and has been advanced to the same moment before. */
  play(
    leader: DacName,
    samples: Int16Array,
    frames: number,
    clock: SampleClock,
    firstFrame: number,
    other: DacName | null,
  ): void {
    this.#idleRuns = false;
    if (this.#lineOut === null && this.#monoOut === null) return;
    // It did not lead before: what the one that did has not taken along comes first.
    this.#release(leader, clock, firstFrame);
    const gains = this.#gains[leader];
    const direct =
      other === null &&
      this.#mixed.length === 0 &&
      gains.left === 1 &&
      gains.right === 1 &&
      this.#masterLeft === 1 &&
      this.#masterRight === 1 &&
      this.#monoOut === null;
    if (direct) {
      this.#lineOut?.write(
        samples,
        frames,
        this.#formats.stereo(Math.floor(clock.rate)),
        clock.tickOf(firstFrame),
      );
      return;
    }
    for (let done = 0; done < frames; done += INPUT_BLOCK_FRAMES) {
      const block = Math.min(INPUT_BLOCK_FRAMES, frames - done);
      const mix = this.#mix;
      for (let index = 0; index < block * 2; index += 2) {
        mix[index] = samples[done * 2 + index]! * gains.left;
        mix[index + 1] = samples[done * 2 + index + 1]! * gains.right;
      }
      if (other !== null) this.#addOther(other, block, clock, firstFrame + done);
      this.#finish(block, clock, firstFrame + done);
    }
  }

  /** A DAC's frames that wait, in the places before frame `firstFrame` of its clock. */
  #release(name: DacName, clock: SampleClock, firstFrame: number): void {
    const queue = this.#waiting[name];
    const gains = this.#gains[name];
    while (queue.length > 0) {
      const first = Math.max(0, firstFrame - queue.length);
      const block = Math.min(INPUT_BLOCK_FRAMES, queue.length);
      const mix = this.#mix;
      queue.take(mix, block);
      for (let index = 0; index < block * 2; index += 2) {
        mix[index]! *= gains.left;
        mix[index + 1]! *= gains.right;
      }
      this.#finish(block, clock, first);
    }
  }

  /** `name` has stopped, and nobody plays: what is left of it is heard. `clock` and `frames` are its own. */
  drain(name: DacName, clock: SampleClock, frames: number): void {
    this.#release(name, clock, frames);
  }

  /** No DAC plays: what the analogue inputs bring until `now`. */
  idle(now: number): void {
    if (!this.#live) {
      this.#idleRuns = false;
      return;
    }
    if (!this.#idleRuns) {
      this.#idleRuns = true;
      this.#idleClock.start(now, IDLE_RATE);
      this.#idleHandled = 0;
    }
    let slots = this.#idleClock.slotsBy(now) - this.#idleHandled;
    while (slots > 0) {
      const block = Math.min(slots, INPUT_BLOCK_FRAMES);
      this.#mix.fill(0, 0, block * 2);
      this.#finish(block, this.#idleClock, this.#idleHandled);
      this.#idleHandled += block;
      slots -= block;
    }
  }

  #addOther(other: DacName, frames: number, clock: SampleClock, firstFrame: number): void {
    const { left, right } = this.#gains[other];
    const samples = this.#other;
    const mix = this.#mix;
    if (this.#sameRate || this.holds(other)) this.#waiting[other].take(samples, frames);
    else this.#taps[other].read(samples, frames, clock, firstFrame);
    if (left === 0 && right === 0) return;
    for (let index = 0; index < frames * 2; index += 2) {
      mix[index]! += samples[index]! * left;
      mix[index + 1]! += samples[index + 1]! * right;
    }
  }

  #finish(frames: number, clock: SampleClock, firstFrame: number): void {
    const mix = this.#mix;
    for (const { input, routing } of this.#mixed)
      this.#inputs.add(input, routing, mix, frames, clock, firstFrame);
    const out = this.#out;
    const rate = Math.floor(clock.rate);
    const tick = clock.tickOf(firstFrame);
    if (this.#lineOut !== null) {
      for (let index = 0; index < frames * 2; index += 2) {
        out[index] = toSample(mix[index]! * this.#masterLeft);
        out[index + 1] = toSample(mix[index + 1]! * this.#masterRight);
      }
      this.#lineOut.write(out, frames, this.#formats.stereo(rate), tick);
    }
    if (this.#monoOut === null) return;
    for (let frame = 0; frame < frames; frame++)
      out[frame] = toSample((mix[frame * 2]! + mix[frame * 2 + 1]!) * this.#mono);
    this.#monoOut.write(out, frames, this.#formats.mono(rate), tick);
  }
}

/** Which sides of an input the output switches let through. */
function outputSwitches(
  name: AnalogInputJack['name'],
  sw1: number,
  sw2: number,
): readonly [left: boolean, right: boolean] {
  const both = (open: boolean): readonly [boolean, boolean] => [open, open];
  switch (name) {
    case 'mic':
      return both((sw1 & SW1_MIC) !== 0);
    case 'cd':
      return [(sw1 & SW1_CDL) !== 0, (sw1 & SW1_CDR) !== 0];
    case 'line':
      return [(sw1 & SW1_LINEL) !== 0, (sw1 & SW1_LINER) !== 0];
    case 'aux':
      return [(sw2 & OUT_SW2_AUXL) !== 0, (sw2 & OUT_SW2_AUXR) !== 0];
    case 'mono1':
      return both((sw2 & OUT_SW2_MONO1) !== 0);
    case 'mono2':
      return both((sw2 & OUT_SW2_MONO2) !== 0);
  }
}
