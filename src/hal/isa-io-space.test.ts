import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BusTarget } from './bus.ts';
import { IsaIoSpace } from './isa-io-space.ts';

/** Answers with its own number and the offset, and keeps what is written. */
class Target implements BusTarget {
  readonly log: string[] = [];
  readonly #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  read(offset: number, size: number): number {
    this.log.push(`read ${offset} ${size}`);
    return this.#number * 16 + offset;
  }

  write(offset: number, size: number, value: number): void {
    this.log.push(`write ${offset} ${size} ${value.toString(16)}`);
  }
}

describe('ISA I/O decoding', () => {
  it('answers a card with ten address lines at every alias, one with sixteen at its own ports alone', () => {
    const io = new IsaIoSpace();
    io.map('ten', 0x220, 16, new Target(1));
    io.map('sixteen', 0x1234, 4, new Target(2), 16);
    for (const alias of [0x220, 0x620, 0xa20, 0xfe20]) expect(io.read(alias + 3, 1)).toBe(0x13);
    expect(io.read(0x1235, 1)).toBe(0x21);
    expect(io.read(0x235 + 0x400, 1)).toBe(0xff);
    expect(io.read(0x1634, 1)).toBe(0xff);
  });

  it('makes one cycle a byte, low byte first, and reads ones where nobody answers', () => {
    const io = new IsaIoSpace();
    const target = new Target(3);
    io.map('card', 0x300, 2, target);
    expect(io.read(0x300, 2)).toBe(0x3130);
    expect(io.read(0x301, 4)).toBe(0xffff_ff31);
    io.write(0x300, 4, 0x4433_2211);
    expect(target.log.slice(-2)).toEqual(['write 0 1 11', 'write 1 1 22']);
    expect(io.read(0x380, 4)).toBe(0xffff_ffff);
  });

  it('lets exact decoding go before an alias, without a conflict, and reports windows that really meet', () => {
    const conflicts: string[] = [];
    const io = new IsaIoSpace((added, existing) => conflicts.push(`${added.name} on ${existing.name}`));
    io.map('ten', 0x279, 1, new Target(1));
    io.map('exact', 0xa79, 1, new Target(2), 16);
    expect(io.read(0xa79, 1)).toBe(0x20);
    expect(io.read(0x679, 1)).toBe(0x10);
    expect(conflicts).toEqual([]);
    io.map('other', 0x278, 2, new Target(3));
    io.map('exact too', 0x279, 1, new Target(4), 16);
    expect(conflicts).toEqual(['other on ten', 'exact too on ten']);
    expect(() => io.map('across', 0x3fc, 8, new Target(5))).toThrow(RangeError);
  });

  it('agrees with a list of windows after any mapping and unmapping', () => {
    const window = fc.record({
      start: fc.nat(0x3ff),
      length: fc.integer({ min: 1, max: 16 }),
      lines: fc.constantFrom(10 as const, 16 as const),
      removed: fc.boolean(),
    });
    fc.assert(
      fc.property(
        fc.array(window, { maxLength: 12 }),
        fc.array(fc.nat(0xffff), { maxLength: 40 }),
        (windows, ports) => {
          const io = new IsaIoSpace();
          const mapped = windows
            .filter(({ start, length }) => start + length <= 0x400)
            .map((one, i) => ({
              ...one,
              number: i + 1,
              region: io.map(`w${i}`, one.start, one.length, new Target(i + 1), one.lines),
            }));
          for (const { removed, region } of mapped) if (removed) io.unmap(region);
          const left = mapped.filter(({ removed }) => !removed);
          for (const port of [...ports, ...left.map(({ start }) => start)]) {
            const answers = (lines: 10 | 16, at: number) =>
              left.find((one) => one.lines === lines && at >= one.start && at < one.start + one.length);
            const full = answers(16, port);
            const partial = answers(10, port & 0x3ff);
            const expected = full
              ? full.number * 16 + port - full.start
              : partial
                ? partial.number * 16 + (port & 0x3ff) - partial.start
                : 0xff;
            expect(io.read(port, 1)).toBe(expected);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
