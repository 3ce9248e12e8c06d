import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFormat, MemoryPcmReader, MemoryPcmWriter, type StreamMode } from '../src/client/index.ts';
import { encodeProperty } from '../src/client/requests/ks-object.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import { ArraySource, ToneSource } from '../src/hardware/analog.ts';
import { NtError, ntStatusName, TICKS_PER_MILLISECOND } from '../src/kernel/index.ts';
import {
  encodeDataFormat,
  type KSDATAFORMAT,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSRTAUDIO_HWREGISTER,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
} from '../src/ks/index.ts';
import { bytesOf, noise, setState } from './support/ac97-bench.ts';
import { Desktop, HdaBench } from './support/hda-bench.ts';

/** Host pins of the desktop codec's wave filter: one a device. */
const SPEAKERS_PIN = 0;
const HEADPHONES_PIN = 2;
const SPDIF_PIN = 4;
const RECORDING_PIN = 6;
/** The card's stream descriptors: input first. */
const FIRST_INPUT = 0;
const FIRST_OUTPUT = 4;

function statusOf(action: () => unknown): string {
  try {
    action();
    return 'success';
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

function openPin(bench: HdaBench, pin: number, format: KSDATAFORMAT = pcmFormat(48_000, 2, 16)): RtPin {
  const filter = bench.openFilter('Wave');
  try {
    return bench.openPin(filter, pin, format);
  } finally {
    filter.close();
  }
}

/** A register of the pin's, mapped into the application; how to read it. */
function mapRegister(bench: HdaBench, pin: RtPin, id: number) {
  const answer = new Uint8Array(KSRTAUDIO_HWREGISTER.size);
  pin.object.control(encodeProperty(KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, [0, 0]), answer);
  const { register, width, numerator, denominator } = KSRTAUDIO_HWREGISTER.decode(answer);
  expect(width).toBe(32);
  const bytes = new Uint8Array(4);
  return {
    rate: numerator / denominator,
    read: (): number => {
      bench.process.readMemory(register, bytes);
      return new DataView(bytes.buffer).getUint32(0, true);
    },
  };
}

function position(pin: RtPin): number {
  const bytes = pin.object.get(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

describe('positions', () => {
  it('are the link’s own, by property and by register, in every state and at every time', () => {
    const step = fc.record({
      wait: fc.oneof(
        fc.integer({ min: 0, max: 50 }),
        fc.integer({ min: 0, max: 20 * TICKS_PER_MILLISECOND }),
        fc.integer({ min: 0, max: 700 * TICKS_PER_MILLISECOND }),
      ),
      next: fc.constantFrom('look', 'look', 'look', 'look', 'pause', 'acquire', 'stop'),
    });
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.constantFrom(44_100, 48_000, 96_000, 192_000),
        fc.constantFrom<readonly [number, number]>([16, 16], [32, 20], [32, 24]),
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        fc.array(step, { minLength: 5, maxLength: 30 }),
        (capture, rate, [container, validBits], bufferMs, notifications, steps) => {
          using bench = new HdaBench({ jacks: { [Desktop.rearMic]: { source: new ToneSource(1000) } } });
          const format = pcmFormat(rate, 2, container, validBits === container ? {} : { validBits });
          const frameBytes = container / 4;
          const pin = openPin(bench, capture ? RECORDING_PIN : SPEAKERS_PIN, format);
          const wanted = Math.ceil((rate * bufferMs) / 1000) * frameBytes;
          const { actualBufferSize } = pin.allocateBuffer(wanted, notifications);
          expect(actualBufferSize).toBeGreaterThanOrEqual(wanted);
          const register = mapRegister(bench, pin, KSPROPERTY_RTAUDIO_POSITIONREGISTER);
          const stream = capture ? FIRST_INPUT : FIRST_OUTPUT;
          const card = () => bench.card.position(stream).lpib;
          expect(position(pin)).toBe(0);
          setState(pin, KSSTATE_RUN);
          let frames = 0;
          for (const { wait, next } of steps) {
            bench.machine.runFor(wait);
            expect(position(pin)).toBe(card());
            expect(register.read()).toBe(card());
            expect(position(pin)).toBeLessThan(actualBufferSize);
            const before = frames;
            frames = bench.card.position(stream).frames;
            expect(frames).toBeGreaterThanOrEqual(before);
            if (next === 'look') continue;
            setState(
              pin,
              next === 'pause' ? KSSTATE_PAUSE : next === 'acquire' ? KSSTATE_ACQUIRE : KSSTATE_STOP,
            );
            const stood = position(pin);
            if (next === 'stop') expect(stood).toBe(0);
            bench.pass(3);
            expect(position(pin)).toBe(stood);
            expect(register.read()).toBe(stood);
            setState(pin, KSSTATE_RUN);
            frames = 0;
          }
          pin.close();
          expect(bench.findings).toEqual([]);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('have the wall clock beside them, which all streams share', () => {
    using bench = new HdaBench();
    const clocks = [SPEAKERS_PIN, HEADPHONES_PIN].map((pin) =>
      mapRegister(bench, openPin(bench, pin), KSPROPERTY_RTAUDIO_CLOCKREGISTER),
    );
    expect(clocks.map(({ rate }) => rate)).toEqual([24_000_000, 24_000_000]);
    const before = clocks.map(({ read }) => read());
    bench.pass(10);
    const after = clocks.map(({ read }) => read());
    expect(after.map((value, index) => value - (before[index] as number))).toEqual([240_000, 240_000]);
  });

  it('and counted packets agree, with one notification a buffer or two', () => {
    using bench = new HdaBench();
    for (const notifications of [1, 2] as const) {
      const pin = openPin(bench, SPEAKERS_PIN);
      const { actualBufferSize } = pin.allocateBuffer(7680, notifications);
      const event = bench.process.createEvent('SynchronizationEvent');
      let signals = 0;
      const wait = bench.process.whenSignaled(event, () => {
        signals++;
        wait.arm();
      });
      pin.registerEvent(event);
      setState(pin, KSSTATE_RUN);
      bench.pass(10 * (actualBufferSize / 192) + 1);
      expect(pin.packetCount()).toBe(10 * notifications);
      expect(signals).toBe(10 * notifications);
      setState(pin, KSSTATE_STOP);
      expect(pin.packetCount()).toBe(0);
      wait.cancel();
      pin.unregisterEvent(event);
      pin.close();
    }
  });
});

describe('a stream', () => {
  it('gets a silent buffer of at least the size asked for, once', () => {
    using bench = new HdaBench();
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400_000 }),
        fc.constantFrom<0 | 1 | 2>(0, 1, 2),
        fc.integer({ min: 1, max: 8 }),
        (bytes, notifications, channels) => {
          const format = pcmFormat(48_000, channels, 32, { validBits: 24, extensible: true });
          const pin = openPin(bench, SPEAKERS_PIN, format);
          const { actualBufferSize, bufferAddress } = pin.allocateBuffer(bytes, notifications);
          expect(actualBufferSize).toBeGreaterThanOrEqual(bytes);
          expect(actualBufferSize % (4 * channels * Math.max(1, notifications))).toBe(0);
          const content = new Uint8Array(actualBufferSize);
          bench.process.readMemory(bufferAddress, content);
          expect(content.every((byte) => byte === 0)).toBe(true);
          bench.process.writeMemory(bufferAddress, content.fill(0x5a));
          expect(statusOf(() => pin.allocateBuffer(bytes, notifications))).toBe(
            'STATUS_INVALID_DEVICE_STATE',
          );
          pin.close();
        },
      ),
      { numRuns: 40 },
    );
    const pin = openPin(bench, SPEAKERS_PIN);
    for (const bytes of [0x7fff_ffff, 0xffff_ffff])
      expect(statusOf(() => pin.allocateBuffer(bytes, 2))).toBe('STATUS_INSUFFICIENT_RESOURCES');
    expect(statusOf(() => pin.allocateBuffer(0, 2))).toBe('STATUS_INVALID_PARAMETER');
    expect(statusOf(() => pin.allocateBuffer(7680, 2))).toBe('success');
  });

  it('needs a buffer to run, and may get it in any state before', () => {
    using bench = new HdaBench();
    for (const state of [KSSTATE_STOP, KSSTATE_ACQUIRE, KSSTATE_PAUSE] as const) {
      const pin = openPin(bench, SPEAKERS_PIN);
      setState(pin, state);
      expect(statusOf(() => setState(pin, KSSTATE_RUN))).toBe('STATUS_INVALID_DEVICE_STATE');
      pin.allocateBuffer(7680, 1);
      setState(pin, KSSTATE_RUN);
      bench.pass(101);
      expect(pin.packetCount()).toBe(2);
      setState(pin, KSSTATE_STOP);
      pin.close();
    }
    expect(bench.findings).toEqual([]);
  });

  it('changes its format in STOP alone, and to what the converters take', () => {
    using bench = new HdaBench();
    const pin = openPin(bench, SPEAKERS_PIN);
    const setFormat = (format: KSDATAFORMAT) => () =>
      pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, encodeDataFormat(format));
    pin.allocateBuffer(7680, 2);
    expect(statusOf(setFormat(pcmFormat(96_000, 2, 16)))).toBe('success');
    for (const state of [KSSTATE_ACQUIRE, KSSTATE_PAUSE, KSSTATE_RUN] as const) {
      setState(pin, state);
      expect(statusOf(setFormat(pcmFormat(44_100, 2, 16)))).toBe('STATUS_INVALID_PARAMETER');
    }
    setState(pin, KSSTATE_STOP);
    for (const wrong of [pcmFormat(32_000, 2, 16), pcmFormat(48_000, 2, 24), pcmFormat(48_000, 2, 8)])
      expect(statusOf(setFormat(wrong))).not.toBe('success');
    setState(pin, KSSTATE_RUN);
    bench.pass(20);
    // What was refused has changed nothing.
    expect(bench.sink(Desktop.front).takes.at(-1)?.format.sampleRate).toBe(96_000);
    pin.close();
  });

  it('fails cleanly when the controller’s streams are all taken', () => {
    using bench = new HdaBench({ codecs: ['desktop', 'qemu-duplex', 'qemu-output'] });
    const format = pcmFormat(48_000, 2, 16);
    const [first, second, third] = ['Wave', 'Wave2', 'Wave3'].map((name) => bench.openFilter(name));
    if (!first || !second || !third) throw new Error('no filters');
    const pins = [SPEAKERS_PIN, HEADPHONES_PIN, SPDIF_PIN].map((pin) => bench.openPin(first, pin, format));
    pins.push(bench.openPin(second, 0, format));
    expect(statusOf(() => bench.openPin(third, 0, format))).toBe('STATUS_INSUFFICIENT_RESOURCES');
    pins[1]?.close();
    pins.push(bench.openPin(third, 0, format));
  });
});

describe('several streams at once', () => {
  const OUTPUTS = [
    ['Speakers', Desktop.front],
    ['Headphones', Desktop.headphone],
    ['S/PDIF Out', Desktop.spdif],
  ] as const;

  it('play and record each its own sound, whenever they begin and whatever their formats', () => {
    const timing = fc.record({
      rate: fc.constantFrom(44_100, 48_000, 96_000),
      mode: fc.constantFrom<StreamMode>('timer', 'event', 'packet'),
      frames: fc.integer({ min: 500, max: 8000 }),
      startMs: fc.integer({ min: 0, max: 60 }),
      bufferMs: fc.integer({ min: 5, max: 80 }),
    });
    fc.assert(
      fc.property(fc.array(timing, { minLength: 5, maxLength: 5 }), (timings) => {
        const signal = noise(2 * 48_000, 55);
        using bench = new HdaBench({
          jacks: {
            [Desktop.lineIn]: { source: new ArraySource(signal, { sampleRate: 48_000, channels: 2 }) },
            [Desktop.frontMic]: { source: new ArraySource(signal, { sampleRate: 48_000, channels: 2 }) },
          },
        });
        const renders = OUTPUTS.map(([endpoint, pin], index) => {
          const { rate, mode, frames, startMs, bufferMs } = timings[index] as (typeof timings)[number];
          const samples = noise(2 * frames, index + 1);
          const stream = bench.audio.openRender(bench.audio.endpoint('render', endpoint), {
            source: new MemoryPcmReader(audioFormat({ sampleRate: rate }), bytesOf(samples)),
            mode,
            bufferMs,
          });
          return { stream, samples, pin, startMs };
        });
        const captures = ['Line In', 'Front Microphone'].map((endpoint, index) => {
          const { mode, frames, startMs, bufferMs } = timings[3 + index] as (typeof timings)[number];
          const sink = new MemoryPcmWriter(audioFormat());
          const stream = bench.audio.openCapture(bench.audio.endpoint('capture', endpoint), {
            sink,
            frames,
            mode,
            bufferMs,
          });
          return { stream, sink, startMs };
        });
        const all = [...renders, ...captures];
        for (const { stream, startMs } of [...all].sort((a, b) => a.startMs - b.startMs)) {
          bench.run(() => false, startMs / 1000);
          stream.start();
        }
        expect(bench.run(() => all.every(({ stream }) => stream.ended), 20)).toBe(true);
        for (const { stream } of all) {
          expect(stream.error).toBe(null);
          expect(stream.statistics().glitches).toBe(0);
        }
        for (const { samples, pin } of renders) {
          const heard = bench.heard(pin);
          expect(samples.findIndex((sample, index) => sample !== heard[index])).toBe(-1);
          expect(heard.subarray(samples.length).every((sample) => sample === 0)).toBe(true);
        }
        for (const { sink } of captures) {
          const recorded = new Int16Array(sink.bytes.slice().buffer);
          const at = signal.findIndex(
            (sample, index) => sample === recorded[0] && signal[index + 1] === recorded[1],
          );
          expect(recorded.findIndex((sample, index) => sample !== signal[at + index])).toBe(-1);
        }
        for (const { stream } of all) stream.close();
        expect(bench.findings).toEqual([]);
      }),
      { numRuns: 8 },
    );
  });

  it('of codecs that share the link do not hear each other', () => {
    using bench = new HdaBench({ codecs: ['desktop', 'hdmi', 'qemu-duplex'] });
    const jobs: readonly (readonly [filter: string, pin: number, codec: number, jack: number])[] = [
      ['Wave', SPEAKERS_PIN, 0, Desktop.front],
      ['Wave2', 0, 1, 3],
      ['Wave3', 0, 2, 3],
    ];
    const opened = jobs.map(([filter, pin, codec, jack], index) => {
      const endpoint = bench.audio
        .endpoints()
        .find(({ pins, direction }) =>
          pins.some(
            ({ id, route }) =>
              direction === 'render' &&
              id === pin &&
              route.filter.path.toLowerCase().endsWith(`\\${filter.toLowerCase()}`),
          ),
        );
      if (!endpoint) throw new Error(`no endpoint of ${filter}`);
      const samples = noise(9600, index + 7);
      const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
      return { stream: bench.audio.openRender(endpoint, { source, mode: 'event' }), samples, codec, jack };
    });
    for (const { stream } of opened) stream.start();
    expect(bench.run(() => opened.every(({ stream }) => stream.ended))).toBe(true);
    for (const { stream, samples, codec, jack } of opened) {
      expect(stream.error).toBe(null);
      const heard = bench.heard(jack, codec);
      expect(samples.findIndex((sample, index) => sample !== heard[index])).toBe(-1);
    }
    expect(bench.findings).toEqual([]);
  });
});

describe('memory', () => {
  it('above 4 GiB, and scattered, is played from as any other', () => {
    using bench = new HdaBench({ machine: { highRamBytes: 64 * 2 ** 20 } });
    bench.kernel.memory.scatterPages = true;
    const samples = noise(2 * 48_000, 3);
    const stream = bench.audio.openRender(bench.audio.endpoint('render', 'Headphones'), {
      source: new MemoryPcmReader(audioFormat(), bytesOf(samples)),
      mode: 'event',
      bufferMs: 500,
    });
    const ranges = bench.machine.platform.dma.rangesOf(bench.slot);
    expect(ranges.some(({ start }) => start >= 2 ** 32)).toBe(true);
    expect(ranges.length).toBeGreaterThan(10);
    stream.start();
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    const heard = bench.heard(Desktop.headphone);
    expect(samples.findIndex((sample, index) => sample !== heard[index])).toBe(-1);
    expect(bench.findings).toEqual([]);
  });
});
