import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressAllocator } from './address-allocator.ts';

describe('bus addresses', () => {
  it('are given out from the bottom, aligned', () => {
    const space = new AddressAllocator(0x1000, 0x2000);
    expect(space.allocate(0x40, 0x40)).toBe(0x1000);
    expect(space.allocate(0x400, 0x400)).toBe(0x1400);
    expect(space.allocate(0x100, 0x100)).toBe(0x1100);
  });

  it('respect the limits of a request', () => {
    const space = new AddressAllocator(0x1000, 0x2000);
    expect(space.allocate(0x10, 0x10, 0x1800, 0x18ff)).toBe(0x1800);
    expect(space.allocate(0x200, 0x10, 0x1800, 0x18ff)).toBeNull();
    expect(space.allocate(0x1000, 0x1000)).toBeNull();
  });

  it('can be taken as they are, when they are free', () => {
    const space = new AddressAllocator(0x1000, 0x2000);
    expect(space.reserve(0x1200, 0x100)).toBe(true);
    expect(space.reserve(0x12ff, 0x10)).toBe(false);
    expect(space.reserve(0xf00, 0x200)).toBe(false);
    space.release(0x1200);
    expect(space.reserve(0x12ff, 0x10)).toBe(true);
  });

  it('never overlap, whatever is taken and released', () => {
    const step = fc.oneof(
      fc.record({ size: fc.integer({ min: 2, max: 9 }).map((bits) => 2 ** bits) }),
      fc.record({ release: fc.nat(50) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const space = new AddressAllocator(0x1000, 0x2000);
        const taken: { start: number; size: number }[] = [];
        for (const one of steps) {
          if ('release' in one) {
            const [gone] = taken.splice(one.release % Math.max(1, taken.length), 1);
            if (gone) space.release(gone.start);
            continue;
          }
          const start = space.allocate(one.size, one.size);
          if (start === null) continue;
          expect(start % one.size).toBe(0);
          expect(start >= 0x1000 && start + one.size <= 0x2000).toBe(true);
          expect(
            taken.every((other) => other.start >= start + one.size || start >= other.start + other.size),
          ).toBe(true);
          taken.push({ start, size: one.size });
        }
      }),
    );
  });
});
