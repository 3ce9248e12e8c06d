import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findCard } from '../../src/catalog.ts';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  type CaptureStream,
  MemoryPcmReader,
  MemoryPcmWriter,
  type RenderStream,
  type StreamMode,
} from '../../src/client/index.ts';
import { ArraySource, MemorySink } from '../../src/hardware/index.ts';
import { formatLeakReport, TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../src/kernel/index.ts';
import { SimMachine } from '../../src/machines/sim/index.ts';
import { bytesOf, noise } from './ac97-bench.ts';
import { unmix } from './mix.ts';

/** A stream of the set that a card does at once. */
export interface MultiStreamPin {
  /** Category of the endpoint's bridge pin; the preferred endpoint unless given. */
  readonly category?: string;
  /** The endpoint's pin, where it has several. */
  readonly pin?: string;
  readonly sampleRate: number;
  readonly channels?: 1 | 2;
  readonly bits?: 8 | 16;
  readonly mode?: StreamMode;
  /** Which jack a recording hears. */
  readonly jack?: 'line' | 'mic';
}

/** What a card can do at once: all its render and capture pins, as far as its hardware lets them. */
export interface MultiStreamCard {
  readonly name: string;
  /** Rate of the output jack's samples. */
  readonly outputRate: number;
  readonly renders: readonly MultiStreamPin[];
  readonly captures: readonly MultiStreamPin[];
  /** A stream that the hardware cannot add to them, and how the driver says so; null when there is none. */
  readonly refused: { readonly direction: 'render' | 'capture'; readonly pin: MultiStreamPin } | null;
  readonly refusal?: RegExp;
}

const formatOf = ({ sampleRate, channels = 2, bits = 16 }: MultiStreamPin): AudioFormat =>
  audioFormat({ sampleRate, channels, containerBits: bits });

/** Samples, stereo or mono as the stream is, as bytes in its format: eight bits are the upper half. */
function encode(samples: Int16Array, { bits = 16 }: MultiStreamPin): Uint8Array {
  return bits === 16 ? bytesOf(samples) : Uint8Array.from(samples, (value) => (value >> 8) + 128);
}

/** What a stream of these bytes sounds like at the jack: 16-bit stereo. */
function decode(bytes: Uint8Array, { channels = 2, bits = 16 }: MultiStreamPin): Int16Array {
  const values =
    bits === 16 ? new Int16Array(bytes.slice().buffer) : Int16Array.from(bytes, (byte) => (byte - 128) << 8);
  return channels === 2
    ? values
    : Int16Array.from({ length: values.length * 2 }, (_, at) => values[at >> 1] ?? 0);
}

/** The first place of `part` in `whole`, by bytes; -1 when it is nowhere. */
function indexOf(whole: Uint8Array, part: Uint8Array): number {
  return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).indexOf(part);
}

interface Opened {
  readonly renders: readonly { readonly stream: RenderStream; readonly sound: Int16Array }[];
  readonly captures: readonly {
    readonly stream: CaptureStream;
    readonly sink: MemoryPcmWriter;
    readonly heard: Uint8Array;
  }[];
  readonly all: readonly (RenderStream | CaptureStream)[];
}

/** A machine with the card, signals at its inputs, and an application. */
class MultiBench implements Disposable {
  readonly machine = new SimMachine();
  readonly output = new MemorySink();
  readonly audio: AudioClient;
  readonly #card: MultiStreamCard;
  readonly #inputs: Readonly<Record<'line' | 'mic', Int16Array>>;

  constructor(card: MultiStreamCard) {
    this.#card = card;
    const entry = findCard(card.name);
    if (entry === undefined) throw new Error(`there is no card '${card.name}'`);
    const pinAt = (jack: 'line' | 'mic') => card.captures.find((pin) => (pin.jack ?? 'line') === jack);
    this.#inputs = { line: noise(12 * card.outputRate, 9), mic: noise(12 * card.outputRate, 21) };
    // Nothing is in a jack that nobody records from: some cards would let it be heard.
    const source = (jack: 'line' | 'mic') => {
      const pin = pinAt(jack);
      return pin === undefined
        ? undefined
        : new ArraySource(this.#inputs[jack], { sampleRate: pin.sampleRate, channels: pin.channels ?? 2 });
    };
    const [lineIn, micIn] = [source('line'), source('mic')];
    entry.plug(this.machine, {
      output: this.output,
      ...(lineIn ? { lineIn } : {}),
      ...(micIn ? { micIn } : {}),
    });
    this.machine.installDriver(entry.driver);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
  }

  #endpoint(direction: 'render' | 'capture', { category }: MultiStreamPin) {
    const found = this.audio
      .endpoints()
      .find((one) => one.direction === direction && (category === undefined || one.category === category));
    if (found === undefined) throw new Error(`${this.#card.name} has no endpoint ${category ?? direction}`);
    return found;
  }

  openRender(pin: MultiStreamPin, bytes: Uint8Array, bufferMs = 40): RenderStream {
    const format = formatOf(pin);
    return this.audio.openRender(this.#endpoint('render', pin), {
      source: new MemoryPcmReader(format, bytes),
      format,
      bufferMs,
      mode: pin.mode ?? 'timer',
      ...(pin.pin === undefined ? {} : { pin: pin.pin }),
    });
  }

  openCapture(pin: MultiStreamPin, sink: MemoryPcmWriter, frames?: number, bufferMs = 40): CaptureStream {
    return this.audio.openCapture(this.#endpoint('capture', pin), {
      sink,
      format: formatOf(pin),
      bufferMs,
      mode: pin.mode ?? 'timer',
      ...(frames === undefined ? {} : { frames }),
      ...(pin.pin === undefined ? {} : { pin: pin.pin }),
    });
  }

  /** Opens the whole set: `seconds` of sound each, as loud as the shift says. */
  openAll(seconds: number, shift = 0, bufferMs = 40): Opened {
    const { renders, captures } = this.#card;
    const played = renders.map((pin, index) => {
      const samples = noise(2 * Math.round(pin.sampleRate * seconds), 3 + 40 * index).map(
        (value) => (value >> shift) | 0x101,
      );
      const bytes = encode(samples, pin);
      return { stream: this.openRender(pin, bytes, bufferMs), sound: decode(bytes, pin) };
    });
    const recorded = captures.map((pin) => {
      const sink = new MemoryPcmWriter(formatOf(pin));
      return {
        stream: this.openCapture(pin, sink, Math.round(pin.sampleRate * seconds), bufferMs),
        sink,
        heard: encode(this.#inputs[pin.jack ?? 'line'], pin),
      };
    });
    return {
      renders: played,
      captures: recorded,
      all: [...played, ...recorded].map(({ stream }) => stream),
    };
  }

  run(done: () => boolean, seconds = 30): boolean {
    const { kernel } = this.machine;
    return this.machine.runUntil(done, kernel.clock.now + seconds * TICKS_PER_SECOND);
  }

  /** The last that was heard at the streams' rate; before its driver starts a card may play something at another. */
  #played(): Int16Array {
    const take = this.output.takes.findLast(({ format }) => format.sampleRate === this.#card.outputRate);
    return take?.samples instanceof Int16Array ? take.samples : new Int16Array(0);
  }

  /** Every stream has come to its end, every sample is where it belongs. */
  expectBitExact({ renders, captures, all }: Opened): void {
    expect(this.run(() => all.every(({ ended }) => ended))).toBe(true);
    for (const stream of all) {
      expect([stream.endpointName, stream.error]).toEqual([stream.endpointName, null]);
      expect([stream.endpointName, stream.statistics().glitches]).toEqual([stream.endpointName, 0]);
    }
    const { difference } = unmix(
      this.#played(),
      renders.map(({ sound }) => sound),
    );
    expect(difference).toBe(null);
    for (const { sink, heard, stream } of captures) {
      // A recording may begin before its converter does.
      const { bytes } = sink;
      const silence = stream.format.containerBits === 8 ? 128 : 0;
      const start = bytes.findIndex((byte) => byte !== silence);
      const from = start - (start % 4);
      expect(from).toBeLessThan(bytes.length / 10);
      expect([stream.endpointName, indexOf(heard, bytes.subarray(from)) >= 0]).toEqual([
        stream.endpointName,
        true,
      ]);
    }
  }

  [Symbol.dispose](): void {
    this.audio.close();
    expect(this.machine.trace.findings.map(({ text }) => text)).toEqual([]);
    expect(formatLeakReport(this.machine.dispose())).toBe('');
  }
}

/** All pins of a card at once on `sim`: bit-exact, in time, without leaks. */
export function multiStreamSuite(card: MultiStreamCard): void {
  describe(`all streams of ${card.name} at once`, () => {
    test('are bit-exact, every one of them, also where their sum saturates', () => {
      for (const shift of [2, 0]) {
        using bench = new MultiBench(card);
        const opened = bench.openAll(0.5, shift);
        for (const stream of opened.all) stream.start();
        bench.expectBitExact(opened);
      }
    });

    test('in whatever order and at whatever moments they start, and with whatever buffers (property)', () => {
      const count = card.renders.length + card.captures.length;
      fc.assert(
        fc.property(
          fc.shuffledSubarray(
            Array.from({ length: count }, (_, index) => index),
            { minLength: count },
          ),
          fc.array(fc.integer({ min: 0, max: 300_000 }), { minLength: count, maxLength: count }),
          fc.integer({ min: 20, max: 200 }),
          (order, lags, bufferMs) => {
            using bench = new MultiBench(card);
            const opened = bench.openAll(0.2, 1, bufferMs);
            for (const [index, which] of order.entries()) {
              opened.all[which]?.start();
              bench.machine.runFor(lags[index] ?? 0);
            }
            bench.expectBitExact(opened);
          },
        ),
        { numRuns: 15 },
      );
    });

    test('have positions that keep in step with the clock, each by itself', () => {
      using bench = new MultiBench(card);
      const { all } = bench.openAll(2, 2);
      const { kernel } = bench.machine;
      const starts = all.map((stream) => {
        bench.machine.runFor(7 * TICKS_PER_MILLISECOND);
        stream.start();
        return kernel.clock.now;
      });
      const last = all.map(() => 0);
      for (let look = 0; look < 20; look++) {
        bench.machine.runFor(50 * TICKS_PER_MILLISECOND);
        for (const [index, stream] of all.entries()) {
          const { positionFrames } = stream.statistics();
          const elapsed = (kernel.clock.now - (starts[index] ?? 0)) / TICKS_PER_SECOND;
          const due = elapsed * stream.format.sampleRate;
          // As of the stream's last wake, at most a buffer ago.
          expect(positionFrames).toBeGreaterThan(last[index] ?? 0);
          expect(positionFrames).toBeLessThanOrEqual(due + 1);
          expect(positionFrames).toBeGreaterThan(due - 0.06 * stream.format.sampleRate);
          last[index] = positionFrames;
        }
      }
      for (const stream of all) stream.close();
    });

    test('come and go without leaving anything behind', () => {
      using bench = new MultiBench(card);
      const { kernel } = bench.machine;
      const handles = bench.audio.process.handleCount;
      let objects: number | null = null;
      for (let round = 0; round < 10; round++) {
        bench.output.clear();
        const { all } = bench.openAll(1, 2);
        for (const stream of all) stream.start();
        bench.machine.runFor((20 + 13 * round) * TICKS_PER_MILLISECOND);
        // The first that came is the first to go in one round, the last to go in the next.
        for (const stream of round % 2 === 0 ? all : all.toReversed()) {
          stream.close();
          bench.machine.runFor(3 * TICKS_PER_MILLISECOND);
        }
        objects ??= kernel.objects.count;
        expect(kernel.objects.count).toBe(objects);
        expect(bench.audio.process.handleCount).toBe(handles);
      }
      bench.output.clear();
      const opened = bench.openAll(0.2, 2);
      for (const stream of opened.all) stream.start();
      bench.expectBitExact(opened);
    });

    const { refused } = card;
    if (refused !== null) {
      test('leave no room for one more, and the driver says why', () => {
        using bench = new MultiBench(card);
        const opened = bench.openAll(0.2, 2);
        const open = () =>
          refused.direction === 'render'
            ? bench.openRender(refused.pin, new Uint8Array(400))
            : bench.openCapture(refused.pin, new MemoryPcmWriter(formatOf(refused.pin)));
        expect(open).toThrow(card.refusal ?? /in use/);
        for (const stream of opened.all) stream.start();
        bench.machine.runFor(50 * TICKS_PER_MILLISECOND);
        expect(open).toThrow(card.refusal ?? /in use/);
        bench.expectBitExact(opened);
      });
    }
  });
}
