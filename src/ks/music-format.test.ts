import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NtError, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import {
  decodeMusicRecords,
  encodeMusicRecords,
  musicRecordSize,
  presentationTime100ns,
} from './music-format.ts';

describe('KSMUSICFORMAT records', () => {
  it('have a head of eight bytes, and data padded to four; the count is without the padding', () => {
    expect([0, 1, 4, 5].map(musicRecordSize)).toEqual([8, 12, 12, 16]);
    expect([
      ...encodeMusicRecords([
        { timeDeltaMs: 258, bytes: Uint8Array.of(0x90, 60, 100) },
        { timeDeltaMs: 0, bytes: Uint8Array.of(1, 2, 3, 4) },
      ]),
    ]).toEqual([2, 1, 0, 0, 3, 0, 0, 0, 0x90, 60, 100, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4]);
  });

  it('come back as they were', () => {
    const record = fc.record({ timeDeltaMs: fc.nat(0xffff_ffff), bytes: fc.uint8Array({ maxLength: 20 }) });
    fc.assert(
      fc.property(fc.array(record), (records) => {
        const back = decodeMusicRecords(encodeMusicRecords(records));
        expect(back.map(({ timeDeltaMs, bytes }) => ({ timeDeltaMs, bytes: [...bytes] }))).toEqual(
          records.map(({ timeDeltaMs, bytes }) => ({ timeDeltaMs, bytes: [...bytes] })),
        );
      }),
    );
  });

  it('may lack the padding of the last one, and have a rest too short for a head behind them', () => {
    const whole = encodeMusicRecords([{ timeDeltaMs: 0, bytes: Uint8Array.of(1, 2, 3, 4, 5) }]);
    expect(decodeMusicRecords(whole.subarray(0, 13))).toHaveLength(1);
    expect(decodeMusicRecords(Uint8Array.of(...whole, 9, 9, 9))).toHaveLength(1);
  });

  it('that run out of the buffer are refused, whatever the bytes', () => {
    expect(() => decodeMusicRecords(Uint8Array.of(0, 0, 0, 0, 5, 0, 0, 0, 1, 2, 3, 4))).toThrow(NtError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          for (const record of decodeMusicRecords(bytes))
            expect(record.bytes.byteLength).toBeLessThanOrEqual(64);
        } catch (error) {
          expect(error).toMatchObject({ status: STATUS_INVALID_PARAMETER });
        }
      }),
    );
  });

  it('presentation times are scaled by their fraction, and 0 counts as 1', () => {
    expect(presentationTime100ns({ time: 48, numerator: 10_000_000, denominator: 48_000 })).toBe(10_000);
    expect(presentationTime100ns({ time: 7, numerator: 0, denominator: 0 })).toBe(7);
  });
});
