import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RingGeometry, ringGeometry } from './descriptor-ring.ts';
import * as R from './registers.ts';

const counts = fc.constantFrom<0 | 1 | 2>(0, 1, 2);
const frames = fc.constantFrom(2, 4);
/** From a byte to more than 32 descriptors can hold. */
const sizes = fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.integer({ min: 1, max: 5_000_000 }));

describe("cutting a cyclic buffer up for an AC'97 engine", () => {
  const check = (geometry: RingGeometry, bytes: number, count: number, frameBytes: number) => {
    const { segmentBytes, segmentCount, segmentsPerPacket, bufferBytes } = geometry;
    // The client gets what it asked for, and hardly more.
    expect(bufferBytes).toBeGreaterThanOrEqual(bytes);
    expect(bufferBytes - bytes).toBeLessThan(segmentCount * Math.max(frameBytes, 4));
    expect(bufferBytes).toBe(segmentBytes * segmentCount);
    // A descriptor: an address on a dword, at most 65534 samples, whole frames.
    expect(segmentBytes % 4).toBe(0);
    expect(segmentBytes % frameBytes).toBe(0);
    expect(segmentBytes / 2).toBeLessThanOrEqual(R.BD_MAX_SAMPLES);
    // The list of 32 is the buffer a whole number of times: it never has to be rewritten.
    expect(R.BD_ENTRIES % segmentCount).toBe(0);
    // Packets are equal, and end where a descriptor ends.
    expect(segmentsPerPacket).toBe(count === 0 ? 0 : segmentCount / count);
    expect(Number.isInteger(segmentsPerPacket)).toBe(true);
  };

  it('keeps every rule of the engine, for any size', () => {
    fc.assert(
      fc.property(sizes, counts, frames, (bytes, count, frameBytes) => {
        const geometry = ringGeometry(bytes, count, frameBytes);
        const largest = R.BD_ENTRIES * R.BD_MAX_SAMPLES * 2;
        if (bytes <= largest - 32 * 4) expect(geometry).not.toBeNull();
        if (bytes > largest) expect(geometry).toBeNull();
        if (geometry !== null) check(geometry, bytes, count, frameBytes);
      }),
      { numRuns: 3000 },
    );
  });

  it('has the fewest descriptors that do', () => {
    fc.assert(
      fc.property(sizes, counts, frames, (bytes, count, frameBytes) => {
        const geometry = ringGeometry(bytes, count, frameBytes);
        if (geometry === null || geometry.segmentCount <= (count || 2)) return;
        expect(Math.ceil(bytes / (geometry.segmentCount / 2))).toBeGreaterThan(R.BD_MAX_SAMPLES * 2 - 4);
      }),
    );
  });

  it.each([
    [7680, 2, 4, { segmentBytes: 3840, segmentCount: 2, segmentsPerPacket: 1, bufferBytes: 7680 }],
    [7680, 1, 4, { segmentBytes: 7680, segmentCount: 1, segmentsPerPacket: 1, bufferBytes: 7680 }],
    [7680, 0, 4, { segmentBytes: 3840, segmentCount: 2, segmentsPerPacket: 0, bufferBytes: 7680 }],
    [1, 1, 2, { segmentBytes: 4, segmentCount: 1, segmentsPerPacket: 1, bufferBytes: 4 }],
    [131_069, 1, 4, { segmentBytes: 65_536, segmentCount: 2, segmentsPerPacket: 2, bufferBytes: 131_072 }],
  ] as const)('%i bytes, %i notifications, frames of %i', (bytes, count, frameBytes, expected) => {
    expect(ringGeometry(bytes, count, frameBytes)).toEqual(expected);
  });
});
