/**
 * What can be plugged into a card's jacks in this process: a recorder, an array played as a signal, and a tone. They are as
 * exact as the cards: positions come from ticks by integers.
 */
import {
  mulDivCeil,
  mulDivFloor,
  type PcmFormat,
  type PcmSamples,
  type PcmSink,
  type PcmSource,
  TICKS_PER_SECOND,
} from '../hal/bus.ts';

/** round(dt × rate ÷ 10^7), halves up, exact. */
function nearestFrame(deltaTicks: number, rate: number): number {
  return Math.floor((mulDivFloor(deltaTicks, 2 * rate, TICKS_PER_SECOND) + 1) / 2);
}

/** A stretch of a take that the converter delivered without a gap. */
export interface PcmRun {
  /** When its first frame left the converter. */
  readonly startTick: number;
  /** Where it lies in the take. */
  readonly firstFrame: number;
  readonly frames: number;
}

interface MutableRun {
  startTick: number;
  firstFrame: number;
  frames: number;
}

/** Everything recorded at one format: samples from the first frame on, with silence where the converter was silent. */
export class PcmTake {
  readonly format: PcmFormat;
  readonly startTick: number;
  #data: PcmSamples;
  #frames = 0;
  readonly #runs: MutableRun[] = [];
  /** The block that was appended last. */
  #lastStartTick = 0;
  #lastFrames = 0;

  constructor(format: PcmFormat, startTick: number, like: PcmSamples) {
    this.format = format;
    this.startTick = startTick;
    this.#data = emptyLike(like, 4096 * format.channels);
  }

  get frames(): number {
    return this.#frames;
  }

  get runs(): readonly PcmRun[] {
    return this.#runs;
  }

  /** The recorded samples, interleaved; a view that later writes may leave behind. */
  get samples(): PcmSamples {
    return this.#data.subarray(0, this.#frames * this.format.channels);
  }

  /** True when `samples` of `format` can go on in this take. */
  accepts(samples: PcmSamples, format: PcmFormat): boolean {
    return (
      format.sampleRate === this.format.sampleRate &&
      format.channels === this.format.channels &&
      samples.constructor === this.#data.constructor
    );
  }

  append(samples: PcmSamples, frames: number, startTick: number): void {
    const rate = this.format.sampleRate;
    const channels = this.format.channels;
    let run = this.#runs.at(-1);
    // Within half a frame of where the last block ended, the run goes on: a block's stamp is rounded up to a tick, a gap is a frame or
    // more. A converter whose clock is not quite its nominal rate goes on too.
    const deviation = startTick - this.#lastStartTick - mulDivCeil(this.#lastFrames, TICKS_PER_SECOND, rate);
    if (run === undefined || 2 * Math.abs(deviation) * rate >= TICKS_PER_SECOND) {
      const position = Math.max(this.#frames, nearestFrame(startTick - this.startTick, rate));
      this.#reserve(position);
      this.#data.fill(0, this.#frames * channels, position * channels);
      this.#frames = position;
      run = { startTick, firstFrame: position, frames: 0 };
      this.#runs.push(run);
    }
    this.#reserve(this.#frames + frames);
    copySamples(this.#data, this.#frames * channels, samples, frames * channels);
    this.#frames += frames;
    run.frames += frames;
    this.#lastStartTick = startTick;
    this.#lastFrames = frames;
  }

  #reserve(frames: number): void {
    const needed = frames * this.format.channels;
    if (needed <= this.#data.length) return;
    const grown = emptyLike(this.#data, Math.max(needed, this.#data.length * 2));
    copySamples(grown, 0, this.#data, this.#frames * this.format.channels);
    this.#data = grown;
  }
}

function emptyLike(like: PcmSamples, length: number): PcmSamples {
  if (like instanceof Int16Array) return new Int16Array(length);
  return like instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

function copySamples(to: PcmSamples, at: number, from: PcmSamples, length: number): void {
  to.set(from.length === length ? from : from.subarray(0, length), at);
}

/**
 * A recorder: keeps what it is given, stamps each stretch, and fills the gaps between stretches with exactly as much silence as
 * time passed. A change of rate, channel count or sample type begins a new take.
 */
export class MemorySink implements PcmSink {
  readonly #takes: PcmTake[] = [];

  get takes(): readonly PcmTake[] {
    return this.#takes;
  }

  write(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void {
    let take = this.#takes.at(-1);
    if (!take?.accepts(samples, format)) {
      take = new PcmTake({ sampleRate: format.sampleRate, channels: format.channels }, startTick, samples);
      this.#takes.push(take);
    }
    take.append(samples, frames, startTick);
  }

  /** Frames over all takes. */
  get frames(): number {
    let sum = 0;
    for (const take of this.#takes) sum += take.frames;
    return sum;
  }

  /** The one take there is as 16-bit samples, empty when nothing came. Throws when there are several, or of another type. */
  get samples(): Int16Array {
    const [take, ...more] = this.#takes;
    if (take === undefined) return new Int16Array(0);
    if (more.length > 0) throw new Error(`the recording has ${more.length + 1} takes of different formats`);
    const samples = take.samples;
    if (!(samples instanceof Int16Array)) throw new Error('the recording is not one of 16-bit samples');
    return samples;
  }

  /** Forgets everything recorded. */
  clear(): void {
    this.#takes.length = 0;
  }
}

/** How an {@link ArraySource} lies in time. */
export interface ArraySourceOptions {
  /** When the first frame is at the jack; by default, when somebody first looks. */
  readonly startTick?: number;
  /** Begins again at the end instead of falling silent. */
  readonly loop?: boolean;
}

/**
 * An array of samples as a signal in time: frame n is at the jack from start + n ÷ rate on. Asked at its own rate it gives the
 * samples as they are; at another rate it interpolates linearly. Mono goes to every channel; towards mono, channels are averaged.
 */
export class ArraySource implements PcmSource {
  readonly #samples: Int16Array | Int32Array;
  readonly #format: PcmFormat;
  readonly #frames: number;
  readonly #loop: boolean;
  #startTick: number | null;
  /** Of the last block that was read at the signal's own rate: when it began, and which frames it had. */
  #lastDelta = Number.NEGATIVE_INFINITY;
  #lastFrame = 0;
  #lastFrames = 0;

  constructor(samples: Int16Array | Int32Array, format: PcmFormat, options: ArraySourceOptions = {}) {
    this.#samples = samples;
    this.#format = format;
    this.#frames = Math.floor(samples.length / format.channels);
    this.#loop = options.loop ?? false;
    this.#startTick = options.startTick ?? null;
  }

  read(into: Int16Array | Int32Array, frames: number, format: PcmFormat, startTick: number): void {
    this.#startTick ??= startTick;
    const shift = (into instanceof Int32Array ? 16 : 0) - (this.#samples instanceof Int32Array ? 16 : 0);
    const scale = 2 ** shift;
    const delta = startTick - this.#startTick;
    const sameRate = format.sampleRate === this.#format.sampleRate;
    const first = sameRate ? this.#frameAt(delta, frames) : 0;
    const step = this.#format.sampleRate / format.sampleRate;
    const start = sameRate ? 0 : (delta * this.#format.sampleRate) / TICKS_PER_SECOND;
    for (let frame = 0; frame < frames; frame++) {
      for (let channel = 0; channel < format.channels; channel++) {
        const value = sameRate
          ? this.#at(first + frame, channel, format.channels)
          : this.#between(start + frame * step, channel, format.channels);
        into[frame * format.channels + channel] = Math.floor(value * scale);
      }
    }
  }

  /**
   * The frame at a moment. A converter whose grid lies half a frame beside the signal's asks now a tick before the middle, now a tick
   * behind it: what follows the block before follows it here, so that nothing is lost or doubled.
   */
  #frameAt(delta: number, frames: number): number {
    const { sampleRate } = this.#format;
    const ticksBetween = (this.#lastFrames * TICKS_PER_SECOND) / sampleRate;
    const follows = Math.abs(delta - this.#lastDelta - ticksBetween) <= 2;
    const next = this.#lastFrame + this.#lastFrames;
    const nearest = nearestFrame(delta, sampleRate);
    const frame = follows && Math.abs(nearest - next) <= 1 ? next : nearest;
    this.#lastDelta = delta;
    this.#lastFrame = frame;
    this.#lastFrames = frames;
    return frame;
  }

  #between(position: number, channel: number, wanted: number): number {
    const frame = Math.floor(position);
    const here = this.#at(frame, channel, wanted);
    return here + (this.#at(frame + 1, channel, wanted) - here) * (position - frame);
  }

  #at(frame: number, channel: number, wanted: number): number {
    if (this.#frames === 0) return 0;
    if (this.#loop) frame = ((frame % this.#frames) + this.#frames) % this.#frames;
    else if (frame < 0 || frame >= this.#frames) return 0;
    const channels = this.#format.channels;
    const base = frame * channels;
    if (channels === 1) return this.#samples[base]!;
    if (wanted > 1) return channel < channels ? this.#samples[base + channel]! : 0;
    let sum = 0;
    for (let index = 0; index < channels; index++) sum += this.#samples[base + index]!;
    return sum / channels;
  }
}

/**
 * A sine of `frequencyHz` whose phase is 0 at tick 0, the same on every channel. `amplitude` 1 is full scale. Reads that go on
 * where the last one ended continue its sample grid, so that the rounding of a block's stamp to a tick is not heard.
 */
export class ToneSource implements PcmSource {
  readonly #cyclesPerSecond: number;
  readonly #amplitude: number;
  #gridStart = 0;
  #gridRate = 0;
  #gridFrames = 0;

  constructor(frequencyHz: number, amplitude = 0.5) {
    this.#cyclesPerSecond = frequencyHz;
    this.#amplitude = amplitude;
  }

  read(into: Int16Array | Int32Array, frames: number, format: PcmFormat, startTick: number): void {
    const rate = format.sampleRate;
    const expected = this.#gridStart + mulDivCeil(this.#gridFrames, TICKS_PER_SECOND, rate);
    if (rate !== this.#gridRate || Math.abs(startTick - expected) > 1) {
      this.#gridStart = startTick;
      this.#gridRate = rate;
      this.#gridFrames = 0;
    }
    const peak = (into instanceof Int32Array ? 0x7fff_ffff : 0x7fff) * this.#amplitude;
    const startCycles = (this.#gridStart / TICKS_PER_SECOND) * this.#cyclesPerSecond;
    const cyclesPerFrame = this.#cyclesPerSecond / rate;
    for (let frame = 0; frame < frames; frame++) {
      const cycles = startCycles + (this.#gridFrames + frame) * cyclesPerFrame;
      const value = Math.round(Math.sin(2 * Math.PI * (cycles - Math.floor(cycles))) * peak);
      into.fill(value, frame * format.channels, (frame + 1) * format.channels);
    }
    this.#gridFrames += frames;
  }
}
