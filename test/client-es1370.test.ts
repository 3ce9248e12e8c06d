import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as es1370 from '../src/adapters/es1370/index.ts';
import {
  AudioClient,
  type AudioFormat,
  audioFormat,
  frameBytes,
  MemoryPcmReader,
  MemoryPcmWriter,
  MidiClient,
} from '../src/client/index.ts';
import { ArraySource, MemorySink } from '../src/hardware/analog.ts';
import { Es1370Card, type Es1370CardOptions } from '../src/hardware/es1370/index.ts';
import { MidiMemorySink, MidiMemorySource } from '../src/hardware/midi-memory.ts';
import { formatLeakReport, PowerSystemSleeping3, PowerSystemWorking } from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bytesOf, noise, soundIn } from './support/ac97-bench.ts';
import { unmix } from './support/mix.ts';

/** A PC with the card, its driver started, and an application. */
class Bench implements Disposable {
  readonly machine = new SimMachine();
  readonly lineOut = new MemorySink();
  readonly card: Es1370Card;
  readonly slot: string;
  readonly audio: AudioClient;

  constructor(options: Es1370CardOptions = {}) {
    this.card = new Es1370Card({ lineOut: this.lineOut, ...options });
    this.slot = this.machine.plugPci(this.card);
    this.machine.installDriver(es1370.install);
    this.machine.start();
    this.audio = new AudioClient(this.machine.kernel);
  }

  run(done: () => boolean, seconds = 60): boolean {
    return this.machine.runUntil(done, this.machine.kernel.clock.now + seconds * 10_000_000);
  }

  pass(milliseconds: number): void {
    this.machine.runFor(milliseconds * 10_000);
  }

  play(
    samples: Int16Array,
    format: AudioFormat = audioFormat({ sampleRate: 44_100 }),
    bufferMs = 40,
    pin?: string,
  ) {
    return this.audio.openRender(this.audio.endpoint('render', 'Speakers'), {
      source: new MemoryPcmReader(format, bytesOf(samples)),
      format,
      bufferMs,
      ...(pin === undefined ? {} : { pin }),
    });
  }

  get findings(): readonly string[] {
    return this.machine.kernel.trace.findings.map(({ text }) => text);
  }

  [Symbol.dispose](): void {
    this.audio.close();
    expect(this.findings).toEqual([]);
    expect(formatLeakReport(this.machine.dispose())).toBe('');
  }
}

/** What the card makes of a stream's bytes at 0 dB: 16 bits, both sides. */
function heard(samples: Int16Array, { channels, containerBits }: AudioFormat): Int16Array {
  const values =
    containerBits === 16 ? samples : Int16Array.from(bytesOf(samples), (byte) => (byte - 128) << 8);
  return channels === 2
    ? values
    : Int16Array.from({ length: values.length * 2 }, (_, at) => values[at >> 1] as number);
}

function take(bench: Bench): Int16Array {
  const { samples } = bench.lineOut.takes.at(-1) ?? { samples: new Int16Array(0) };
  return samples instanceof Int16Array ? samples : new Int16Array(0);
}

describe('an application on the ES1370', () => {
  test('plays every format of the card bit by bit (property)', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(44_100, 22_050, 11_025, 8_820, 5_600, 8_000),
        fc.constantFrom(1, 2),
        fc.constantFrom(8 as const, 16 as const),
        fc.integer({ min: 40, max: 300 }),
        fc.integer({ min: 1, max: 20_000 }),
        (sampleRate, channels, containerBits, bufferMs, count) => {
          using bench = new Bench();
          const format = audioFormat({ sampleRate, channels, containerBits });
          // Slow streams read ahead for longer and end their requests less often.
          const lead = bufferMs + (sampleRate * channels * containerBits < 128_000 ? 40 : 0);
          // Whole frames; without a sample of silence, so that sound can be told from it.
          const samples = noise(count * 2).map((value) => value | 0x0101);
          const stream = bench.play(samples, format, lead);
          stream.start();
          expect(bench.run(() => stream.ended)).toBe(true);
          expect(stream.error).toBe(null);
          expect(stream.statistics()).toMatchObject({
            glitches: 0,
            positionFrames: bytesOf(samples).length / frameBytes(format),
          });
          const expected = heard(samples, format);
          const { sound, silentAfter } = soundIn(take(bench), expected.length);
          expect(Buffer.compare(bytesOf(sound), bytesOf(expected))).toBe(0);
          expect(silentAfter).toBe(true);
        },
      ),
      { numRuns: 25 },
    );
  });

  test('the speakers are reached by two pins, and the second is taken when the first is busy', () => {
    using bench = new Bench();
    const speakers = bench.audio.endpoint('render', 'Speakers');
    expect(speakers.pins.map(({ id, name }) => [id, name])).toEqual([
      [0, 'Wave'],
      [2, 'Wave 2'],
    ]);
    const instances = () => speakers.pins.map((pin) => pin.instances());
    const free = { current: 0, possible: 1 };
    const taken = { current: 1, possible: 1 };
    expect(instances()).toEqual([free, free]);
    const first = bench.play(noise(100));
    expect([first.pinName, instances()]).toEqual(['Wave', [taken, free]]);
    const second = bench.play(noise(100));
    expect([second.pinName, instances()]).toEqual(['Wave 2', [taken, taken]]);
    expect(() => bench.play(noise(100))).toThrow(
      "All pins of 'Speakers' are in use: 'Wave', 'Wave 2'. Close a stream on one of them first.",
    );
    expect(() => bench.play(noise(100), undefined, 40, 'wave 2')).toThrow(
      /Cannot open a stream .* 'Speakers'.*STATUS_INSUFFICIENT_RESOURCES/,
    );
    expect(() => bench.play(noise(100), undefined, 40, 'Wave 3')).toThrow(
      "'Speakers' has no pin 'Wave 3'. There is 'Wave' (0), 'Wave 2' (2).",
    );
    first.close();
    expect(instances()).toEqual([free, taken]);
    const again = bench.play(noise(100), undefined, 40, '0');
    expect(again.pinName).toBe('Wave');
    second.close();
    again.close();
    const named = bench.play(noise(100), undefined, 40, 'WAVE 2');
    expect([named.pinName, instances()]).toEqual(['Wave 2', [free, taken]]);
  });

  test('a pin whose clock a recording needs at another rate gives way to the other pin', () => {
    using bench = new Bench({
      lineIn: new ArraySource(noise(1000), { sampleRate: 22_050, channels: 2 }, { loop: true }),
    });
    const format = audioFormat({ sampleRate: 22_050 });
    const capture = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line'), {
      sink: new MemoryPcmWriter(format),
      format,
    });
    expect(bench.play(noise(100)).pinName).toBe('Wave 2');
    expect(() => bench.play(noise(100))).toThrow(/All pins of 'Speakers' are in use/);
    expect(bench.play(noise(100), format).pinName).toBe('Wave');
    // Neither this divisor nor one of DAC1's rates.
    expect(() => bench.play(noise(100), audioFormat({ sampleRate: 48_000 }), 40, 'Wave')).toThrow(
      /48000|48 kHz|48,000/,
    );
    capture.close();
  });

  test('both DACs play at once, and the card adds them up', () => {
    // Loud enough for the sum to saturate in some places, at others not.
    for (const shift of [2, 0]) {
      using bench = new Bench();
      const one = noise(44_100, 3).map((value) => (value >> shift) | 1);
      const two = noise(44_100, 7).map((value) => (value >> shift) | 1);
      const streams = [bench.play(one), bench.play(two)];
      for (const stream of streams) stream.start();
      expect(bench.run(() => streams.every(({ ended }) => ended))).toBe(true);
      expect(streams.map(({ error }) => error)).toEqual([null, null]);
      const mix = unmix(take(bench), [one, two]);
      expect(mix.difference).toBe(null);
      expect(mix.saturated > 0).toBe(shift === 0);
    }
  });

  test('plays on both DACs and records at the same time', () => {
    const input = noise(2 * 44_100 * 3, 11);
    using bench = new Bench({ lineIn: new ArraySource(input, { sampleRate: 44_100, channels: 2 }) });
    const sink = new MemoryPcmWriter(audioFormat({ sampleRate: 44_100 }));
    const capture = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line'), {
      sink,
      frames: 22_050,
    });
    const sounds = [noise(44_100, 3), noise(44_100, 7)];
    const all = [capture, ...sounds.map((samples) => bench.play(samples))];
    for (const stream of all) stream.start();
    expect(bench.run(() => all.every(({ ended }) => ended))).toBe(true);
    for (const stream of all) {
      expect(stream.error).toBe(null);
      expect(stream.statistics().glitches).toBe(0);
    }
    expect(unmix(take(bench), sounds).difference).toBe(null);
    const recorded = new Int16Array(sink.bytes.slice().buffer);
    const at = input.indexOf(recorded[100] as number);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(
      Buffer.compare(bytesOf(recorded), bytesOf(input.subarray(at - 100, at - 100 + recorded.length))),
    ).toBe(0);
  });

  test('a pause loses and repeats nothing; sleep neither', () => {
    for (const interruption of ['pause', 'sleep'] as const) {
      using bench = new Bench();
      const samples = noise(44_100, 5);
      const stream = bench.play(samples);
      stream.start();
      bench.pass(137);
      if (interruption === 'pause') stream.pause();
      else bench.machine.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
      bench.pass(400);
      if (interruption === 'pause') stream.resume();
      else bench.machine.kernel.pnp.setSystemPowerState(PowerSystemWorking);
      expect(bench.run(() => stream.ended)).toBe(true);
      expect(stream.error).toBe(null);
      const played = take(bench).filter((value) => value !== 0);
      expect(Buffer.compare(bytesOf(played), bytesOf(samples))).toBe(0);
    }
  });

  test('pulled out while it plays and records, the card leaves nothing behind', () => {
    using bench = new Bench({
      lineIn: new ArraySource(noise(1000), { sampleRate: 44_100, channels: 2 }, { loop: true }),
    });
    const sink = new MemoryPcmWriter(audioFormat({ sampleRate: 44_100 }));
    const capture = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line'), { sink });
    const stream = bench.play(noise(400_000));
    capture.start();
    stream.start();
    bench.pass(123);
    bench.machine.unplug(bench.slot);
    bench.pass(100);
    expect([stream.state, capture.state]).toEqual(['failed', 'failed']);
  });

  test('the mixer’s controls reach the codec', () => {
    using bench = new Bench();
    const controls = bench.audio.controls();
    const register = (name: string) => bench.card.codecRegisters().find((each) => each.name === name)?.value;
    controls.set(controls.find('Master Volume'), [-10, -20]);
    expect([register('LMASTER'), register('RMASTER')]).toEqual([5, 10]);
    controls.set(controls.find('Wave 2 Volume'), 12);
    expect([register('LFM'), register('RFM')]).toEqual([0, 0]);
    controls.set(controls.find('CD Mute'), 0);
    expect(register('OUT_SW1')).toBe(0x66);
    controls.set(controls.find('Master Mute'), 1);
    expect([register('LMASTER'), register('RMASTER')]).toEqual([0x85, 0x8a]);
    bench.machine.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
    bench.machine.kernel.pnp.setSystemPowerState(PowerSystemWorking);
    expect([register('LMASTER'), register('OUT_SW1'), register('RESET')]).toEqual([0x85, 0x66, 3]);
  });

  test('MIDI leaves and arrives by the chip’s UART on time, while sound plays', () => {
    const midiOut = new MidiMemorySink();
    const midiIn = new MidiMemorySource();
    using bench = new Bench({ midiOut, midiIn });
    const { kernel } = bench.machine;
    const midi = new MidiClient(kernel, bench.audio.process);
    const events = Array.from({ length: 100 }, (_, index) => ({
      time100ns: index * 73_300,
      bytes: Uint8Array.of(0x90, 40 + (index % 40), 100),
    }));
    const out = midi.openOut(midi.endpoint('out'), { events });
    const heard: number[][] = [];
    const input = midi.openIn(midi.endpoint('in'), { onMessage: ({ bytes }) => heard.push([...bytes]) });
    const sound = bench.play(noise(44_100, 5));
    for (const stream of [sound, input, out]) stream.start();
    const start = kernel.clock.now;
    const sent = Array.from({ length: 60 }, (_, index) => [0x80, index, 64]);
    for (const [index, bytes] of sent.entries()) midiIn.send(bytes, start + index * 50_000);
    expect(bench.run(() => out.ended && sound.ended)).toBe(true);
    bench.pass(20);
    expect([out.error, input.error, sound.error]).toEqual([null, null, null]);
    expect([...midiOut.bytes]).toEqual(events.flatMap(({ bytes }) => [...bytes]));
    for (const [index, { time100ns }] of events.entries()) {
      const late = (midiOut.startTicks[index * 3] ?? 0) - start - time100ns;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThan(10_000);
    }
    expect(heard).toEqual(sent);
    expect(sound.statistics().glitches).toBe(0);
    input.close();
    out.close();
  });
});
