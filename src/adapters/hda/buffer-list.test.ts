import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bufferDescriptors, bufferGeometry, bufferRuns } from './buffer-list.ts';

const PAGE = 4096;

describe('the cyclic buffer as a list of descriptors', () => {
  it('has halves of whole frames and whole 128 bytes, no shorter than asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1 << 22 }), fc.integer({ min: 1, max: 64 }), (bytes, frame) => {
        const geometry = bufferGeometry(bytes, frame, 512);
        if (geometry === null) throw new Error('no geometry');
        expect(geometry.bufferBytes).toBeGreaterThanOrEqual(bytes);
        expect(geometry.bufferBytes).toBe(2 * geometry.halfBytes);
        expect(geometry.halfBytes % frame).toBe(0);
        expect(geometry.halfBytes % 128).toBe(0);
        expect(geometry.halfBytes).toBeGreaterThanOrEqual(512);
        // No more than one unit is given away on either half.
        expect(geometry.halfBytes - Math.max(bytes / 2, 512)).toBeLessThan(128 * frame);
      }),
    );
    expect(bufferGeometry(0xffff_ffff, 4, 512)).toBe(null);
  });

  it('names every byte once, from any start on, and interrupts at the end of each half', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60_000 }),
        fc.constantFrom(2, 4, 6, 8, 12, 32),
        fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 20, maxLength: 20 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (bytes, frame, order, where) => {
          const geometry = bufferGeometry(bytes, frame, 512);
          if (geometry === null) throw new Error('no geometry');
          const { bufferBytes, halfBytes } = geometry;
          const pages = Array.from(
            { length: Math.ceil(bufferBytes / PAGE) },
            (_, index) => ((order[index % 20] as number) * 64 + index) * PAGE,
          );
          const runs = bufferRuns(pages, PAGE, bufferBytes);
          const start = Math.floor((where * bufferBytes) / frame) * frame;
          const list = bufferDescriptors(runs, geometry, start);
          let offset = start;
          for (const { busAddress, bytes: length, interrupt } of list) {
            for (const at of [0, length - 1]) {
              const place = offset + at;
              const page = pages[Math.floor(place / PAGE)] as number;
              expect(busAddress + at).toBe(page + (place % PAGE));
            }
            offset += length;
            expect(interrupt).toBe(offset % halfBytes === 0);
            offset %= bufferBytes;
          }
          expect(offset).toBe(start);
          expect(list.reduce((sum, one) => sum + one.bytes, 0)).toBe(bufferBytes);
          expect(list.filter(({ interrupt }) => interrupt)).toHaveLength(2);
          expect(list.length).toBeGreaterThanOrEqual(2);
          expect(list.length).toBeLessThanOrEqual(pages.length + 3);
        },
      ),
    );
  });
});
