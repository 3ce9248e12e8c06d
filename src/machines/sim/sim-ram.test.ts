import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HIGH_RAM_START, SimRam } from './sim-ram.ts';

const MIB = 0x10_0000;

describe('RAM of the simulated machine', () => {
  it('has one range, or two with memory above 4 GiB', () => {
    expect(new SimRam(MIB).ranges).toEqual([{ start: 0, length: MIB }]);
    expect(new SimRam(MIB, 64 * MIB).ranges[1]).toEqual({ start: HIGH_RAM_START, length: 64 * MIB });
  });

  it('is the buffer that it was given, seen through windows without a copy', () => {
    const buffer = new ArrayBuffer(MIB);
    const ram = new SimRam({ buffer });
    ram.writeUlong(0x100, 0x1234_5678);
    expect(new Uint8Array(buffer, 0x100, 4)).toEqual(Uint8Array.of(0x78, 0x56, 0x34, 0x12));
    const view = ram.view(0x100, 4);
    view?.fill(0xaa);
    expect(ram.readUlong(0x100)).toBe(0xaaaa_aaaa);
    expect(view?.buffer).toBe(buffer);
  });

  it('throws outside, also for what only begins or ends inside', () => {
    const ram = new SimRam(MIB, MIB);
    expect(() => ram.read(MIB - 2, new Uint8Array(4))).toThrow(RangeError);
    expect(() => ram.readUlong(-4)).toThrow(RangeError);
    expect(() => ram.write(HIGH_RAM_START + MIB - 1, new Uint8Array(2))).toThrow(RangeError);
    expect(() => ram.view(0x8000_0000, 4)).toThrow(RangeError);
    expect(ram.contains(MIB - 1, 2)).toBe(false);
    expect(ram.contains(HIGH_RAM_START - 1, 2)).toBe(false);
    expect(ram.contains(HIGH_RAM_START, MIB)).toBe(true);
  });

  it('behaves above 4 GiB as a plain array does, across blocks too', () => {
    const SIZE = 3 * MIB;
    const near = fc.oneof(
      fc.integer({ min: MIB - 40, max: MIB + 40 }),
      fc.integer({ min: 2 * MIB - 40, max: 2 * MIB + 40 }),
    );
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), at: near, bytes: fc.uint8Array({ maxLength: 60 }) }),
      fc.record({
        kind: fc.constant('fill' as const),
        at: near,
        length: fc.nat(60),
        value: fc.integer({ min: 0, max: 255 }),
      }),
      fc.record({
        kind: fc.constant('ulong' as const),
        at: near,
        value: fc.integer({ min: 0, max: 0xffff_ffff }),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const ram = new SimRam(MIB, SIZE);
        const model = new Uint8Array(SIZE);
        for (const one of steps) {
          if (one.kind === 'write') {
            ram.write(HIGH_RAM_START + one.at, one.bytes);
            model.set(one.bytes, one.at);
          } else if (one.kind === 'fill') {
            ram.fill(HIGH_RAM_START + one.at, one.length, one.value);
            model.fill(one.value, one.at, one.at + one.length);
          } else {
            ram.writeUlong(HIGH_RAM_START + one.at, one.value);
            new DataView(model.buffer).setUint32(one.at, one.value, true);
            expect(ram.readUlong(HIGH_RAM_START + one.at)).toBe(one.value);
          }
        }
        const read = new Uint8Array(200);
        for (const at of [MIB - 100, 2 * MIB - 100]) {
          ram.read(HIGH_RAM_START + at, read);
          expect(read).toEqual(model.slice(at, at + 200));
        }
        const view = ram.view(HIGH_RAM_START + MIB, 40);
        expect(view).toEqual(model.slice(MIB, MIB + 40));
        expect(ram.view(HIGH_RAM_START + MIB - 1, 2)).toBeNull();
      }),
      { numRuns: 40 },
    );
  });
});
