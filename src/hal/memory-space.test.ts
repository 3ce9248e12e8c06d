import { describe, expect, it } from 'vitest';
import type { BusTarget } from './bus.ts';
import { MemorySpace } from './memory-space.ts';

function constantTarget(value: number): BusTarget {
  return { read: () => value, write: () => {} };
}

function addressTarget(log: string[]): BusTarget {
  return {
    read: (offset, size) => {
      log.push(`r${offset.toString(16)}.${size}`);
      return offset & 0xff;
    },
    write: (offset, size, value) => log.push(`w${offset.toString(16)}.${size}=${value.toString(16)}`),
  };
}

describe('memory space', () => {
  it('reads all ones where no card answers', () => {
    const memory = new MemorySpace();
    expect(memory.read(0xf000_0000, 4)).toBe(0xffff_ffff);
    expect(memory.read(0xf000_0000, 1)).toBe(0xff);
  });

  it('decodes windows above 4 GiB', () => {
    const memory = new MemorySpace();
    memory.map('low', 0xf000_0000, 0x4000, constantTarget(1));
    memory.map('high', 0x80_f000_0000, 0x4000, constantTarget(2));
    expect(memory.read(0xf000_3ffc, 4)).toBe(1);
    expect(memory.read(0x80_f000_3ffc, 4)).toBe(2);
    expect(memory.read(0x80_f000_4000, 4)).toBe(0xffff_ffff);
  });

  it('forgets a window at once, though the last access fell into it', () => {
    const memory = new MemorySpace();
    const region = memory.map('card', 0xf000_0000, 0x100, constantTarget(7));
    expect(memory.read(0xf000_0000, 4)).toBe(7);
    memory.unmap(region);
    expect(memory.read(0xf000_0000, 4)).toBe(0xffff_ffff);
  });

  it('splits an access at the end of a window into bytes', () => {
    const memory = new MemorySpace();
    const log: string[] = [];
    memory.map('card', 0xf000_0000, 0x12, addressTarget(log));
    expect(memory.read(0xf000_0010, 4)).toBe(0xffff_1110);
    memory.write(0xf000_0010, 4, 0x4433_2211);
    expect(log).toEqual(['r10.1', 'r11.1', 'w10.1=11', 'w11.1=22']);
  });

  it('reports overlapping windows and lets the one mapped first answer', () => {
    const conflicts: string[] = [];
    const memory = new MemorySpace((added, existing) =>
      conflicts.push(`${added.name} over ${existing.name}`),
    );
    const first = memory.map('first', 0x1000, 0x100, constantTarget(1));
    memory.map('second', 0x1080, 0x100, constantTarget(2));
    expect(conflicts).toEqual(['second over first']);
    expect(memory.read(0x1080, 1)).toBe(1);
    memory.unmap(first);
    expect(memory.read(0x1080, 1)).toBe(2);
  });
});
