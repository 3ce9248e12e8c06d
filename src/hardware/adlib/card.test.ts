import { describe, expect, it } from 'vitest';
import { findCard } from '../../catalog.ts';
import { MidiClient } from '../../client/index.ts';
import { formatLeakReport } from '../../kernel/index.ts';
import { SimMachine } from '../../machines/sim/index.ts';
import { MemorySink } from '../analog.ts';
import { ADLIB_PORT, AdlibCard } from './card.ts';

function bare() {
  const machine = new SimMachine();
  const sink = new MemorySink();
  const slot = machine.plugIsa(new AdlibCard({ output: sink }));
  const { platform } = machine;
  const write = (register: number, value: number) => {
    platform.writePort(ADLIB_PORT, 1, register);
    platform.writePort(ADLIB_PORT + 1, 1, value);
  };
  return { machine, sink, slot, platform, write };
}

/** A note that sounds until its key is released. */
const NOTE: readonly (readonly [number, number])[] = [
  [0x20, 0x21],
  [0x23, 0x21],
  [0x40, 0x10],
  [0x43, 0x00],
  [0x60, 0xf0],
  [0x63, 0xf0],
  [0x80, 0x0f],
  [0x83, 0x0f],
  [0xa0, 0x98],
  [0xb0, 0x31],
];

describe('the AdLib card', () => {
  it('has the status bits of a YM3812 and its timers, and no second bank', () => {
    const { machine, platform, write } = bare();
    expect(platform.readPort(ADLIB_PORT, 1) & 0x06).toBe(0x06);
    write(4, 0x60);
    write(4, 0x80);
    write(2, 0xff);
    write(4, 0x21);
    machine.runFor(1000);
    expect(platform.readPort(ADLIB_PORT, 1) & 0xe0).toBe(0xc0);
    expect(platform.readPort(ADLIB_PORT + 2, 1)).toBe(0xff);
    machine.dispose();
  });

  it('gives its sound every 10 ms while it plays, and rests when it is silent', () => {
    const { machine, sink, write } = bare();
    for (const [register, value] of NOTE) write(register, value);
    machine.runFor(205_000);
    expect(sink.frames / 49_716).toBeCloseTo(0.02, 3);
    write(0xb0, 0x11);
    machine.runFor(50_000_000);
    const { frames } = sink;
    machine.runFor(50_000_000);
    expect(sink.frames).toBe(frames);
    expect(sink.takes.flatMap(({ samples }) => [...samples]).some((sample) => Math.abs(sample) > 1000)).toBe(
      true,
    );
    machine.dispose();
  });

  it('answers no more when it is pulled out, and its driver takes leave; plugged in again it is found again', () => {
    const card = findCard('adlib');
    if (!card) throw new Error('no adlib');
    const machine = new SimMachine();
    const plugged = card.plug(machine, {});
    machine.installDriver(card.driver);
    machine.start();
    const midi = new MidiClient(machine.kernel);
    const events = Array.from({ length: 100 }, (_, index) => ({
      time100ns: index * 100_000,
      bytes: Uint8Array.of(index % 2 === 0 ? 0x90 : 0x80, 60, 100),
    }));
    const stream = midi.openOut(midi.endpoint('out'), { events });
    stream.start();
    machine.runFor(3_000_000);
    machine.unplug(plugged.slot);
    machine.runFor(1_000_000);
    expect(machine.platform.readPort(ADLIB_PORT, 1)).toBe(0xff);
    expect(stream.ended).toBe(true);
    card.plug(machine, {});
    machine.runFor(1_000_000);
    expect(midi.endpoints()).toHaveLength(1);
    midi.close();
    expect(formatLeakReport(machine.dispose())).toBe('');
  });
});
