import type { PcmFormat, PcmSink } from '../../hal/bus.ts';
import { toSample } from '../codecs/gain.ts';
import { MixTap } from '../codecs/mix-tap.ts';
import { SampleClock } from '../sample-clock.ts';
import type { HdaCodec } from './codec.ts';
import type { HdaFormat } from './format.ts';
import { FMT_WRITABLE } from './registers.ts';
import { type Contribution, HdaRouter, isIdentity } from './routing.ts';
import { DIGITAL_ENABLE } from './verbs.ts';
import type { WidgetState } from './widget-state.ts';

/** Samples of a stream as they pass the converters: 16 bits and less, or left-justified in 32. */
export type HdaSamples = Int16Array | Int32Array;

/** Frames mixed at a time. */
const BLOCK_FRAMES = 1024;
/** The rate at which a codec's analogue side is heard when no stream gives one. */
const IDLE_RATE = 48_000;
/** Between the 16-bit scale in which sums are formed and left-justified 32-bit samples. */
const SCALE_32 = 65_536;

/** A stream on the link, as a codec sees it. */
interface OutputRun {
  readonly tag: number;
  readonly clock: SampleClock;
  readonly format: HdaFormat;
}

/** A pin that gets samples of one stream and nothing else. */
interface DirectPin {
  readonly sink: PcmSink;
  /** Channels at the jack. */
  readonly channels: number;
  /** The block itself, when the jack takes all of it unchanged. */
  readonly whole: boolean;
  /** Which channel of the stream each channel at the jack is, −1 for silence; null when sums must be formed. */
  readonly map: readonly number[] | null;
  readonly contributions: readonly Contribution[];
}

/** A pin where several streams, or jacks, come together. */
interface MixedPin {
  readonly nid: number;
  readonly sink: PcmSink;
  readonly channels: 1 | 2;
  readonly contributions: readonly Contribution[];
  readonly clock: SampleClock;
  /** Samples at the jack have more than 16 bits. */
  readonly wide: boolean;
  handled: number;
}

interface InputPlan {
  readonly adc: WidgetState;
  readonly contributions: readonly Contribution[];
}

function clamp32(value: number): number {
  const rounded = Math.floor(value + 0.5);
  return Math.max(-0x8000_0000, Math.min(0x7fff_ffff, rounded));
}

/** The same object for the same format, so that blocks cost no allocation. */
class Formats {
  readonly #formats = new Map<number, PcmFormat>();

  get(sampleRate: number, channels: number): PcmFormat {
    const key = sampleRate * 32 + channels;
    let format = this.#formats.get(key);
    if (format === undefined) {
      format = { sampleRate, channels };
      this.#formats.set(key, format);
    }
    return format;
  }
}

/**
 * The sound of one codec: takes the streams from the link to the jacks and back, as the widgets' state has it.
 *
 * A jack that hears one stream through a path at 0 dB gets the very samples, in blocks as they come. Everything else is summed in
 * double precision with exact gains and converted once, at the jack or the ADC: nearest, saturating; the analogue sum does not clip.
 * Where streams of different clocks meet, the jack follows that of the lowest stream tag, and the others hold their last value
 * between their samples, as DACs do.
 */
export class HdaCodecAudio {
  readonly #codec: HdaCodec;
  readonly #router: HdaRouter;
  readonly #formats = new Formats();
  readonly #runs = new Map<number, OutputRun>();
  #revision = -1;
  readonly #direct = new Map<number, DirectPin[]>();
  #mixed: MixedPin[] = [];
  readonly #inputs = new Map<number, InputPlan[]>();
  readonly #taps = new Map<WidgetState, MixTap>();
  readonly #tapped = new Map<number, WidgetState[]>();
  readonly #recording = new Set<number>();
  /** Clocks of pins that are heard without a stream, by node. */
  readonly #idleClocks = new Map<number, SampleClock>();
  #now = 0;

  readonly #mix = new Float64Array(BLOCK_FRAMES * 2);
  readonly #part = new Float64Array(BLOCK_FRAMES * 2);
  readonly #raw = new Int32Array(BLOCK_FRAMES * 2);
  #out16 = new Int16Array(BLOCK_FRAMES * 2);
  #out32 = new Int32Array(BLOCK_FRAMES * 2);

  constructor(codec: HdaCodec) {
    this.#codec = codec;
    this.#router = new HdaRouter(codec);
  }

  /** Something is heard that only time makes, or streams meet: {@link advanceMixed} must be called now and then. */
  get live(): boolean {
    return this.#mixed.length > 0;
  }

  /** Streams are kept for later: no step of time may be longer than the memory for that. */
  get stepped(): boolean {
    return this.#mixed.length > 0 || this.#tapped.size > 0;
  }

  /** Looks at the widgets again if any changed; all streams have been brought to `now`. */
  refresh(now: number): void {
    this.#now = now;
    if (this.#revision !== this.#codec.revision) this.#compile();
  }

  /** A stream begins to send on `clock`. */
  startOutput(tag: number, clock: SampleClock, format: HdaFormat, now: number): void {
    this.#now = now;
    this.#runs.set(tag, { tag, clock, format });
    this.#checkConverters(tag, format);
    this.#compile();
  }

  stopOutput(tag: number, now: number): void {
    this.#now = now;
    if (this.#runs.delete(tag)) this.#compile();
  }

  /** A stream begins, or ends, to receive: what it hears must be kept for it. */
  setRecording(tag: number, records: boolean, now: number): void {
    this.#now = now;
    if (records) this.#recording.add(tag);
    else this.#recording.delete(tag);
    this.#compile();
  }

  /** An ADC sends on that stream tag. */
  hasInput(tag: number): boolean {
    return this.#inputs.has(tag);
  }

  /** `frames` frames of a stream leave, frames `firstFrame` … of its clock. */
  play(tag: number, samples: HdaSamples, frames: number, clock: SampleClock, firstFrame: number): void {
    const run = this.#runs.get(tag);
    if (run === undefined) return;
    const { channels } = run.format;
    const tapped = this.#tapped.get(tag);
    if (tapped !== undefined) this.#keep(tapped, samples, frames, channels, clock, firstFrame);
    const pins = this.#direct.get(tag);
    if (pins === undefined) return;
    const tick = clock.tickOf(firstFrame);
    for (const pin of pins) {
      const format = this.#formats.get(clock.rate, pin.channels);
      if (pin.whole) pin.sink.write(samples, frames, format, tick);
      else if (pin.map !== null) this.#deliverMapped(pin, pin.map, samples, frames, channels, format, tick);
      else this.#deliverSum(pin, samples, frames, channels, format, tick);
    }
  }

  /** Lets the pins where several sources meet catch up; every stream has been brought to `now` before. */
  advanceMixed(now: number): void {
    this.#now = now;
    for (const pin of this.#mixed) {
      let frames = pin.clock.periodsBy(now) - pin.handled;
      while (frames > 0) {
        const block = Math.min(frames, BLOCK_FRAMES);
        this.#mixBlock(pin, block);
        pin.handled += block;
        frames -= block;
      }
    }
  }

  /** Fills `into` with `frames` frames of `channels` channels from the ADCs of that tag; the rest is silent. */
  record(
    tag: number,
    into: HdaSamples,
    frames: number,
    channels: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const plans = this.#inputs.get(tag);
    if (plans === undefined) return;
    for (const { adc, contributions } of plans) {
      const only = contributions.length === 1 ? contributions[0]! : null;
      const exact = only !== null && isIdentity(only.matrix) && only.source.definition.kind === 'pin';
      if (exact && channels === 2 && adc.channel === 0 && only.source.channels === 2) {
        const { source } = this.#codec.jack(only.source.definition.nid);
        source?.read(into, frames, this.#formats.get(clock.rate, 2), clock.tickOf(firstFrame));
        continue;
      }
      for (let done = 0; done < frames; done += BLOCK_FRAMES) {
        const block = Math.min(BLOCK_FRAMES, frames - done);
        this.#sum(contributions, block, clock, firstFrame + done);
        this.#interleave(into, done * channels + adc.channel, block, channels, adc);
      }
    }
  }

  // --- compiling the widgets' state ---

  #compile(): void {
    this.#revision = this.#codec.revision;
    const before = this.#mixed;
    this.#direct.clear();
    this.#inputs.clear();
    this.#tapped.clear();
    this.#mixed = [];
    const wanted = new Set<WidgetState>();
    for (const widget of this.#codec.widgets.values()) {
      const { kind, digital, nid } = widget.definition;
      if (kind === 'pin') {
        const { sink } = this.#codec.jack(nid);
        if (sink === null) continue;
        if (digital) this.#compileDigital(widget, sink);
        else this.#compileAnalog(widget, sink, before, wanted);
      } else if (kind === 'audio-input' && widget.streamTag !== 0 && this.#codec.actualPower(widget) === 0) {
        const plans = this.#inputs.get(widget.streamTag) ?? [];
        const contributions = this.#router.inputConverter(widget);
        plans.push({ adc: widget, contributions });
        this.#inputs.set(widget.streamTag, plans);
        if (!this.#recording.has(widget.streamTag)) continue;
        for (const { source } of contributions)
          if (source.definition.kind === 'audio-output') wanted.add(source);
      }
    }
    for (const nid of this.#idleClocks.keys())
      if (!this.#mixed.some((pin) => pin.nid === nid)) this.#idleClocks.delete(nid);
    for (const converter of wanted) {
      if (!this.#runs.has(converter.streamTag)) continue;
      if (!this.#taps.has(converter)) this.#taps.set(converter, new MixTap());
      const list = this.#tapped.get(converter.streamTag) ?? [];
      list.push(converter);
      this.#tapped.set(converter.streamTag, list);
    }
    for (const converter of this.#taps.keys()) if (!wanted.has(converter)) this.#taps.delete(converter);
  }

  #addDirect(tag: number, pin: DirectPin): void {
    const pins = this.#direct.get(tag);
    if (pins === undefined) this.#direct.set(tag, [pin]);
    else pins.push(pin);
  }

  /** Digital pins pass bits: a stream, or nothing. Muted, the link to the receiver stands, with zeros. */
  #compileDigital(pin: WidgetState, sink: PcmSink): void {
    const converter = this.#router.digitalConverter(pin);
    if (converter === null) return;
    const run = this.#runs.get(converter.streamTag);
    if (run === undefined) return;
    const hdmi = pin.definition.pin?.hdmi === true;
    if (!hdmi && (converter.digitalControl & DIGITAL_ENABLE) === 0) return;
    const total = run.format.channels;
    const channels = Math.min(total, hdmi ? converter.channelCount + 1 : 2);
    const muted = pin.outAmp?.muted('left') === true;
    const map = Array.from({ length: channels }, (_, slot) => {
      const channel = converter.channel + (hdmi && slot < 8 ? pin.channelMap[slot]! >> 4 : slot);
      return muted || channel >= total ? -1 : channel;
    });
    const whole = channels === total && map.every((channel, slot) => channel === slot);
    this.#addDirect(run.tag, { sink, channels, whole, map, contributions: [] });
  }

  #compileAnalog(
    pin: WidgetState,
    sink: PcmSink,
    before: readonly MixedPin[],
    wanted: Set<WidgetState>,
  ): void {
    const { nid } = pin.definition;
    const channels = pin.channels === 1 ? 1 : 2;
    const runs = new Map<number, OutputRun>();
    let hearsJacks = false;
    const contributions = this.#router.outputPin(pin).filter(({ source }) => {
      if (source.definition.kind === 'pin') {
        const heard = this.#codec.jack(source.definition.nid).source !== null;
        hearsJacks ||= heard;
        return heard;
      }
      const run = source.streamTag === 0 ? undefined : this.#runs.get(source.streamTag);
      if (run !== undefined) runs.set(run.tag, run);
      return run !== undefined;
    });
    const [first, ...more] = [...runs.values()].sort((one, other) => one.tag - other.tag);
    if (first !== undefined && more.length === 0 && !hearsJacks) {
      this.#addDirect(first.tag, directPin(sink, channels, contributions, first.format.channels));
      return;
    }
    if (first === undefined && !hearsJacks) return;
    for (const { source } of contributions) if (source.definition.kind === 'audio-output') wanted.add(source);
    const clock = first?.clock ?? this.#idleClock(nid);
    const old = before.find((mixed) => mixed.nid === nid && mixed.clock === clock);
    this.#mixed.push({
      nid,
      sink,
      channels,
      contributions,
      clock,
      wide: first !== undefined && first.format.containerBytes === 4,
      handled: old?.handled ?? clock.periodsBy(this.#now),
    });
  }

  #idleClock(nid: number): SampleClock {
    let clock = this.#idleClocks.get(nid);
    if (clock === undefined) {
      clock = new SampleClock();
      clock.start(this.#now, IDLE_RATE);
      this.#idleClocks.set(nid, clock);
    }
    return clock;
  }

  #checkConverters(tag: number, format: HdaFormat): void {
    for (const widget of this.#codec.widgets.values()) {
      if (widget.definition.kind !== 'audio-output' || widget.streamTag !== tag) continue;
      if ((widget.format & FMT_WRITABLE) !== format.word) {
        this.#codec.finding('a stream is sent in another format than its converter expects', widget, {
          stream: tag,
          streamFormat: format.word,
          converterFormat: widget.format,
        });
      }
    }
  }

  // --- samples ---

  #outputLike(samples: HdaSamples, count: number): HdaSamples {
    if (samples instanceof Int16Array) {
      if (this.#out16.length < count) this.#out16 = new Int16Array(count);
      return this.#out16;
    }
    if (this.#out32.length < count) this.#out32 = new Int32Array(count);
    return this.#out32;
  }

  #deliverMapped(
    pin: DirectPin,
    map: readonly number[],
    samples: HdaSamples,
    frames: number,
    channels: number,
    format: PcmFormat,
    tick: number,
  ): void {
    const width = pin.channels;
    const out = this.#outputLike(samples, frames * width);
    for (let slot = 0; slot < width; slot++) {
      const channel = map[slot]!;
      for (let frame = 0, to = slot, from = channel; frame < frames; frame++, to += width, from += channels)
        out[to] = channel < 0 ? 0 : samples[from]!;
    }
    pin.sink.write(out, frames, format, tick);
  }

  #deliverSum(
    pin: DirectPin,
    samples: HdaSamples,
    frames: number,
    channels: number,
    format: PcmFormat,
    tick: number,
  ): void {
    const width = pin.channels;
    const out = this.#outputLike(samples, frames * width);
    const wide = out instanceof Int32Array;
    for (let frame = 0; frame < frames; frame++) {
      let left = 0;
      let right = 0;
      for (const { source, matrix } of pin.contributions) {
        const base = frame * channels;
        const one = source.channel < channels ? samples[base + source.channel]! : 0;
        const other = secondOf(samples, base, source.channel, channels, one);
        left += matrix[0] * one + matrix[1] * other;
        right += matrix[2] * one + matrix[3] * other;
      }
      out[frame * width] = wide ? clamp32(left) : toSample(left);
      if (width === 2) out[frame * 2 + 1] = wide ? clamp32(right) : toSample(right);
    }
    pin.sink.write(out, frames, format, tick);
  }

  /** Remembers what converters play for pins and ADCs that look at it later. */
  #keep(
    converters: readonly WidgetState[],
    samples: HdaSamples,
    frames: number,
    channels: number,
    clock: SampleClock,
    firstFrame: number,
  ): void {
    const scale = samples instanceof Int32Array ? 1 / SCALE_32 : 1;
    for (const converter of converters) {
      const tap = this.#taps.get(converter);
      if (tap === undefined) continue;
      for (let done = 0; done < frames; done += BLOCK_FRAMES) {
        const block = Math.min(BLOCK_FRAMES, frames - done);
        for (let frame = 0; frame < block; frame++) {
          const base = (done + frame) * channels;
          const one = converter.channel < channels ? samples[base + converter.channel]! : 0;
          this.#part[frame * 2] = one * scale;
          this.#part[frame * 2 + 1] = secondOf(samples, base, converter.channel, channels, one) * scale;
        }
        tap.append(this.#part, 0, block, clock, firstFrame + done);
      }
    }
  }

  #mixBlock(pin: MixedPin, frames: number): void {
    this.#sum(pin.contributions, frames, pin.clock, pin.handled);
    const { channels, wide } = pin;
    const out = wide ? this.#out32 : this.#out16;
    for (let frame = 0; frame < frames; frame++) {
      for (let channel = 0; channel < channels; channel++) {
        const value = this.#mix[frame * 2 + channel]!;
        out[frame * channels + channel] = wide ? clamp32(value * SCALE_32) : toSample(value);
      }
    }
    pin.sink.write(out, frames, this.#formats.get(pin.clock.rate, channels), pin.clock.tickOf(pin.handled));
  }

  /** Adds up contributions in the 16-bit scale: frames `firstFrame` … of `clock`. */
  #sum(contributions: readonly Contribution[], frames: number, clock: SampleClock, firstFrame: number): void {
    const mix = this.#mix;
    const part = this.#part;
    mix.fill(0, 0, frames * 2);
    for (const { source, matrix } of contributions) {
      if (source.definition.kind === 'pin') this.#readJack(source, frames, clock, firstFrame);
      else {
        const tap = this.#taps.get(source);
        if (tap === undefined) continue;
        tap.read(part, frames, clock, firstFrame);
      }
      const [ll, lr, rl, rr] = matrix;
      for (let index = 0; index < frames * 2; index += 2) {
        const left = part[index]!;
        const right = part[index + 1]!;
        mix[index]! += ll * left + lr * right;
        mix[index + 1]! += rl * left + rr * right;
      }
    }
  }

  #readJack(pin: WidgetState, frames: number, clock: SampleClock, firstFrame: number): void {
    const channels = pin.channels === 1 ? 1 : 2;
    const raw = this.#raw;
    raw.fill(0, 0, frames * channels);
    const { source } = this.#codec.jack(pin.definition.nid);
    source?.read(
      raw.subarray(0, frames * channels),
      frames,
      this.#formats.get(clock.rate, channels),
      clock.tickOf(firstFrame),
    );
    for (let frame = 0; frame < frames; frame++) {
      this.#part[frame * 2] = raw[frame * channels]! / SCALE_32;
      this.#part[frame * 2 + 1] = raw[frame * channels + channels - 1]! / SCALE_32;
    }
  }

  #interleave(into: HdaSamples, at: number, frames: number, channels: number, adc: WidgetState): void {
    const wide = into instanceof Int32Array;
    const width = Math.min(adc.channels, 2, channels - adc.channel);
    for (let frame = 0; frame < frames; frame++) {
      for (let channel = 0; channel < width; channel++) {
        const value = this.#mix[frame * 2 + channel]!;
        into[at + frame * channels + channel] = wide ? clamp32(value * SCALE_32) : toSample(value);
      }
    }
  }
}

/** The right side of a stereo converter: the next channel, the same one of a mono stream, or nothing behind the last. */
function secondOf(samples: HdaSamples, base: number, channel: number, channels: number, one: number): number {
  if (channels === 1) return one;
  return channel + 1 < channels ? samples[base + channel + 1]! : 0;
}

function directPin(
  sink: PcmSink,
  channels: 1 | 2,
  contributions: readonly Contribution[],
  streamChannels: number,
): DirectPin {
  const only = contributions.length === 1 ? contributions[0]! : null;
  if (only === null || channels === 1 || !isIdentity(only.matrix))
    return { sink, channels, whole: false, map: null, contributions };
  const { channel } = only.source;
  const right = streamChannels === 1 ? channel : channel + 1;
  const map = [channel, right].map((index) => (index < streamChannels ? index : -1));
  return { sink, channels, whole: streamChannels === 2 && channel === 0, map, contributions };
}
