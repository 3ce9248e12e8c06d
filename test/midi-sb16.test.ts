import { describe, expect, it } from 'vitest';
import { install } from '../src/adapters/sb16/index.ts';
import {
  AudioClient,
  audioFormat,
  MemoryPcmReader,
  MidiClient,
  type TimedMidi,
} from '../src/client/index.ts';
import { MemorySink } from '../src/hardware/analog.ts';
import { MidiMemorySink, MidiMemorySource } from '../src/hardware/midi-memory.ts';
import { Sb16Card } from '../src/hardware/sb16/index.ts';
import { formatLeakReport } from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bytesOf, noise } from './support/ac97-bench.ts';

describe('wave and MIDI at once on the one interrupt of a Sound Blaster 16', () => {
  it('lose nothing: sound without glitches, bytes out on time, bytes in with their times, notes on the OPL3', () => {
    const machine = new SimMachine();
    const sound = new MemorySink();
    const midiOut = new MidiMemorySink();
    const midiIn = new MidiMemorySource();
    machine.plugIsa(new Sb16Card({ lineOut: sound, midiOut, midiIn }));
    machine.installDriver(install);
    machine.start();
    const audio = new AudioClient(machine.kernel);
    const midi = new MidiClient(machine.kernel, audio.process);
    const now = () => machine.kernel.clock.now;
    const run = (done: () => boolean) => machine.runUntil(done, now() + 20 * 10_000_000);

    const frames = 44_100;
    const wave = audio.openRender(audio.endpoint('render'), {
      source: new MemoryPcmReader(audioFormat({ sampleRate: 44_100 }), bytesOf(noise(2 * frames))),
    });
    const events: TimedMidi[] = Array.from({ length: 300 }, (_, index) => ({
      time100ns: index * 33_333,
      bytes: Uint8Array.of(0x90, index & 0x7f, 64),
    }));
    const out = midi.openOut(midi.endpoint('out', 'MIDI port'), { events });
    const fm = midi.openOut(midi.endpoint('out', 'FM'), { events });
    const heard: TimedMidi[] = [];
    const input = midi.openIn(midi.endpoint('in'), { onMessage: (message) => heard.push(message) });

    wave.start();
    input.start();
    fm.start();
    out.start();
    const start = now();
    const sent = Array.from({ length: 300 }, (_, index) => {
      const tick = start + index * 31_001;
      midiIn.send([0xb0, index & 0x7f, index & 1], tick);
      return tick - start;
    });
    expect(run(() => wave.ended && out.ended && fm.ended && heard.length === 300)).toBe(true);

    expect([wave.error, out.error, fm.error, input.error]).toEqual([null, null, null, null]);
    expect(wave.statistics()).toMatchObject({ glitches: 0, frames });
    expect(midiOut.bytes).toEqual(Uint8Array.from(events.flatMap(({ bytes }) => [...bytes])));
    for (const [index, { time100ns }] of events.entries()) {
      const late = (midiOut.startTicks[index * 3] ?? 0) - start - time100ns;
      expect(late).toBeGreaterThanOrEqual(-100);
      expect(late).toBeLessThan(10_000);
    }
    expect(heard.map(({ bytes }) => [...bytes])).toEqual(
      sent.map((_, index) => [0xb0, index & 0x7f, index & 1]),
    );
    for (const [index, { time100ns }] of heard.entries())
      expect(Math.abs(time100ns - (sent[index] ?? 0) - 3200)).toBeLessThan(15_000);
    expect(fm.statistics().events).toBe(300);
    expect(machine.trace.findings.map(({ text }) => text)).toEqual([]);

    midi.close();
    audio.close();
    expect(formatLeakReport(machine.dispose())).toBe('');
  });
});
