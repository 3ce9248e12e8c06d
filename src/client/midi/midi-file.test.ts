import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientError } from '../client-error.ts';
import { readMidiFile, type TimedMidi, writeMidiFile } from './index.ts';

const word = (value: number) => [value >> 8, value & 0xff];
const long = (value: number) => [...word(value >>> 16), ...word(value & 0xffff)];
const chunk = (id: string, data: readonly number[]) => [
  ...[...id].map((letter) => letter.charCodeAt(0)),
  ...long(data.length),
  ...data,
];
const header = (format: number, tracks: number, division: number) =>
  chunk('MThd', [...word(format), ...word(tracks), ...word(division)]);
const END = [0, 0xff, 0x2f, 0];
const file = (...chunks: readonly number[][]) => Uint8Array.from(chunks.flat());
/** A delta below 16384. */
const delta = (ticks: number) => (ticks < 128 ? [ticks] : [0x80 | (ticks >> 7), ticks & 0x7f]);
const events = (bytes: Uint8Array) =>
  readMidiFile(bytes).events.map(({ time100ns, bytes: message }) => [time100ns / 10_000, ...message]);

describe('standard MIDI files', () => {
  it('count 120 beats a minute unless told otherwise', () => {
    const score = readMidiFile(
      file(
        header(0, 1, 96),
        chunk('MTrk', [...delta(96), 0x90, 60, 100, ...delta(48), 0x80, 60, 64, ...delta(96), 0xff, 0x2f, 0]),
      ),
    );
    expect(score.events.map(({ time100ns, bytes }) => [time100ns, ...bytes])).toEqual([
      [5_000_000, 0x90, 60, 100],
      [7_500_000, 0x80, 60, 64],
    ]);
    expect(score).toMatchObject({ format: 0, tracks: 1, notes: 1, duration100ns: 12_500_000, warnings: [] });
    expect(score.timing).toBe('96 ticks a beat, 1 tempo');
  });

  it('of format 1 take their tempos from any track, and merge tracks in the order of time', () => {
    const tempo = (microseconds: number) => [
      0xff,
      0x51,
      3,
      microseconds >> 16,
      (microseconds >> 8) & 0xff,
      microseconds & 0xff,
    ];
    const bytes = file(
      header(1, 3, 100),
      chunk('MTrk', [0, ...tempo(1_000_000), ...delta(200), ...tempo(250_000), ...END]),
      chunk('MTrk', [...delta(100), 0x90, 60, 1, ...delta(200), 0x90, 61, 1, ...END]),
      chunk('MTrk', [...delta(100), 0x91, 62, 1, ...delta(150), 0x91, 63, 1, ...END]),
    );
    expect(events(bytes)).toEqual([
      [1000, 0x90, 60, 1],
      [1000, 0x91, 62, 1],
      [2125, 0x91, 63, 1],
      [2250, 0x90, 61, 1],
    ]);
    expect(readMidiFile(bytes).timing).toBe('100 ticks a beat, 2 tempos');
  });

  it('resolve running status, and keep note-ons of velocity 0', () => {
    expect(
      events(
        file(header(0, 1, 500), chunk('MTrk', [0, 0x90, 60, 100, ...delta(500), 60, 0, 0, 62, 5, ...END])),
      ),
    ).toEqual([
      [0, 0x90, 60, 100],
      [500, 0x90, 60, 0],
      [500, 0x90, 62, 5],
    ]);
  });

  it('have system exclusive messages whole, in pieces, and escaped bytes', () => {
    const bytes = file(
      header(0, 1, 500),
      chunk('MTrk', [
        ...[0, 0xf0, 4, 0x43, 1, 2, 0xf7],
        ...[10, 0xf0, 2, 0x43, 3],
        ...[10, 0xf7, 2, 4, 5],
        ...[10, 0xf7, 2, 6, 0xf7],
        ...[10, 0xf7, 1, 0xf8],
        ...END,
      ]),
    );
    expect(events(bytes)).toEqual([
      [0, 0xf0, 0x43, 1, 2, 0xf7],
      [30, 0xf0, 0x43, 3, 4, 5, 6, 0xf7],
      [40, 0xf8],
    ]);
  });

  it.each([
    [24, 40, 960, 1000],
    [25, 40, 1000, 1000],
    [30, 80, 2400, 1000],
    // Drop frame: 30 ÷ 1.001 frames a second.
    [29, 100, 3000, 1001],
  ])('count SMPTE time: %d frames a second of %d ticks', (frames, ticks, after, milliseconds) => {
    const division = ((256 - frames) << 8) | ticks;
    expect(events(file(header(0, 1, division), chunk('MTrk', [...delta(after), 0xc0, 7, ...END])))).toEqual([
      [milliseconds, 0xc0, 7],
    ]);
  });

  it('may be wrapped in RIFF, have foreign chunks, and end too early', () => {
    const track = chunk('MTrk', [0, 0xc0, 7, ...END]);
    const inner = [...header(0, 1, 96), ...chunk('XFIH', [1, 2, 3]), ...track];
    const riff = [...'RIFF'].map((letter) => letter.charCodeAt(0));
    const rmid = [...'RMIDdata'].map((letter) => letter.charCodeAt(0));
    expect(events(Uint8Array.from([...riff, 0, 0, 0, 0, ...rmid, 0, 0, 0, 0, ...inner]))).toEqual([
      [0, 0xc0, 7],
    ]);
    expect(readMidiFile(Uint8Array.from(inner)).warnings).toEqual(["a chunk 'XFIH' was left out"]);
    const cut = readMidiFile(
      file(header(0, 1, 96), chunk('MTrk', [0, 0xc0, 7, 0, 0x90, 60, 1, ...END])).subarray(0, -6),
    );
    expect(cut.events.map(({ bytes }) => bytes[0])).toEqual([0xc0]);
    expect(cut.warnings.length).toBeGreaterThan(0);
  });

  it.each([
    [
      'text',
      Uint8Array.from([...'Hello, world!'].map((letter) => letter.charCodeAt(0))),
      "does not begin with 'MThd'",
    ],
    ['nothing', new Uint8Array(0), "does not begin with 'MThd'"],
    ['a header alone', file(header(0, 1, 96)), 'has no track'],
    ['format 2', file(header(2, 1, 96), chunk('MTrk', END)), 'format 2'],
    ['a division of 0', file(header(0, 1, 0), chunk('MTrk', END)), 'time division is 0'],
    ['data without a status', file(header(0, 1, 96), chunk('MTrk', [0, 60, 100, ...END])), 'damaged'],
  ])('that are none are refused with a sentence: %s', (_what, bytes, message) => {
    expect(() => readMidiFile(bytes)).toThrow(ClientError);
    expect(() => readMidiFile(bytes)).toThrow(message);
  });

  it('of any bytes are read or refused, and what is read can be played', () => {
    const check = (bytes: Uint8Array) => {
      try {
        let last = 0;
        for (const { time100ns, bytes: message } of readMidiFile(bytes).events) {
          expect(Number.isSafeInteger(time100ns)).toBe(true);
          expect(time100ns).toBeGreaterThanOrEqual(last);
          last = time100ns;
          expect(message.length).toBeGreaterThan(0);
        }
      } catch (error) {
        expect(error).toBeInstanceOf(ClientError);
      }
    };
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.nat(0xffff),
        fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 3 }),
        (format, division, tracks) => {
          check(
            file(
              header(format, tracks.length, division),
              ...tracks.map((track) => chunk('MTrk', [...track])),
            ),
          );
        },
      ),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => check(bytes)),
      { numRuns: 200 },
    );
    // A good file with one byte changed.
    const good = file(
      header(1, 1, 96),
      chunk('MTrk', [
        0,
        0x90,
        60,
        100,
        10,
        0xf0,
        3,
        1,
        2,
        0xf7,
        10,
        0xff,
        0x51,
        3,
        1,
        2,
        3,
        10,
        0x80,
        60,
        0,
        ...END,
      ]),
    );
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (at, value) => {
        const bytes = good.slice();
        bytes[at] = value;
        check(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('written and read again hold the same messages, at most 50 µs off', () => {
    const message = fc.oneof(
      fc
        .tuple(fc.constantFrom(0x80, 0x90, 0xa0, 0xb0, 0xe0), fc.nat(15), fc.nat(127), fc.nat(127))
        .map(([kind, channel, a, b]) => [kind | channel, a, b]),
      fc
        .tuple(fc.constantFrom(0xc0, 0xd0), fc.nat(15), fc.nat(127))
        .map(([kind, channel, a]) => [kind | channel, a]),
      fc.array(fc.nat(127), { maxLength: 300 }).map((data) => [0xf0, ...data, 0xf7]),
      fc.constantFrom([0xf8], [0xfe], [0xf6], [0xf2, 1, 2], [0xf1, 5], [0xf3, 9]),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(100_000_000), message), { maxLength: 30 }), (steps) => {
        let time100ns = 0;
        const sent: TimedMidi[] = steps.map(([step, bytes]) => {
          time100ns += step;
          return { time100ns, bytes: Uint8Array.from(bytes) };
        });
        const back = readMidiFile(writeMidiFile(sent)).events;
        expect(back.map(({ bytes }) => [...bytes])).toEqual(sent.map(({ bytes }) => [...bytes]));
        for (const [index, event] of back.entries())
          expect(Math.abs(event.time100ns - (sent[index]?.time100ns ?? 0))).toBeLessThanOrEqual(500);
      }),
    );
  });

  it('written of single bytes, a message has the time of its first one', () => {
    const bytes = [0x90, 60, 100, 62, 0, 0xf0, 1, 0xf7, 0xc0, 5];
    const pieces = bytes.map((byte, index) => ({ time100ns: index * 3200, bytes: Uint8Array.of(byte) }));
    expect(
      readMidiFile(writeMidiFile(pieces)).events.map(({ time100ns, bytes: message }) => [
        time100ns,
        ...message,
      ]),
    ).toEqual([
      [0, 0x90, 60, 100],
      [10_000, 0x90, 62, 0],
      [16_000, 0xf0, 1, 0xf7],
      [26_000, 0xc0, 5],
    ]);
  });
});
