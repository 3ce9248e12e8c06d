import { findCard } from '../src/catalog.ts';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  type Endpoint,
  frameBytes,
  type PcmReader,
  type StreamMode,
} from '../src/client/index.ts';
import type { PcmFormat, PcmSamples, PcmSink } from '../src/hal/bus.ts';
import { TICKS_PER_SECOND, Trace } from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import type { Figure } from './measure.ts';

const FUNCTIONS_PER_SLOT = 8;
const FIRST_SLOT = 3;

/** A megabyte of noise, over and over: no work per sample, so that the stack is what is measured. */
class EndlessReader implements PcmReader {
  readonly format: AudioFormat;
  readonly frameCount: number;
  readonly #bytes = new Uint8Array(1 << 20);
  #left: number;

  constructor(frames: number, format: AudioFormat) {
    this.format = format;
    this.frameCount = frames;
    this.#left = frames * frameBytes(this.format);
    let state = 1;
    for (let i = 0; i < this.#bytes.length; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      this.#bytes[i] = state >>> 24;
    }
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    const count = Math.min(byteLength, this.#left, this.#bytes.length);
    into.set(this.#bytes.subarray(0, count), byteOffset);
    this.#left -= count;
    return count;
  }
}

/** Counts what leaves the DAC. */
class CountingSink implements PcmSink {
  frames = 0;

  write(_samples: PcmSamples, frames: number, _format: PcmFormat, _startTick: number): void {
    this.frames += frames;
  }
}

export interface StreamBench {
  readonly name: string;
  /** As `--card` takes it; ac97 unless given. */
  readonly card?: string;
  /** 48 kHz, 16-bit stereo unless given. */
  readonly format?: Partial<AudioFormat>;
  readonly streams: number;
  readonly mode: StreamMode;
  readonly bufferMs: number;
  readonly seconds: number;
  readonly aim: number | null;
}

/** HDA codecs may have an internal speaker beside the jacks for speakers. */
function firstOfEachFilter(endpoints: readonly Endpoint[]): Endpoint[] {
  const pathOf = ({ route }: Endpoint) => route.bridgeFilter.path;
  return endpoints.filter(
    (endpoint, index) => endpoints.findIndex((other) => pathOf(other) === pathOf(endpoint)) === index,
  );
}

/** Plays through as many cards as streams, at once, and gives how many times faster than real time all of them ran together. */
export function streamFigure(bench: StreamBench, copyBytesPerSecond: number): Figure {
  const { card: name = 'ac97' } = bench;
  const format = audioFormat(bench.format);
  const card = findCard(name);
  if (!card) throw new Error(`the catalogue has no ${name}`);
  const machine = new SimMachine({ trace: new Trace({ mask: 0, keep: 0 }), ramBytes: 64 * 1024 * 1024 });
  try {
    const sinks: CountingSink[] = [];
    for (let index = 0; index < bench.streams; index++) {
      const sink = new CountingSink();
      sinks.push(sink);
      card.plug(
        machine,
        { output: sink },
        { device: FIRST_SLOT + Math.floor(index / FUNCTIONS_PER_SLOT), func: index % FUNCTIONS_PER_SLOT },
      );
    }
    machine.installDriver(card.driver);
    machine.start();
    const audio = new AudioClient(machine.kernel);
    const speakers = firstOfEachFilter(
      audio
        .endpoints()
        .filter(({ direction, category }) => direction === 'render' && category === 'KSNODETYPE_SPEAKER'),
    );
    if (speakers.length !== bench.streams)
      throw new Error(`${speakers.length} endpoints for ${bench.streams} streams`);
    const frames = bench.seconds * format.sampleRate;
    const streams = speakers.map((endpoint) =>
      audio.openRender(endpoint, {
        source: new EndlessReader(frames, format),
        bufferMs: bench.bufferMs,
        mode: bench.mode,
      }),
    );
    const over = () => streams.every(({ state }) => state === 'ended' || state === 'failed');
    const start = performance.now();
    for (const stream of streams) stream.start();
    machine.runUntil(over, machine.kernel.clock.now + (bench.seconds + 5) * TICKS_PER_SECOND);
    const realSeconds = (performance.now() - start) / 1000;
    for (const stream of streams) {
      if (stream.state !== 'ended') throw stream.error ?? new Error(`a stream is ${stream.state} at the end`);
      if (stream.statistics().glitches > 0) throw new Error(`${bench.name}: a stream glitched`);
    }
    for (const { frames: heard } of sinks)
      if (heard < frames) throw new Error(`${bench.name}: only ${heard} of ${frames} frames were heard`);
    audio.close();
    const audioBytes = bench.streams * frames * frameBytes(format);
    return {
      name: bench.name,
      value: (bench.streams * bench.seconds) / realSeconds,
      unit: '× real time',
      aim: bench.aim,
      higherIsBetter: true,
      ofMemoryCopy: audioBytes / realSeconds / copyBytesPerSecond,
    };
  } finally {
    machine.dispose();
  }
}
