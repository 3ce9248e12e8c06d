import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessSize, BusTarget } from './bus.ts';
import { IoSpace } from './io-space.ts';

/** A register file that remembers what it was asked, byte-addressed and little-endian. */
function memoryTarget(bytes: Uint8Array, log: string[] = [], name = ''): BusTarget {
  return {
    read(offset, size) {
      log.push(`${name}r${offset}.${size}`);
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
      return value;
    },
    write(offset, size, value) {
      log.push(`${name}w${offset}.${size}`);
      for (let i = 0; i < size; i++) bytes[offset + i] = value >>> (8 * i);
    },
  };
}

describe('I/O space', () => {
  it('reads all ones and swallows writes where no card answers', () => {
    const io = new IoSpace();
    expect(io.read(0x3f8, 1)).toBe(0xff);
    expect(io.read(0x3f8, 2)).toBe(0xffff);
    expect(io.read(0x3f8, 4)).toBe(0xffff_ffff);
    io.write(0x3f8, 4, 0x1234_5678);
    expect(io.at(0x3f8)).toBeNull();
  });

  it('hands an access to the card in the width of the access', () => {
    const io = new IoSpace();
    const log: string[] = [];
    io.map('card', 0xe000, 0x40, memoryTarget(new Uint8Array(0x40), log));
    io.write(0xe010, 4, 0xdead_beef);
    expect(io.read(0xe012, 2)).toBe(0xdead);
    expect(io.read(0xe010, 1)).toBe(0xef);
    expect(io.read(0xe010, 4)).toBe(0xdead_beef);
    expect(log).toEqual(['w16.4', 'r18.2', 'r16.1', 'r16.4']);
  });

  it('splits an access that runs out of one window into the next, or into nothing', () => {
    const io = new IoSpace();
    io.map('a', 0x200, 2, memoryTarget(Uint8Array.of(0x11, 0x22)));
    io.map('b', 0x202, 1, memoryTarget(Uint8Array.of(0x33)));
    expect(io.read(0x200, 4)).toBe(0xff33_2211);
    expect(io.read(0x1fe, 4)).toBe(0x2211_ffff);
  });

  it('stays within 64 KiB', () => {
    const io = new IoSpace();
    io.map('top', 0xfffe, 2, memoryTarget(Uint8Array.of(1, 2)));
    expect(io.read(0xffff, 1)).toBe(2);
    expect(io.read(0x1_0000, 1)).toBe(0xff);
    expect(() => io.map('too far', 0xffff, 2, memoryTarget(new Uint8Array(2)))).toThrow(RangeError);
  });

  it('lets the window mapped first answer in a conflict, reports it, and the other once the first is gone', () => {
    const conflicts: string[] = [];
    const io = new IoSpace((added, existing) => conflicts.push(`${added.name} over ${existing.name}`));
    const first = io.map('first', 0x300, 8, memoryTarget(new Uint8Array(8).fill(1)));
    io.map('second', 0x304, 8, memoryTarget(new Uint8Array(8).fill(2)));
    expect(conflicts).toEqual(['second over first']);
    expect(io.read(0x304, 1)).toBe(1);
    expect(io.read(0x308, 1)).toBe(2);
    io.unmap(first);
    expect(io.read(0x304, 1)).toBe(2);
    expect(io.read(0x300, 1)).toBe(0xff);
  });

  it('answers at every port as the list of windows says, whatever was mapped and unmapped before', () => {
    const step = fc.oneof(
      fc.record({ start: fc.integer({ min: 0, max: 120 }), length: fc.integer({ min: 1, max: 40 }) }),
      fc.record({ unmap: fc.nat(10) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const io = new IoSpace();
        const model: ReturnType<IoSpace['map']>[] = [];
        for (const one of steps) {
          if ('unmap' in one) {
            const [gone] = model.splice(one.unmap % Math.max(model.length, 1), 1);
            if (gone) io.unmap(gone);
          } else {
            const fillWith = (model.length + 1) % 255;
            model.push(
              io.map(`w${fillWith}`, one.start, one.length, memoryTarget(new Uint8Array(40).fill(fillWith))),
            );
          }
        }
        for (let port = 0; port < 170; port++) {
          const owner = model.find(({ start, length }) => port >= start && port < start + length) ?? null;
          expect(io.at(port)).toBe(owner);
        }
        for (const size of [1, 2, 4] satisfies AccessSize[]) {
          for (let port = 0; port < 165; port++) {
            // The window at the first port takes the whole access when it holds it all; otherwise each byte finds its own way.
            const owner = (at: number) =>
              model.find(({ start, length }) => at >= start && at < start + length);
            const first = owner(port);
            const whole = first !== undefined && port + size <= first.start + first.length;
            let expected = 0;
            for (let i = size - 1; i >= 0; i--) {
              expected = expected * 256 + ((whole ? first : owner(port + i))?.target.read(0, 1) ?? 0xff);
            }
            expect(io.read(port, size)).toBe(expected);
          }
        }
      }),
    );
  });
});
