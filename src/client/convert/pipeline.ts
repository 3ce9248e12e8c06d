import type { AudioFormat } from '../audio-format.ts';
import {
  formatToString,
  frameBytes,
  keepsEveryBit,
  sameChannels,
  sameFormat,
  sameSamples,
} from '../audio-format.ts';
import type { PcmReader, PcmWriter } from '../pcm.ts';
import type { ChannelMatrix } from './channels.ts';
import { channelMatrix } from './channels.ts';
import type { FrameStage, ResamplerQuality } from './resampler.ts';
import { Resampler, resampledLength } from './resampler.ts';
import type { DitherOptions } from './samples.ts';
import { SampleDecoder, SampleEncoder } from './samples.ts';

/** How a conversion is done. */
export interface ConversionOptions extends DitherOptions {
  /** Default `standard`. */
  readonly quality?: ResamplerQuality;
  /** Gains instead of those that the channel masks imply. */
  readonly matrix?: ChannelMatrix;
}

/** Frames moved at once. */
const BLOCK_FRAMES = 2048;

/** Decoding, mixing, resampling and encoding in the order that costs least; for the two pipelines below. */
class Converter {
  readonly #decoder: SampleDecoder;
  readonly #encoder: SampleEncoder;
  readonly #from: AudioFormat;
  readonly #to: AudioFormat;
  readonly #mixBefore: ChannelMatrix | null;
  readonly #mixAfter: ChannelMatrix | null;
  readonly #stage: FrameStage;
  readonly #decoded: Float64Array;
  readonly #mixed: Float64Array;
  readonly #produced: Float64Array;
  readonly #encodable: Float64Array;

  constructor(from: AudioFormat, to: AudioFormat, options: ConversionOptions) {
    const matrix = options.matrix ?? channelMatrix(from, to);
    if (matrix.inputs !== from.channels || matrix.outputs !== to.channels) {
      throw new RangeError(
        `The channel matrix maps ${matrix.inputs} to ${matrix.outputs} channels; ${from.channels} to ${to.channels} are needed.`,
      );
    }
    const mixes = !matrix.isIdentity;
    const mixFirst = to.channels <= from.channels;
    this.#from = from;
    this.#to = to;
    this.#mixBefore = mixes && mixFirst ? matrix : null;
    this.#mixAfter = mixes && !mixFirst ? matrix : null;
    const stageChannels = Math.min(from.channels, to.channels);
    this.#stage =
      from.sampleRate === to.sampleRate
        ? new FrameQueue(stageChannels)
        : new Resampler(from.sampleRate, to.sampleRate, stageChannels, options.quality);
    this.#decoder = new SampleDecoder(from);
    this.#encoder = new SampleEncoder(to, losesBits(from, to, mixes) ? options : {});
    this.#decoded = new Float64Array(BLOCK_FRAMES * from.channels);
    this.#mixed = this.#mixBefore === null ? this.#decoded : new Float64Array(BLOCK_FRAMES * to.channels);
    this.#produced = new Float64Array(BLOCK_FRAMES * stageChannels);
    this.#encodable = this.#mixAfter === null ? this.#produced : new Float64Array(BLOCK_FRAMES * to.channels);
  }

  /** Takes up to BLOCK_FRAMES frames. */
  write(bytes: DataView, at: number, frames: number): void {
    this.#decoder.decode(bytes, at, frames * this.#from.channels, this.#decoded, 0);
    this.#mixBefore?.mix(this.#decoded, frames, this.#mixed, 0);
    this.#stage.write(this.#mixed, frames);
  }

  end(): void {
    this.#stage.end();
  }

  /** Gives up to BLOCK_FRAMES frames. */
  read(bytes: DataView, at: number, maxFrames: number): number {
    const frames = this.#stage.read(this.#produced, Math.min(maxFrames, BLOCK_FRAMES));
    this.#mixAfter?.mix(this.#produced, frames, this.#encodable, 0);
    this.#encoder.encode(this.#encodable, 0, frames * this.#to.channels, bytes, at);
    return frames;
  }
}

/** Is the signal finer than the target's steps, so that rounding it distorts? */
function losesBits(from: AudioFormat, to: AudioFormat, mixes: boolean): boolean {
  if (to.encoding === 'float') return false;
  return (
    from.encoding === 'float' || mixes || from.sampleRate !== to.sampleRate || to.validBits < from.validBits
  );
}

/** The stage that only passes on. */
class FrameQueue implements FrameStage {
  readonly channels: number;
  #buffer = new Float64Array(0);
  #start = 0;
  #end = 0;

  constructor(channels: number) {
    this.channels = channels;
  }

  write(samples: Float64Array, frames: number): void {
    const count = frames * this.channels;
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#end + count > this.#buffer.length) {
      const larger = new Float64Array((this.#end - this.#start + count) * 2);
      larger.set(this.#buffer.subarray(this.#start, this.#end));
      this.#end -= this.#start;
      this.#start = 0;
      this.#buffer = larger;
    }
    for (let i = 0; i < count; i++) this.#buffer[this.#end + i] = samples[i]!;
    this.#end += count;
  }

  end(): void {}

  read(into: Float64Array, maxFrames: number): number {
    const count = Math.min(maxFrames * this.channels, this.#end - this.#start);
    for (let i = 0; i < count; i++) into[i] = this.#buffer[this.#start + i]!;
    this.#start += count;
    return count / this.channels;
  }
}

/** The DataView of an array that is used again and again. */
class ViewCache {
  #bytes: Uint8Array | null = null;
  #view: DataView = new DataView(new ArrayBuffer(0));

  of(bytes: Uint8Array): DataView {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#view;
  }
}

/**
 * Gives a source's sound in another format. When the formats agree it hands the source's bytes on as they are; otherwise it
 * decodes, mixes the channels, changes the rate and rounds once, at the end.
 */
export class Pipeline implements PcmReader {
  readonly format: AudioFormat;
  /** True when the bytes are the source's own. */
  readonly passThrough: boolean;
  readonly #source: PcmReader;
  readonly #converter: Converter | null;
  readonly #view = new ViewCache();
  readonly #input: Uint8Array;
  readonly #inputView: DataView;
  #sourceEnded = false;

  constructor(source: PcmReader, target: AudioFormat, options: ConversionOptions = {}) {
    this.format = target;
    this.#source = source;
    const mixes = options.matrix !== undefined && !options.matrix.isIdentity;
    this.passThrough = sameFormat(source.format, target) && !mixes;
    this.#converter = this.passThrough ? null : new Converter(source.format, target, options);
    this.#input = new Uint8Array(this.passThrough ? 0 : BLOCK_FRAMES * frameBytes(source.format));
    this.#inputView = new DataView(this.#input.buffer);
  }

  get frameCount(): number | null {
    const { frameCount, format } = this.#source;
    return frameCount === null
      ? null
      : resampledLength(frameCount, format.sampleRate, this.format.sampleRate);
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    if (this.#converter === null) return this.#source.read(into, byteOffset, byteLength);
    const size = frameBytes(this.format);
    const view = this.#view.of(into);
    let framesLeft = Math.floor(byteLength / size);
    let at = byteOffset;
    while (framesLeft > 0) {
      const frames = this.#converter.read(view, at, framesLeft);
      at += frames * size;
      framesLeft -= frames;
      if (frames === 0) {
        if (this.#sourceEnded) break;
        this.#feed(this.#converter);
      }
    }
    return at - byteOffset;
  }

  #feed(converter: Converter): void {
    const got = this.#source.read(this.#input, 0, this.#input.byteLength);
    converter.write(this.#inputView, 0, got / frameBytes(this.#source.format));
    if (got < this.#input.byteLength) {
      this.#sourceEnded = true;
      converter.end();
    }
  }

  /** What is done, for people: `44100 Hz, 1 channel, 16-bit → 48000 Hz, 2 channels, 16-bit: resampled, mixed`. */
  describe(): string {
    return describeConversion(this.#source.format, this.format);
  }
}

/** The same in the other direction: takes sound in one format and writes it to a sink in the sink's. */
export class ConvertingPcmWriter implements PcmWriter {
  readonly format: AudioFormat;
  readonly passThrough: boolean;
  readonly #sink: PcmWriter;
  readonly #converter: Converter | null;
  readonly #view = new ViewCache();
  readonly #output: Uint8Array;
  readonly #outputView: DataView;
  #ended = false;

  /** `format` is that of what {@link write} is given. */
  constructor(format: AudioFormat, sink: PcmWriter, options: ConversionOptions = {}) {
    this.format = format;
    this.#sink = sink;
    const mixes = options.matrix !== undefined && !options.matrix.isIdentity;
    this.passThrough = sameFormat(format, sink.format) && !mixes;
    this.#converter = this.passThrough ? null : new Converter(format, sink.format, options);
    this.#output = new Uint8Array(this.passThrough ? 0 : BLOCK_FRAMES * frameBytes(sink.format));
    this.#outputView = new DataView(this.#output.buffer);
  }

  write(from: Uint8Array, byteOffset: number, byteLength: number): void {
    if (this.#converter === null) {
      this.#sink.write(from, byteOffset, byteLength);
      return;
    }
    const view = this.#view.of(from);
    const size = frameBytes(this.format);
    const end = byteOffset + byteLength;
    for (let at = byteOffset; at < end; ) {
      const frames = Math.min(BLOCK_FRAMES, Math.floor((end - at) / size));
      if (frames === 0) break;
      this.#converter.write(view, at, frames);
      at += frames * size;
      this.#drain(this.#converter);
    }
  }

  /** Writes what the filters still hold; the sink itself is ended too. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#converter !== null) {
      this.#converter.end();
      this.#drain(this.#converter);
    }
    this.#sink.end();
  }

  #drain(converter: Converter): void {
    for (;;) {
      const frames = converter.read(this.#outputView, 0, BLOCK_FRAMES);
      if (frames === 0) return;
      this.#sink.write(this.#output, 0, frames * frameBytes(this.#sink.format));
    }
  }
}

/** A sentence's worth about the steps between two formats. */
export function describeConversion(from: AudioFormat, to: AudioFormat): string {
  if (sameFormat(from, to)) return `${formatToString(from)}, unchanged`;
  const steps = [
    from.sampleRate === to.sampleRate ? '' : 'resampled',
    sameChannels(from, to) ? '' : 'mixed',
    sameSamples(from, to) ? '' : keepsEveryBit(from, to) ? 'repacked' : 'requantised',
  ].filter((step) => step !== '');
  return `${formatToString(from)} → ${formatToString(to)}: ${steps.join(', ')}`;
}
