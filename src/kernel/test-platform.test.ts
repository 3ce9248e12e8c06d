import { describe, expect, it } from 'vitest';
import { TestPlatform } from './test-platform.ts';

describe('TestPlatform', () => {
  it('answers all ones where nothing is, and lets targets see offsets and sizes', () => {
    const platform = new TestPlatform();
    expect([1, 2, 4].map((size) => platform.readPort(0x300, size as 1 | 2 | 4))).toEqual([
      0xff, 0xffff, 0xffffffff,
    ]);
    const seen: number[][] = [];
    platform.addMemory(0xf000_0000, 0x100, {
      read: (offset, size) => offset * 10 + size,
      write: (offset, size, value) => seen.push([offset, size, value]),
    });
    expect(platform.readMemory(0xf000_0010, 2)).toBe(162);
    platform.writeMemory(0xf000_00fc, 4, 7);
    platform.writeMemory(0xf000_0100, 4, 8);
    expect(seen).toEqual([[0xfc, 4, 7]]);
  });

  it('has RAM below and above 4 GiB, and nothing in between', () => {
    const { ram } = new TestPlatform({ ramBytes: 0x2000, highRamBytes: 0x1000 });
    ram.writeUlong(0x1_0000_0ffc, 0x89abcdef);
    expect(ram.view(0x1_0000_0ffc, 4)).toEqual(Uint8Array.of(0xef, 0xcd, 0xab, 0x89));
    ram.write(0x1ffc, Uint8Array.of(1, 2, 3, 4));
    expect(ram.readUlong(0x1ffc)).toBe(0x04030201);
    for (const outside of [0x1ffd, 0x2000, 0x1_0000_0ffd])
      expect(() => ram.readUlong(outside)).toThrow(RangeError);
  });

  it('tells of changes of a line only', () => {
    const platform = new TestPlatform();
    const told: unknown[] = [];
    platform.onInterruptChange((line, asserted) => told.push([line, asserted]));
    platform.setInterrupt(5, false);
    platform.setInterrupt(5, true);
    platform.setInterrupt(5, true);
    platform.pulseInterrupt(7);
    expect(told).toEqual([
      [5, true],
      [7, true],
      [7, false],
    ]);
    expect(platform.isInterruptAsserted(5)).toBe(true);
  });
});
