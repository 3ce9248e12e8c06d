import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessSize, BusTarget, PciBar } from '../../hal/bus.ts';
import { PciConfigSpace, type PciIdentification } from './config-space.ts';

const target: BusTarget = { read: () => 0, write: () => {} };

function card(bars: readonly (PciBar | null)[], more: Partial<PciIdentification> = {}): PciIdentification {
  return {
    name: 'test card',
    vendorId: 0x8086,
    deviceId: 0x2415,
    revisionId: 0x01,
    classCode: 0x040100,
    subsystemVendorId: 0x1af4,
    subsystemId: 0x1100,
    interruptPin: 1,
    bars,
    ...more,
  };
}

const io = (size: number): PciBar => ({ kind: 'io', size, target });
const memory = (size: number): PciBar => ({ kind: 'memory32', size, target });
const memory64 = (size: number, prefetchable = false): PciBar => ({
  kind: 'memory64',
  size,
  prefetchable,
  target,
});

describe('configuration space of a function', () => {
  it('shows its identity (PCI 3.0, figure 6-1)', () => {
    const config = new PciConfigSpace(card([io(256)], { minGrant: 0x0c, maxLatency: 0x80 }));
    expect(config.read(0x00, 4)).toBe(0x2415_8086);
    expect(config.read(0x08, 4)).toBe(0x0401_0001);
    expect(config.read(0x0e, 1)).toBe(0x00);
    expect(config.read(0x2c, 4)).toBe(0x1100_1af4);
    expect(config.read(0x3c, 4)).toBe(0x800c_0100);
  });

  it('lets no write change identity, class, header type, pin or reserved bytes', () => {
    const config = new PciConfigSpace(card([io(256)]));
    const before = Array.from({ length: 64 }, (_, i) => config.read(4 * i, 4));
    const writable = new Set([0x04, 0x0c, 0x10, 0x3c]);
    for (let offset = 0; offset < 256; offset += 4)
      if (!writable.has(offset)) config.write(offset, 4, 0xffff_ffff);
    const after = Array.from({ length: 64 }, (_, i) => config.read(4 * i, 4));
    expect(after).toEqual(before);
    config.write(0x3c, 4, 0xffff_ffff);
    expect(config.read(0x3c, 4)).toBe(0x0000_01ff);
    config.write(0x0c, 4, 0xffff_ffff);
    expect(config.read(0x0c, 4)).toBe(0x0000_f8ff);
  });

  it('takes the command bits that the function has a use for', () => {
    const onlyIo = new PciConfigSpace(card([io(256)]));
    onlyIo.write(0x04, 2, 0xffff);
    expect(onlyIo.read(0x04, 2)).toBe(0x0545);
    const both = new PciConfigSpace(card([io(256), memory(4096)], { interruptPin: 0 }));
    both.write(0x04, 2, 0xffff);
    expect(both.read(0x04, 2)).toBe(0x0157);
  });

  it('clears error bits of the status register by ones, and leaves the rest (section 6.2.3)', () => {
    const config = new PciConfigSpace(card([io(256)]));
    expect(config.read(0x06, 2)).toBe(0x0280);
    config.setReceivedMasterAbort();
    expect(config.read(0x06, 2)).toBe(0x2280);
    config.write(0x06, 2, 0x0280);
    expect(config.read(0x06, 2)).toBe(0x2280);
    config.write(0x06, 2, 0x2000);
    expect(config.read(0x06, 2)).toBe(0x0280);
  });

  it('shows the interrupt in the status register though INTx# is disabled', () => {
    const config = new PciConfigSpace(card([io(256)]));
    config.write(0x04, 2, 0x0400);
    config.setInterruptStatus(true);
    expect(config.interruptDisabled).toBe(true);
    expect(config.read(0x06, 2) & 0x0008).toBe(0x0008);
    config.setInterruptStatus(false);
    expect(config.read(0x06, 2) & 0x0008).toBe(0);
  });

  it('answers the sizing of base address registers (section 6.2.5.1)', () => {
    const config = new PciConfigSpace(card([io(1024), memory(16384), memory64(0x4000, true)]));
    for (let offset = 0x10; offset < 0x28; offset += 4) config.write(offset, 4, 0xffff_ffff);
    expect(config.read(0x10, 4)).toBe(0xffff_fc01);
    expect(config.read(0x14, 4)).toBe(0xffff_c000);
    expect(config.read(0x18, 4)).toBe(0xffff_c00c);
    expect(config.read(0x1c, 4)).toBe(0xffff_ffff);
    expect(config.read(0x20, 4)).toBe(0);
    expect(config.read(0x24, 4)).toBe(0);
  });

  it('sizes 64-bit windows of 4 GiB and more', () => {
    const config = new PciConfigSpace(card([memory64(0x2_0000_0000)]));
    config.write(0x10, 4, 0xffff_ffff);
    config.write(0x14, 4, 0xffff_ffff);
    expect(config.read(0x10, 4)).toBe(0x0000_0004);
    expect(config.read(0x14, 4)).toBe(0xffff_fffe);
  });

  it('decodes a window only while the command register says so, and where its register says', () => {
    const config = new PciConfigSpace(card([io(256), memory(4096)]));
    config.write(0x10, 4, 0xe000);
    config.write(0x14, 4, 0xf000_0000);
    expect(config.decodedBars()).toEqual([]);
    config.write(0x04, 2, 0x0001);
    expect(config.decodedBars().map(({ index, address }) => [index, address])).toEqual([[0, 0xe000]]);
    config.write(0x04, 2, 0x0003);
    expect(config.decodedBars().map(({ index, address }) => [index, address])).toEqual([
      [0, 0xe000],
      [1, 0xf000_0000],
    ]);
    config.write(0x11, 1, 0xd0);
    expect(config.decodedBars()[0]?.address).toBe(0xd000);
  });

  it('decodes nothing at an address that was never given, nor beyond the space', () => {
    const config = new PciConfigSpace(card([io(256), memory64(4096)]));
    config.write(0x04, 2, 0x0003);
    expect(config.decodedBars()).toEqual([]);
    config.write(0x10, 4, 0xffff_ff00);
    expect(config.decodedBars()).toEqual([]);
    config.write(0x18, 4, 0x80);
    config.write(0x14, 4, 0x8000_0000);
    expect(config.decodedBars().map(({ address }) => address)).toEqual([0x80_8000_0000]);
  });

  it('has the capability list and device-specific bytes that the card describes', () => {
    const config = new PciConfigSpace(
      card([io(256)], {
        capabilitiesPointer: 0x50,
        configExtra: [
          { offset: 0x50, bytes: [0x01, 0x00, 0x02, 0x00, 0x00, 0x00], writable: [0, 0, 0, 0, 0x03, 0x01] },
        ],
      }),
    );
    expect(config.read(0x06, 2) & 0x0010).toBe(0x0010);
    expect(config.read(0x34, 1)).toBe(0x50);
    config.write(0x54, 2, 0xffff);
    expect(config.read(0x54, 2)).toBe(0x0103);
    config.reset();
    expect(config.read(0x54, 2)).toBe(0);
  });

  it('refuses windows that no card can have', () => {
    expect(() => new PciConfigSpace(card([io(100)]))).toThrow(RangeError);
    expect(() => new PciConfigSpace(card([io(2)]))).toThrow(RangeError);
    expect(() => new PciConfigSpace(card([memory(8)]))).toThrow(RangeError);
    expect(() => new PciConfigSpace(card([memory64(4096), io(16)]))).toThrow(RangeError);
    expect(() => new PciConfigSpace(card([null, null, null, null, null, memory64(4096)]))).toThrow(
      RangeError,
    );
    expect(() => new PciConfigSpace(card([], { configExtra: [{ offset: 255, bytes: [1, 2] }] }))).toThrow(
      RangeError,
    );
  });

  it('reads and writes the same bytes in every width', () => {
    const access = fc.record({
      offset: fc.integer({ min: 0, max: 63 }).map((n) => 4 * n),
      within: fc.integer({ min: 0, max: 3 }),
      size: fc.constantFrom<AccessSize>(1, 2, 4),
      value: fc.integer({ min: 0, max: 0xffff_ffff }),
    });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 30 }), (accesses) => {
        const wide = new PciConfigSpace(card([io(256), memory64(4096)]));
        const narrow = new PciConfigSpace(card([io(256), memory64(4096)]));
        for (const { offset, within, size, value } of accesses) {
          const at = offset + (size === 4 ? 0 : size === 2 ? within & 2 : within);
          wide.write(at, size, value);
          for (let i = 0; i < size; i++) narrow.write(at + i, 1, (value >>> (8 * i)) & 0xff);
        }
        for (let offset = 0; offset < 256; offset += 4) {
          const bytes = [0, 1, 2, 3].map((i) => narrow.read(offset + i, 1));
          const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
          expect(wide.read(offset, 4)).toBe(value);
          expect(wide.read(offset + 2, 2)).toBe(value >>> 16);
        }
      }),
    );
  });
});
