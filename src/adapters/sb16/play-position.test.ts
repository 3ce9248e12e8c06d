import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlayPosition } from './play-position.ts';

const MS = 10_000;
const transfer = { bufferBytes: 0x4000, frameBytes: 4, sampleRate: 22_050 };
const bytesAt = (ticks: number) => Math.floor((ticks * transfer.sampleRate) / 10_000_000) * 4;

describe('the position at the DAC', () => {
  it('is what was fetched, as long as the card fetches in step with time', () => {
    const position = new PlayPosition(transfer, 0);
    for (let now = 0; now < 3000 * MS; now += 7 * MS) {
      const fetched = bytesAt(now) % transfer.bufferBytes;
      expect(position.at(fetched, now)).toBe(fetched);
    }
  });

  it('begins when a burst does, and stays a burst behind', () => {
    const position = new PlayPosition(transfer, 0);
    expect(position.at(0, 8 * MS)).toBe(0);
    expect(position.at(4096, 10 * MS)).toBe(0);
    expect(position.at(4096, 20 * MS)).toBe(bytesAt(10 * MS));
    // The next burst makes up for the 10 ms.
    expect(position.at(4096 + bytesAt(10 * MS), 20 * MS)).toBe(bytesAt(10 * MS));
    expect(position.at(4096 + bytesAt(30 * MS), 40 * MS)).toBe(bytesAt(30 * MS));
  });

  it('stands where the DMA controller stands when no more comes, and is exact again behind a pause', () => {
    const position = new PlayPosition(transfer, 0);
    position.at(0, 0);
    position.at(4096, 0);
    expect(position.at(4096, 1000 * MS)).toBe(4096);
    position.resume(5000 * MS);
    expect(position.at(4096, 5000 * MS)).toBe(4096);
    expect(position.at(8192, 5010 * MS)).toBe(4096 + bytesAt(10 * MS));
  });

  it('never goes back, never passes what was fetched, and is never more than the first burst behind it', () => {
    const step = fc.record({ ms: fc.integer({ min: 0, max: 40 }), bytes: fc.nat({ max: 2000 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), fc.nat({ max: 4000 }), (steps, burst) => {
        const position = new PlayPosition(transfer, 0);
        let [now, fetched, played] = [0, 0, 0];
        const { bufferBytes } = transfer;
        let held = 0;
        for (const { ms, bytes } of [{ ms: 0, bytes: burst >> 2 }, ...steps]) {
          now += ms * MS;
          const before = fetched;
          fetched += bytes * 4;
          if (before === 0) held = fetched;
          const offset = position.at(fetched % bufferBytes, now);
          const behind = (fetched - offset + 4 * bufferBytes) % bufferBytes;
          expect(behind).toBeLessThanOrEqual(held);
          expect(fetched - behind).toBeGreaterThanOrEqual(played);
          played = fetched - behind;
        }
      }),
    );
  });
});
