import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DmaDomain } from './dma-domain.ts';

const CARD = 'pci:00:05.0';
const OTHER = 'pci:00:06.0';

describe('DMA isolation', () => {
  it('lets a card reach nothing at first', () => {
    const domain = new DmaDomain();
    expect(domain.allows(CARD, 0x1000, 1)).toBe(false);
  });

  it('opens a range to one card, to the byte', () => {
    const domain = new DmaDomain();
    domain.map(CARD, 0x1000, 0x100);
    expect(domain.allows(CARD, 0x1000, 0x100)).toBe(true);
    expect(domain.allows(CARD, 0x10ff, 1)).toBe(true);
    expect(domain.allows(CARD, 0x10ff, 2)).toBe(false);
    expect(domain.allows(CARD, 0xfff, 2)).toBe(false);
    expect(domain.allows(OTHER, 0x1000, 1)).toBe(false);
  });

  it('joins ranges that touch or overlap, own ones and those open to everybody', () => {
    const domain = new DmaDomain();
    domain.map(CARD, 0x1000, 0x100);
    domain.map(CARD, 0x1100, 0x100);
    domain.map(null, 0x1180, 0x200);
    expect(domain.allows(CARD, 0x1000, 0x380)).toBe(true);
    expect(domain.allows(CARD, 0x1000, 0x381)).toBe(false);
    expect(domain.allows(OTHER, 0x1180, 0x200)).toBe(true);
  });

  it('keeps a range that was mapped twice until it was unmapped twice', () => {
    const domain = new DmaDomain();
    domain.map(CARD, 0x1000, 0x100);
    domain.map(CARD, 0x1000, 0x100);
    domain.unmap(CARD, 0x1000, 0x100);
    expect(domain.allows(CARD, 0x1000, 0x100)).toBe(true);
    domain.unmap(CARD, 0x1000, 0x100);
    expect(domain.allows(CARD, 0x1000, 0x100)).toBe(false);
  });

  it('refuses to unmap what was not mapped so', () => {
    const domain = new DmaDomain();
    domain.map(CARD, 0x1000, 0x100);
    expect(() => domain.unmap(CARD, 0x1000, 0x80)).toThrow(/not mapped/);
    expect(() => domain.unmap(OTHER, 0x1000, 0x100)).toThrow(/not mapped/);
    expect(() => domain.map(CARD, 0x1000, 0)).toThrow(RangeError);
    expect(() => domain.map(CARD, -1, 5)).toThrow(RangeError);
  });

  it('opens nothing of a card that was pulled out to its successor, and lets its driver close it all the same', () => {
    const domain = new DmaDomain();
    domain.map(CARD, 0x1000, 0x100);
    domain.map(CARD, 0x3000, 0x100);
    domain.retire(CARD);
    expect(domain.allows(CARD, 0x1000, 1)).toBe(false);
    domain.map(CARD, 0x2000, 0x100);
    domain.unmap(CARD, 0x1000, 0x100);
    domain.unmap(CARD, 0x3000, 0x100);
    expect(() => domain.unmap(CARD, 0x3000, 0x100)).toThrow(/not mapped/);
    expect(domain.rangesOf(CARD)).toEqual([{ start: 0x2000, length: 0x100 }]);
  });

  it('agrees with a map of single bytes after any sequence of mapping and unmapping', () => {
    const SPACE = 96;
    const range = { start: fc.integer({ min: 0, max: SPACE - 1 }), length: fc.integer({ min: 1, max: 24 }) };
    const device = fc.constantFrom<string | null>(CARD, OTHER, null);
    const step = fc.oneof(
      fc.record({ kind: fc.constant('map' as const), device, ...range }),
      fc.record({ kind: fc.constant('unmap' as const), which: fc.nat(30) }),
      fc.record({ kind: fc.constant('ask' as const), device: fc.constantFrom(CARD, OTHER), ...range }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const domain = new DmaDomain();
        const mapped: { device: string | null; start: number; length: number }[] = [];
        const allowed = (who: string, start: number, length: number) => {
          for (let byte = start; byte < start + length; byte++) {
            const covered = mapped.some(
              (m) => (m.device === who || m.device === null) && byte >= m.start && byte < m.start + m.length,
            );
            if (!covered) return false;
          }
          return true;
        };
        for (const one of steps) {
          if (one.kind === 'map') {
            domain.map(one.device, one.start, one.length);
            mapped.push(one);
          } else if (one.kind === 'unmap') {
            const [gone] = mapped.splice(one.which % Math.max(1, mapped.length), 1);
            if (gone) domain.unmap(gone.device, gone.start, gone.length);
          } else {
            expect(domain.allows(one.device, one.start, one.length)).toBe(
              allowed(one.device, one.start, one.length),
            );
          }
        }
        for (const who of [CARD, OTHER]) {
          for (let start = 0; start < SPACE; start += 5) {
            expect(domain.allows(who, start, 7)).toBe(allowed(who, start, 7));
          }
        }
      }),
    );
  });
});
