import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sb16 from '../src/adapters/sb16/index.ts';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  checkDriver,
  formatFailures,
  frameBytes,
  MemoryPcmReader,
  MemoryPcmWriter,
} from '../src/client/index.ts';
import { ArraySource, MemorySink } from '../src/hardware/analog.ts';
import { Sb16Card, type Sb16CardOptions } from '../src/hardware/sb16/index.ts';
import {
  formatLeakReport,
  ioGetDeviceInterfaces,
  PowerSystemSleeping3,
  PowerSystemWorking,
} from '../src/kernel/index.ts';
import {
  encodeDataFormat,
  KSCATEGORY_RENDER,
  KSINTERFACE_STANDARD_STREAMING,
  KSINTERFACESETID_Standard,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_TYPECHANGED,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
} from '../src/ks/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { WavePinClient } from '../src/portcls/ports/test-wave-client.ts';
import { bytesOf, noise, soundIn } from './support/ac97-bench.ts';

/** A PC with the card, its driver started, and an application. */
class Bench implements Disposable {
  readonly machine = new SimMachine();
  readonly lineOut = new MemorySink();
  readonly card: Sb16Card;
  readonly audio: AudioClient;

  constructor(options: Sb16CardOptions = {}) {
    this.card = new Sb16Card({ lineOut: this.lineOut, ...options });
    this.machine.plugIsa(this.card);
    this.machine.installDriver(sb16.install);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
  }

  run(done: () => boolean, seconds = 60): boolean {
    return this.machine.runUntil(done, this.machine.kernel.clock.now + seconds * 10_000_000);
  }

  pass(milliseconds: number): void {
    this.machine.runFor(milliseconds * 10_000);
  }

  play(samples: Int16Array, format: AudioFormat = audioFormat({ sampleRate: 44_100 }), bufferMs = 40) {
    return this.audio.openRender(this.audio.endpoint('render', 'Speakers'), {
      source: new MemoryPcmReader(format, bytesOf(samples)),
      format,
      bufferMs,
    });
  }

  record(sink: MemoryPcmWriter, frames: number, format: AudioFormat, bufferMs = 40) {
    return this.audio.openCapture(this.audio.endpoint('capture', 'Line In'), {
      sink,
      frames,
      format,
      bufferMs,
    });
  }

  get findings(): readonly string[] {
    return this.machine.kernel.trace.findings.map(({ text }) => text);
  }

  /** The sound that left the card last at one rate. */
  get heard(): Int16Array {
    const { samples } = this.lineOut.takes.at(-1) ?? { samples: new Int16Array(0) };
    return samples instanceof Int16Array ? samples : new Int16Array(0);
  }

  [Symbol.dispose](): void {
    this.audio.close();
    expect(this.findings).toEqual([]);
    expect(formatLeakReport(this.machine.dispose())).toBe('');
  }
}

/** What the card makes of a stream's bytes at 0 dB: 16 bits, both sides. */
function atTheJack(samples: Int16Array, { channels, containerBits }: AudioFormat): Int16Array {
  const values =
    containerBits === 16 ? samples : Int16Array.from(bytesOf(samples), (byte) => (byte - 128) << 8);
  return channels === 2
    ? values
    : Int16Array.from({ length: values.length * 2 }, (_, at) => values[at >> 1] as number);
}

/** What the ADC makes of a sound, interleaved stereo: the upper byte, the left side. */
function recordedAs(sound: Int16Array, { channels, containerBits }: AudioFormat): Uint8Array {
  const values = channels === 2 ? sound : sound.filter((_, at) => at % 2 === 0);
  return containerBits === 16 ? bytesOf(values) : Uint8Array.from(values, (value) => (value >> 8) + 128);
}

/** The sound at the jack began when the card was switched on; the recording is some of it, without a gap. */
function expectRecorded(recording: Uint8Array, sound: Int16Array, format: AudioFormat): void {
  const whole = Buffer.from(recordedAs(sound, format));
  const start = whole.indexOf(recording.subarray(0, 64));
  expect(start).toBeGreaterThanOrEqual(0);
  expect(Buffer.compare(whole.subarray(start, start + recording.length), recording)).toBe(0);
}

const anyFormat = fc
  .record({
    sampleRate: fc.oneof(
      fc.constantFrom(5_000, 8_000, 11_025, 22_050, 44_100),
      fc.integer({ min: 5_000, max: 44_100 }),
    ),
    channels: fc.constantFrom(1, 2),
    containerBits: fc.constantFrom(8 as const, 16 as const),
  })
  .map((parts) => audioFormat(parts));

describe('an application on the Sound Blaster 16', () => {
  test('finds a topology without a fault', () => {
    using bench = new Bench();
    expect(formatFailures(checkDriver(bench.audio))).toBe('');
  });

  test('plays every format from 5 to 44.1 kHz bit by bit (property)', () => {
    fc.assert(
      fc.property(
        anyFormat,
        fc.integer({ min: 40, max: 300 }),
        fc.integer({ min: 1, max: 20_000 }),
        (format, bufferMs, count) => {
          using bench = new Bench();
          // Whole frames; without a sample of silence, so that sound can be told from it.
          const samples = noise(count * 2).map((value) => value | 0x0101);
          const stream = bench.play(samples, format, bufferMs);
          expect(stream.format).toEqual(format);
          stream.start();
          expect(bench.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(stream.statistics()).toMatchObject({
            glitches: 0,
            positionFrames: bytesOf(samples).length / frameBytes(format),
          });
          const expected = atTheJack(samples, format);
          expect(bench.lineOut.takes).toHaveLength(1);
          expect(bench.lineOut.takes[0]?.format.sampleRate).toBe(format.sampleRate);
          const { sound, silentAfter } = soundIn(bench.heard, expected.length);
          expect(Buffer.compare(bytesOf(sound), bytesOf(expected))).toBe(0);
          expect(silentAfter).toBe(true);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('records every format from 5 to 44.1 kHz bit by bit (property)', () => {
    fc.assert(
      fc.property(
        anyFormat,
        fc.integer({ min: 40, max: 300 }),
        fc.integer({ min: 1, max: 10_000 }),
        (format, bufferMs, frames) => {
          const { sampleRate } = format;
          const input = noise(2 * (frames + sampleRate), 9);
          using bench = new Bench({ lineIn: new ArraySource(input, { sampleRate, channels: 2 }) });
          const sink = new MemoryPcmWriter(format);
          const stream = bench.record(sink, frames, format, bufferMs);
          stream.start();
          expect(bench.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(stream.statistics().glitches).toBe(0);
          expect(sink.bytes.length).toBe(frames * frameBytes(format));
          expectRecorded(sink.bytes, input, format);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('plays 16 bits and records 8 at the same time, bit by bit', () => {
    const input = noise(4 * 22_050, 3);
    using bench = new Bench({ lineIn: new ArraySource(input, { sampleRate: 22_050, channels: 2 }) });
    const samples = noise(2 * 22_050).map((value) => value | 1);
    const out = bench.play(samples, audioFormat({ sampleRate: 22_050 }));
    const format = audioFormat({ sampleRate: 22_050, channels: 1, containerBits: 8 });
    const sink = new MemoryPcmWriter(format);
    const record = bench.record(sink, 20_000, format);
    out.start();
    record.start();
    expect(bench.run(() => out.ended && record.ended)).toBe(true);
    expect([out.error, record.error]).toEqual([null, null]);
    const { sound } = soundIn(bench.heard, samples.length);
    expect(Buffer.compare(bytesOf(sound), bytesOf(samples))).toBe(0);
    expectRecorded(sink.bytes, input, format);
  });

  test('goes on after sleep where the sound had been, though the card begins anew', () => {
    for (const containerBits of [8, 16] as const) {
      using bench = new Bench();
      const format = audioFormat({ sampleRate: 44_100, containerBits });
      const samples = noise(2 * 44_100).map((value) => value | 0x0101);
      const stream = bench.play(samples, format, 100);
      stream.start();
      bench.pass(333);
      bench.machine.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
      bench.pass(500);
      bench.machine.kernel.pnp.setSystemPowerState(PowerSystemWorking);
      const before = stream.statistics().positionFrames;
      expect(before).toBeGreaterThan(0.3 * 44_100);
      expect(bench.run(() => stream.ended)).toBe(true);
      expect(stream.error).toBe(null);
      const expected = atTheJack(samples, format);
      // Everything is heard once and in its order: what the FIFO held when the power went is played again.
      const played = bench.lineOut.takes
        .flatMap(({ samples }) => [...samples])
        .filter((sample) => sample !== 0);
      expect(Buffer.compare(bytesOf(Int16Array.from(played)), bytesOf(expected))).toBe(0);
    }
  });

  test('records on after sleep, and says that something is missing', () => {
    const format = audioFormat({ sampleRate: 22_050 });
    const input = noise(2 * 3 * 22_050, 5);
    using bench = new Bench({ lineIn: new ArraySource(input, { sampleRate: 22_050, channels: 2 }) });
    const sink = new MemoryPcmWriter(format);
    const stream = bench.record(sink, 22_050, format, 100);
    stream.start();
    bench.pass(300);
    bench.machine.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
    bench.pass(200);
    bench.machine.kernel.pnp.setSystemPowerState(PowerSystemWorking);
    expect(bench.run(() => stream.ended)).toBe(true);
    expect(stream.error).toBe(null);
    const before = sink.bytes.subarray(0, 4 * 6_000);
    const after = sink.bytes.subarray(4 * 7_500);
    expectRecorded(before, input, format);
    expectRecorded(after, input, format);
  });

  test('changes from stereo to mono and to another rate in the middle of a stream, bit by bit', () => {
    using bench = new Bench();
    const { kernel } = bench.machine;
    const { process } = bench.audio;
    const link = kernel
      .enter(() => ioGetDeviceInterfaces(KSCATEGORY_RENDER.toString()))
      .find((path) => path.toLowerCase().endsWith('\\wave'));
    const filter = process.createFile(link ?? '');
    const [stereo, mono] = [pcmFormat(44_100, 2, 16), pcmFormat(22_050, 1, 16)];
    const connect = standardPinConnect(0, stereo, {
      set: KSINTERFACESETID_Standard,
      id: KSINTERFACE_STANDARD_STREAMING,
      flags: 0,
    });
    const pin = new WavePinClient(kernel, process, process.createFile(pinCreateName(connect), filter), null);
    pin.setState(KSSTATE_PAUSE);
    const first = noise(20_000, 1).map((value) => value | 1);
    const second = noise(9_000, 2).map((value) => value | 1);
    const third = noise(10_000, 3).map((value) => value | 1);
    const packets = [
      pin.write(bytesOf(first)),
      pin.write(encodeDataFormat(mono), KSSTREAM_HEADER_OPTIONSF_TYPECHANGED),
      pin.write(bytesOf(second)),
      pin.write(encodeDataFormat(stereo), KSSTREAM_HEADER_OPTIONSF_TYPECHANGED),
      pin.write(bytesOf(third)),
    ];
    pin.setState(KSSTATE_RUN);
    bench.pass(2000);
    expect(packets.map(({ statusName }) => statusName)).toEqual(new Array(5).fill('STATUS_SUCCESS'));
    const takes = bench.lineOut.takes.map(({ format, samples }) => ({
      rate: format.sampleRate,
      sound: Int16Array.from([...samples].filter((sample) => sample !== 0)),
    }));
    expect(takes.map(({ rate }) => rate)).toEqual([44_100, 22_050, 44_100]);
    const expected = [first, atTheJack(second, audioFormat({ sampleRate: 22_050, channels: 1 })), third];
    for (const [index, { sound }] of takes.entries())
      expect(Buffer.compare(bytesOf(sound), bytesOf(expected[index] as Int16Array))).toBe(0);
    pin.setState(KSSTATE_STOP);
    pin.close();
    process.closeHandle(filter);
  });
});
