import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MidiMessageParser, midiDataBytes } from './midi-message.ts';

function parse(bytes: readonly number[], limit?: number) {
  const found: (number[] | { exclusive: number[]; complete: boolean })[] = [];
  const parser = new MidiMessageParser(
    {
      message: (status, data1, data2, length) => found.push([status, data1, data2].slice(0, length)),
      realTime: (status) => found.push([status]),
      systemExclusive: (exclusive, complete) => found.push({ exclusive: [...exclusive], complete }),
    },
    limit,
  );
  parser.pushAll(Uint8Array.from(bytes));
  return { found, parser };
}

describe('MIDI messages in a stream of bytes', () => {
  it('have the lengths of tables I and II', () => {
    for (const [status, count] of [
      [0x80, 2],
      [0x9f, 2],
      [0xa3, 2],
      [0xb0, 2],
      [0xc0, 1],
      [0xdf, 1],
      [0xe7, 2],
      [0xf0, -1],
      [0xf1, 1],
      [0xf2, 2],
      [0xf3, 1],
      [0xf6, 0],
    ] as const)
      expect(midiDataBytes(status)).toBe(count);
  });

  it('keep the status of the one before', () => {
    expect(parse([0x90, 60, 100, 62, 100, 64, 0, 0xc5, 1, 2]).found).toEqual([
      [0x90, 60, 100],
      [0x90, 62, 100],
      [0x90, 64, 0],
      [0xc5, 1],
      [0xc5, 2],
    ]);
  });

  it('are interrupted by real-time messages without harm', () => {
    expect(parse([0x90, 0xf8, 60, 0xfe, 100, 0xfa, 61, 1]).found).toEqual([
      [0xf8],
      [0xfe],
      [0x90, 60, 100],
      [0xfa],
      [0x90, 61, 1],
    ]);
    expect(parse([0xf0, 1, 0xf8, 2, 0xf7]).found).toEqual([
      [0xf8],
      { exclusive: [0xf0, 1, 2, 0xf7], complete: true },
    ]);
  });

  it('lose their running status by system common and exclusive messages', () => {
    const { found, parser } = parse([0x90, 60, 100, 0xf6, 61, 100, 0x91, 1, 2, 0xf0, 0xf7, 3, 4]);
    expect(found).toEqual([
      [0x90, 60, 100],
      [0xf6],
      [0x91, 1, 2],
      { exclusive: [0xf0, 0xf7], complete: true },
    ]);
    expect(parser.orphanBytes).toBe(4);
  });

  it('that are exclusive and cut off, or too long, say so', () => {
    expect(parse([0xf0, 1, 2, 0x90, 60, 1]).found).toEqual([
      { exclusive: [0xf0, 1, 2], complete: false },
      [0x90, 60, 1],
    ]);
    expect(parse([0xf0, 1, 2, 3, 4, 0xf7], 3).found).toEqual([{ exclusive: [0xf0, 1, 2], complete: false }]);
  });

  it('are pending until their last byte', () => {
    const pending = (bytes: readonly number[]) => parse(bytes).parser.pending;
    expect(pending([])).toBe(false);
    expect(pending([0x90])).toBe(true);
    expect(pending([0x90, 60])).toBe(true);
    expect(pending([0x90, 60, 1])).toBe(false);
    expect(pending([0x90, 60, 1, 61])).toBe(true);
    expect(pending([0xf0])).toBe(true);
    expect(pending([0xf0, 0xf7])).toBe(false);
    expect(pending([0xf1])).toBe(true);
    expect(pending([0xf4])).toBe(false);
  });

  it('come out of any bytes well formed, and the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const { found } = parse([...bytes]);
        for (const message of found) {
          if (!Array.isArray(message)) {
            expect(message.exclusive[0]).toBe(0xf0);
            continue;
          }
          const [status = 0, ...data] = message;
          expect(status).toBeGreaterThanOrEqual(0x80);
          expect(data.every((byte) => byte < 0x80)).toBe(true);
          if (status < 0xf8) expect(data).toHaveLength(midiDataBytes(status));
        }
        // Written out with their status bytes they are read the same again.
        const whole = found.filter((message) => Array.isArray(message) || message.complete);
        expect(
          parse(whole.flatMap((message) => (Array.isArray(message) ? message : message.exclusive))).found,
        ).toEqual(whole);
      }),
    );
  });
});
