import { describe, expect, test } from 'vitest';
import { MIDI_BYTE_TICKS, MidiMemorySink, MidiMemorySource } from './midi-memory.ts';

test('a byte is 320 µs on the wire', () => {
  expect(MIDI_BYTE_TICKS).toBe(3200);
});

test('the recorder keeps bytes and times, and hands out copies', () => {
  const sink = new MidiMemorySink();
  sink.write(0x90, 100);
  sink.write(0x40, 3300);
  const { bytes, startTicks } = sink;
  expect(sink.recorded).toEqual([
    { byte: 0x90, startTick: 100 },
    { byte: 0x40, startTick: 3300 },
  ]);
  sink.write(0x7f, 6500);
  expect([bytes.length, startTicks.length, sink.length]).toEqual([2, 2, 3]);
  sink.clear();
  expect([sink.length, sink.bytes.length]).toEqual([0, 0]);
});

describe('the player', () => {
  test('bytes that are sent together follow each other without a gap, and later ones wait for the wire', () => {
    const source = new MidiMemorySource();
    expect(source.nextByteTick).toBeNull();
    source.send([1, 2], 1000);
    source.send([3], 2000);
    source.send([4], 50_000);
    const heard: [number, number][] = [];
    for (let tick = source.nextByteTick; tick !== null; tick = source.nextByteTick)
      heard.push([tick, source.readByte()]);
    expect(heard).toEqual([
      [4200, 1],
      [7400, 2],
      [10_600, 3],
      [53_200, 4],
    ]);
    expect(() => source.readByte()).toThrow(RangeError);
  });

  test('the receiver is woken when the wire was empty, and only then', () => {
    const source = new MidiMemorySource();
    let woken = 0;
    source.connect(() => woken++);
    source.send([], 0);
    expect(woken).toBe(0);
    source.send([1], 0);
    source.send([2], 0);
    expect(woken).toBe(1);
    source.readByte();
    source.readByte();
    source.send([3], 0);
    expect(woken).toBe(2);
  });
});
