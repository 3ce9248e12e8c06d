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
import { encodeUlong, KsObject } from '../src/client/requests/ks-object.ts';
import { RequestPin, StreamPacket } from '../src/client/streams/request-pin.ts';
import { ArraySource, MemorySink } from '../src/hardware/analog.ts';
import { Es1370Card, type Es1370CardOptions } from '../src/hardware/es1370/index.ts';
import { MidiMemorySink, MidiMemorySource } from '../src/hardware/midi-memory.ts';
import { formatLeakReport, PowerSystemSleeping3, PowerSystemWorking } from '../src/kernel/index.ts';
import {
  KSPROPERTY_CONNECTION_STATE,
  KSPROPSETID_Connection,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
} from '../src/ks/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bytesOf, noise, soundIn } from './support/ac97-bench.ts';

/** Pin factory of the wave filter. */
const DAC1_PIN = 2;

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

  play(samples: Int16Array, format: AudioFormat = audioFormat({ sampleRate: 44_100 }), bufferMs = 40) {
    return this.audio.openRender(this.audio.endpoint('render', 'Speakers'), {
      source: new MemoryPcmReader(format, bytesOf(samples)),
      format,
      bufferMs,
    });
  }

  /** Plays on DAC1, which no endpoint leads to as long as DAC2 does: the pin is opened and one request is sent. */
  playOnDac1(samples: Int16Array): {
    readonly start: () => void;
    readonly ended: boolean;
    readonly close: () => void;
  } {
    const { process } = this.audio;
    const path = this.audio.filterPaths().find((one) => one.toLowerCase().endsWith('\\wave')) ?? '';
    const filter = process.createFile(path);
    const handle = process.createFile(
      pinCreateName(standardPinConnect(DAC1_PIN, pcmFormat(44_100, 2, 16))),
      filter,
    );
    const pin = new RequestPin(process, new KsObject(process, handle));
    const bytes = bytesOf(samples);
    const address = process.allocateMemory(bytes.length);
    process.writeMemory(address, bytes);
    const setState = (state: number) =>
      pin.object.set(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, encodeUlong(state));
    setState(KSSTATE_PAUSE);
    const packet = new StreamPacket(address, 0, bytes.length, () => {});
    packet.prepare(bytes.length, true);
    pin.send(packet, false);
    return {
      start: () => setState(KSSTATE_RUN),
      get ended() {
        return !packet.pending;
      },
      close: () => {
        setState(KSSTATE_STOP);
        process.closeHandle(handle);
        process.closeHandle(filter);
      },
    };
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
          // Whole frames; without a sample of silence, so that sound can be told from it.
          const samples = noise(count * 2).map((value) => value | 0x0101);
          const stream = bench.play(samples, format, bufferMs);
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

  test('both DACs play at once, and the card adds them up', () => {
    using bench = new Bench();
    const one = noise(44_100, 3).map((value) => value >> 2);
    const two = noise(44_100, 7).map((value) => value >> 2);
    const first = bench.play(one);
    const second = bench.playOnDac1(two);
    first.start();
    second.start();
    expect(bench.run(() => first.ended && second.ended)).toBe(true);
    expect(first.error).toBe(null);
    second.close();
    // Where the second one begins depends on how long the first took to start: it is searched for.
    const played = take(bench);
    const sums = (lag: number, from: number): boolean => {
      for (let at = from; at < from + 2000; at++)
        if (played[at] !== (one[at] ?? 0) + (two[at - lag] ?? 0)) return false;
      return true;
    };
    const lag = Array.from({ length: 4000 }, (_, at) => (at - 2000) * 2).find((each) => sums(each, 8000));
    expect(lag).toBeDefined();
    expect(sums(lag ?? 0, 30_000)).toBe(true);
  });

  test('plays on both DACs and records at the same time', () => {
    const input = noise(2 * 44_100 * 3, 11);
    using bench = new Bench({ lineIn: new ArraySource(input, { sampleRate: 44_100, channels: 2 }) });
    const sink = new MemoryPcmWriter(audioFormat({ sampleRate: 44_100 }));
    const capture = bench.audio.openCapture(bench.audio.endpoint('capture', 'Line'), {
      sink,
      frames: 22_050,
    });
    const dac1 = bench.playOnDac1(noise(44_100, 3));
    const dac2 = bench.play(noise(44_100, 7));
    for (const stream of [capture, dac1, dac2]) stream.start();
    expect(bench.run(() => [capture, dac1, dac2].every(({ ended }) => ended))).toBe(true);
    for (const stream of [capture, dac2]) {
      expect(stream.error).toBe(null);
      expect(stream.statistics().glitches).toBe(0);
    }
    dac1.close();
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
