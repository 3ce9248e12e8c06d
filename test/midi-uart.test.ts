import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientError, MidiClient, readMidiFile, type TimedMidi, writeMidiFile } from '../src/client/index.ts';
import { MidiMessageParser } from '../src/ks/index.ts';
import { MidiBench } from './support/midi-bench.ts';

const note = (time100ns: number, key: number, velocity = 100): TimedMidi => ({
  time100ns,
  bytes: Uint8Array.of(0x90, key, velocity),
});

/** Plays to the end; the tick at which the stream began. */
function play(bench: MidiBench, events: readonly TimedMidi[], options: { packMs?: number } = {}) {
  const stream = bench.midi.openOut(bench.midi.endpoint('out', 'MIDI port'), { events, ...options });
  stream.start();
  const start = bench.now;
  expect(bench.run(() => stream.ended)).toBe(true);
  expect(stream.error).toBe(null);
  const statistics = stream.statistics();
  stream.close();
  // The interface still has a byte of its own.
  bench.pass(1);
  return { start, statistics };
}

describe('the UART miniport', () => {
  it('is found as a MIDI port in both directions', () => {
    using bench = new MidiBench();
    expect(
      bench.midi.endpoints().map(({ name, direction, technology }) => ({ name, direction, technology })),
    ).toEqual([
      { name: 'FM synthesizer', direction: 'out', technology: 'fmSynth' },
      { name: 'MIDI port', direction: 'out', technology: 'port' },
      { name: 'MIDI port', direction: 'in', technology: 'port' },
    ]);
    expect(bench.mpu.uartMode).toBe(true);
    expect(bench.findings()).toEqual([]);
  });

  it.each([{ packMs: 0 }, { packMs: 50 }])(
    'brings bytes to the connector on time to 1 ms, %o',
    ({ packMs }) => {
      using bench = new MidiBench();
      const events = Array.from({ length: 200 }, (_, index) => note(index * 73_300, 40 + (index % 40)));
      const { start, statistics } = play(bench, events, { packMs });
      const { recorded } = bench.midiOut;
      expect(recorded.map(({ byte }) => byte)).toEqual(events.flatMap(({ bytes }) => [...bytes]));
      for (const [index, { time100ns }] of events.entries()) {
        const late = (recorded[index * 3]?.startTick ?? 0) - start - time100ns;
        // Packed records have whole milliseconds as distances, rounded down.
        expect(late).toBeGreaterThanOrEqual(packMs === 0 ? 0 : -10_000);
        expect(late).toBeLessThan(10_000);
        // And the message goes out in one piece.
        expect(
          (recorded[index * 3 + 2]?.startTick ?? 0) - (recorded[index * 3]?.startTick ?? 0),
        ).toBeLessThanOrEqual(6500);
      }
      expect(statistics.events).toBe(200);
      expect(statistics.latenessMs.max).toBeLessThan(1);
      expect(bench.findings()).toEqual([]);
    },
  );

  it('keeps the wire full with system exclusive messages of any length, and respects DRR', () => {
    using bench = new MidiBench();
    const sysex = Uint8Array.from({ length: 3000 }, (_, index) =>
      index === 0 ? 0xf0 : index === 2999 ? 0xf7 : index & 0x7f,
    );
    play(bench, [{ time100ns: 0, bytes: sysex }, note(0, 60)]);
    expect(bench.midiOut.bytes).toEqual(Uint8Array.of(...sysex, 0x90, 60, 100));
    const ticks = bench.midiOut.startTicks;
    // 320 µs a byte; at most one in a hundred waits for a timer.
    expect((ticks[2999] ?? 0) - (ticks[0] ?? 0)).toBeLessThan(3000 * 3200 * 1.05);
    expect(bench.findings()).toEqual([]);
  });

  it('sends what it has before the stream stops', () => {
    using bench = new MidiBench();
    play(bench, [note(0, 60), note(0, 61), note(0, 62), note(0, 63)]);
    expect(bench.midiOut.length).toBe(12);
  });

  it.each([
    { name: 'by interrupt', interrupt: true },
    { name: 'by looking every millisecond', interrupt: false },
  ])('captures $name: messages with rising times within 1 ms', ({ interrupt }) => {
    using bench = new MidiBench({ interrupt });
    const heard: TimedMidi[] = [];
    const stream = bench.midi.openIn(bench.midi.endpoint('in'), {
      onMessage: (message) => heard.push(message),
    });
    stream.start();
    const start = bench.now;
    const sent: { tick: number; bytes: number[] }[] = [];
    for (let index = 0; index < 50; index++) {
      const tick = start + index * 77_777;
      const bytes = index % 10 === 9 ? [0xf0, 1, 2, 3, 4, 5, 6, 7, 8, 0xf7] : [0x90, 40 + index, 90];
      bench.midiIn.send(bytes, tick);
      sent.push({ tick, bytes });
    }
    bench.pass(500);
    expect(heard.map(({ bytes }) => [...bytes])).toEqual(sent.map(({ bytes }) => bytes));
    for (const [index, { time100ns }] of heard.entries()) {
      // The receiver has the first byte 320 µs after its start bit.
      const late = time100ns - ((sent[index]?.tick ?? 0) - start + 3200);
      expect(late).toBeGreaterThanOrEqual(-10_000);
      expect(late).toBeLessThanOrEqual(10_000);
      expect(time100ns).toBeGreaterThanOrEqual(heard[index - 1]?.time100ns ?? 0);
    }
    expect(stream.statistics()).toMatchObject({ messages: 50, gaps: 0 });
    stream.close();
    expect(bench.findings()).toEqual([]);
  });

  it('plays and captures at once on one interrupt', () => {
    using bench = new MidiBench();
    const heard: TimedMidi[] = [];
    const input = bench.midi.openIn(bench.midi.endpoint('in'), {
      onMessage: (message) => heard.push(message),
    });
    input.start();
    for (let index = 0; index < 100; index++) bench.midiIn.send([0x90, index, 1], bench.now + index * 30_000);
    play(
      bench,
      Array.from({ length: 100 }, (_, index) => note(index * 25_000, index)),
    );
    bench.pass(100);
    expect(bench.midiOut.length).toBe(300);
    expect(heard).toHaveLength(100);
    input.close();
  });

  it('lets go of bytes that nobody listens for, and of the interrupt line', () => {
    using bench = new MidiBench();
    bench.midiIn.send([0x90, 60, 100], bench.now);
    bench.pass(10);
    expect(bench.mpu.receivedBytes).toBe(0);
    const heard: TimedMidi[] = [];
    const stream = bench.midi.openIn(bench.midi.endpoint('in'), {
      onMessage: (message) => heard.push(message),
    });
    stream.start();
    bench.pass(10);
    expect(heard).toEqual([]);
    stream.close();
    expect(bench.findings()).toEqual([]);
  });

  it('gives one stream in each direction', () => {
    using bench = new MidiBench();
    const endpoint = bench.midi.endpoint('out', 'MIDI port');
    const first = bench.midi.openOut(endpoint, { events: [] });
    expect(() => bench.midi.openOut(endpoint, { events: [] })).toThrow(ClientError);
    first.close();
    bench.midi.openOut(endpoint, { events: [] }).close();
  });

  it('works with an interface that is silent when reset in UART mode, and with a slow one', () => {
    using bench = new MidiBench({ mpu: { acknowledgesResetInUartMode: false, commandTicks: 140_000 } });
    // Sleep and waking reset it again, now out of UART mode.
    play(bench, [note(0, 60)]);
    expect(bench.midiOut.length).toBe(3);
  });

  it('fails the start of the device when no interface answers, by the name of the register', () => {
    using bench = new MidiBench({ missing: 'mpu' });
    expect(bench.midi.endpoints()).toEqual([]);
  });

  it('a removal in the middle of the music ends the stream with a readable error', () => {
    using bench = new MidiBench();
    const stream = bench.midi.openOut(bench.midi.endpoint('out', 'MIDI port'), {
      events: Array.from({ length: 100 }, (_, index) => note(index * 100_000, 60)),
    });
    stream.start();
    bench.pass(55);
    bench.machine.kernel.enter(() => bench.machine.kernel.pnp.surpriseRemove('isa:midi'));
    bench.pass(100);
    expect(stream.state).toBe('failed');
    expect(stream.error?.message).toContain('STATUS_DEVICE_REMOVED');
    expect(bench.midiOut.length).toBe(18);
  });

  it('any messages sent out and back in are the same, from a file and in one', () => {
    const message = fc.oneof(
      fc
        .tuple(fc.constantFrom(0x80, 0x90, 0xa0, 0xb0, 0xe0), fc.nat(15), fc.nat(127), fc.nat(127))
        .map(([kind, channel, a, b]) => Uint8Array.of(kind | channel, a, b)),
      fc
        .tuple(fc.constantFrom(0xc0, 0xd0), fc.nat(15), fc.nat(127))
        .map(([kind, channel, a]) => Uint8Array.of(kind | channel, a)),
      fc.array(fc.nat(127), { maxLength: 40 }).map((data) => Uint8Array.of(0xf0, ...data, 0xf7)),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200_000), message), { maxLength: 40 }), (steps) => {
        using bench = new MidiBench();
        let time100ns = 0;
        const events = steps.map(([step, bytes]) => {
          time100ns += step;
          return { time100ns, bytes };
        });
        const score = readMidiFile(writeMidiFile(events));
        expect(score.events.map(({ bytes }) => [...bytes])).toEqual(events.map(({ bytes }) => [...bytes]));
        play(bench, score.events);
        const heard: number[][] = [];
        const parser = new MidiMessageParser({
          message: (status, a, b, length) => heard.push([status, a, b].slice(0, length)),
          systemExclusive: (bytes) => heard.push([...bytes]),
        });
        parser.pushAll(bench.midiOut.bytes);
        expect(heard).toEqual(events.map(({ bytes }) => [...bytes]));
        const file = readMidiFile(
          writeMidiFile(
            bench.midiOut.recorded.map(({ byte, startTick }) => ({
              time100ns: startTick,
              bytes: Uint8Array.of(byte),
            })),
          ),
        );
        expect(file.events.map(({ bytes }) => [...bytes])).toEqual(heard);
        expect(bench.findings()).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it('two applications share the driver', () => {
    using bench = new MidiBench();
    using other = new MidiClient(bench.machine.kernel);
    const fm = other.openOut(other.endpoint('out', 'FM'), { events: [note(0, 60)] });
    fm.start();
    play(bench, [note(0, 60)]);
    expect(bench.run(() => fm.ended)).toBe(true);
  });
});
