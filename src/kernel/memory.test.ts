import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BugcheckError } from './bugcheck.ts';
import { DISPATCH_LEVEL, keLowerIrql, keRaiseIrql } from './irql.ts';
import { Kernel } from './kernel.ts';
import { type MDL, MmCached, mdlPhysicalAddress, PAGE_SIZE } from './mdl.ts';
import {
  ioFreeMdl,
  MM_ALLOCATE_FULLY_REQUIRED,
  MM_DONT_ZERO_ALLOCATION,
  MM_HIGHEST_PHYSICAL_ADDRESS,
  mmAllocateContiguousMemory,
  mmAllocateContiguousMemorySpecifyCache,
  mmAllocateContiguousPagesForMdl,
  mmAllocatePagesForMdl,
  mmAllocatePagesForMdlEx,
  mmBuildMdlForIoSpace,
  mmFreeContiguousMemory,
  mmFreePagesFromMdl,
  mmGetSystemAddressForMdlSafe,
  mmMapLockedPages,
  mmMapMdlToProcess,
  mmProbeAndLockPages,
  mmUnlockPages,
  mmUnmapFromProcess,
  mmUnmapLockedPages,
} from './memory.ts';
import { NtError } from './nt-error.ts';
import { ntStatusName } from './ntstatus.ts';
import type { Ram } from './platform.ts';
import { UserProcess } from './process.ts';
import type { SystemMapping } from './system-mapping.ts';
import { TestPlatform, type TestPlatformOptions } from './test-platform.ts';

const MIB = 0x10_0000;
const FOUR_GIB = 0x1_0000_0000;
const ANY = MM_HIGHEST_PHYSICAL_ADDRESS;

function machine(options: TestPlatformOptions = {}): { kernel: Kernel; platform: TestPlatform } {
  const platform = new TestPlatform(options);
  return { kernel: new Kernel(platform), platform };
}

function bugcheckOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof BugcheckError) return `${error.bugcheck.name}: ${error.bugcheck.text}`;
    throw error;
  }
  return 'none';
}

function statusOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'none';
}

function required<T>(value: T | null): T {
  if (value === null) throw new Error('allocation failed');
  return value;
}

describe('MmAllocatePagesForMdl', () => {
  it('gives zeroed pages from the top: above 4 GiB when the limit allows it, below otherwise', () => {
    const { kernel, platform } = machine({ ramBytes: MIB, highRamBytes: MIB });
    platform.ram.fill(FOUR_GIB, MIB, 0xcc);
    kernel.enter(() => {
      const high = required(mmAllocatePagesForMdl(0, ANY, 0, 3 * PAGE_SIZE));
      expect(high.pages.every((page) => page * PAGE_SIZE >= FOUR_GIB)).toBe(true);
      expect(high.byteCount).toBe(3 * PAGE_SIZE);
      const bytes = new Uint8Array(3 * PAGE_SIZE).fill(1);
      mmMapLockedPages(high).read(0, bytes);
      expect(bytes.every((byte) => byte === 0)).toBe(true);
      const low = required(mmAllocatePagesForMdl(0, 0xffff_ffff, 0, PAGE_SIZE));
      expect(mdlPhysicalAddress(low, 0)).toBeLessThan(FOUR_GIB);
      const raw = required(
        mmAllocatePagesForMdlEx(FOUR_GIB, ANY, 0, PAGE_SIZE, MmCached, MM_DONT_ZERO_ALLOCATION),
      );
      expect(mmMapLockedPages(raw).readUchar(0)).toBe(0xcc);
    });
  });

  it('describes less than was asked for when memory is short, and is null when there is none', () => {
    const { kernel } = machine({ ramBytes: 16 * PAGE_SIZE });
    kernel.enter(() => {
      const all = required(mmAllocatePagesForMdl(0, ANY, 0, 100 * PAGE_SIZE));
      // Page 0 is never given out.
      expect(all.byteCount).toBe(15 * PAGE_SIZE);
      expect(mmAllocatePagesForMdl(0, ANY, 0, 1)).toBeNull();
      mmFreePagesFromMdl(all);
      expect(
        mmAllocatePagesForMdlEx(0, ANY, 0, 100 * PAGE_SIZE, MmCached, MM_ALLOCATE_FULLY_REQUIRED),
      ).toBeNull();
      expect(kernel.memory.freePageCount).toBe(15);
      expect(mmAllocatePagesForMdl(0, ANY, 0, 0)).toBeNull();
      expect(mmAllocatePagesForMdl(20 * PAGE_SIZE, ANY, 0, 1)).toBeNull();
    });
  });

  it('tries further ranges at the distance of SkipBytes', () => {
    const { kernel } = machine({ ramBytes: 64 * PAGE_SIZE });
    kernel.enter(() => {
      const mdl = required(
        mmAllocatePagesForMdl(PAGE_SIZE, 2 * PAGE_SIZE - 1, 16 * PAGE_SIZE, 10 * PAGE_SIZE),
      );
      expect([...mdl.pages]).toEqual([1, 17, 33, 49]);
    });
  });

  it('keeps within its addresses and gives every page to one owner (any sequence)', () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constantFrom('pages', 'run'),
        low: fc.nat(80),
        span: fc.nat(80),
        bytes: fc.integer({ min: 1, max: 12 * PAGE_SIZE }),
      }),
      fc.record({ kind: fc.constant('free'), index: fc.nat(20) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, scatter) => {
        const { kernel } = machine({ ramBytes: 64 * PAGE_SIZE, highRamBytes: 16 * PAGE_SIZE });
        const before = kernel.memory.freePageCount;
        kernel.memory.scatterPages = scatter;
        kernel.enter(() => {
          const owned: MDL[] = [];
          for (const s of steps) {
            if ('index' in s) {
              const [mdl] = owned.splice(s.index % Math.max(owned.length, 1), 1);
              if (mdl !== undefined) mmFreePagesFromMdl(mdl);
              continue;
            }
            const low = s.low * PAGE_SIZE;
            const high = low + s.span * PAGE_SIZE + PAGE_SIZE - 1;
            const mdl =
              s.kind === 'run'
                ? mmAllocateContiguousPagesForMdl(low, high, s.bytes)
                : mmAllocatePagesForMdl(low, high, 0, s.bytes);
            if (mdl === null) continue;
            for (const page of mdl.pages) {
              expect(page * PAGE_SIZE).toBeGreaterThanOrEqual(Math.max(low, PAGE_SIZE));
              expect(page * PAGE_SIZE + PAGE_SIZE - 1).toBeLessThanOrEqual(high);
            }
            if (s.kind === 'run') {
              expect(mdl.byteCount).toBe(s.bytes);
              for (let i = 1; i < mdl.pages.length; i++) expect(mdl.pages[i]).toBe((mdl.pages[0] ?? 0) + i);
            }
            owned.push(mdl);
          }
          const pages = owned.flatMap((mdl) => mdl.pages);
          expect(new Set(pages).size).toBe(pages.length);
          expect(kernel.memory.freePageCount).toBe(before - pages.length);
          for (const mdl of owned) mmFreePagesFromMdl(mdl);
          expect(kernel.memory.freePageCount).toBe(before);
          expect(kernel.leakReport().leaks).toEqual([]);
        });
      }),
      { numRuns: 150 },
    );
  });

  it('reports what was not freed', () => {
    const { kernel } = machine();
    kernel.enter(() =>
      kernel.callOut('ac97', 'NewStream', () => mmAllocatePagesForMdl(0, 0xffff_ffff, 0, 8192)),
    );
    const [leak] = kernel.leakReport().leaks;
    expect(leak).toMatchObject({ kind: 'MDL', driver: 'ac97' });
    expect(leak?.name).toMatch(/^PagesForMdl, 2 page\(s\) from 0xfe000$/);
  });
});

describe('MmFreePagesFromMdl', () => {
  it('twice is the bugcheck PFN_LIST_CORRUPT', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      mmFreePagesFromMdl(mdl);
      expect(bugcheckOf(() => mmFreePagesFromMdl(mdl))).toMatch(/^PFN_LIST_CORRUPT: .*freed before/);
    });
  });

  it('of pages that are mapped is the bugcheck MEMORY_MANAGEMENT', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      mmMapLockedPages(mdl);
      expect(bugcheckOf(() => mmFreePagesFromMdl(mdl))).toMatch(
        /^MEMORY_MANAGEMENT: .*still mapped into system space/,
      );
    });
    const second = machine();
    second.kernel.enter(() => {
      const process = new UserProcess(second.kernel, 'player');
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      mmMapMdlToProcess(mdl, process);
      expect(bugcheckOf(() => mmFreePagesFromMdl(mdl))).toMatch(/still mapped into a process/);
    });
  });

  it('of an MDL of another kind is a bugcheck', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const mdl = mmBuildMdlForIoSpace(0xfebf_0000, 16);
      expect(bugcheckOf(() => mmFreePagesFromMdl(mdl))).toMatch(/^MEMORY_MANAGEMENT: .*IoSpace/);
    });
  });

  it('above DISPATCH_LEVEL is a bugcheck, at DISPATCH_LEVEL allowed', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const old = keRaiseIrql(DISPATCH_LEVEL);
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      mmFreePagesFromMdl(mdl);
      keLowerIrql(old);
      keRaiseIrql(DISPATCH_LEVEL + 1);
      expect(bugcheckOf(() => mmAllocatePagesForMdl(0, ANY, 0, 1))).toMatch(
        /^IRQL_NOT_LESS_OR_EQUAL: MmAllocatePagesForMdl/,
      );
    });
  });
});

describe('contiguous memory', () => {
  it('lies below the limit and crosses no boundary', () => {
    const { kernel } = machine({ ramBytes: 4 * MIB });
    kernel.enter(() => {
      // An 8237 reaches 16 MiB and wraps at 64 KiB (channels 0–3).
      for (let i = 0; i < 8; i++) {
        const memory = required(
          mmAllocateContiguousMemorySpecifyCache(5 * PAGE_SIZE, 0, 0x1f_ffff, 0x1_0000, MmCached),
        );
        const first = memory.physicalAddress(0);
        expect(memory.physicalAddress(5 * PAGE_SIZE - 1)).toBe(first + 5 * PAGE_SIZE - 1);
        expect(first + 5 * PAGE_SIZE - 1).toBeLessThanOrEqual(0x1f_ffff);
        expect(Math.floor(first / 0x1_0000)).toBe(Math.floor((first + 5 * PAGE_SIZE - 1) / 0x1_0000));
      }
      expect(mmAllocateContiguousMemorySpecifyCache(17 * PAGE_SIZE, 0, ANY, 0x1_0000, MmCached)).toBeNull();
      expect(mmAllocateContiguousMemory(8 * MIB, ANY)).toBeNull();
      expect(
        statusOf(() => mmAllocateContiguousMemorySpecifyCache(PAGE_SIZE, 0, ANY, 0x1800, MmCached)),
      ).toBe('STATUS_INVALID_PARAMETER');
    });
  });

  it('is freed once, and faults afterwards', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const memory = required(mmAllocateContiguousMemory(100, ANY));
      memory.writeUlong(96, 0x12345678);
      expect(memory.readUshort(98)).toBe(0x1234);
      mmFreeContiguousMemory(memory);
      expect(kernel.leakReport().leaks).toEqual([]);
      expect(bugcheckOf(() => memory.readUlong(0))).toMatch(/^PAGE_FAULT_IN_NONPAGED_AREA: .*was unmapped/);
    });
    const second = machine();
    second.kernel.enter(() => {
      const memory = required(mmAllocateContiguousMemory(100, ANY));
      mmFreeContiguousMemory(memory);
      expect(bugcheckOf(() => mmFreeContiguousMemory(memory))).toMatch(/^BAD_POOL_CALLER/);
    });
  });
});

describe('a system mapping', () => {
  it('faults outside its bytes', () => {
    for (const access of [
      (m: SystemMapping) => m.readUlong(98),
      (m: SystemMapping) => m.readUchar(-1),
      (m: SystemMapping) => m.writeUshort(99, 1),
      (m: SystemMapping) => m.read(90, new Uint8Array(11)),
      (m: SystemMapping) => m.write(101, new Uint8Array(0)),
      (m: SystemMapping) => m.fill(0, 101, 0),
      (m: SystemMapping) => m.view(50, 51),
      (m: SystemMapping) => m.physicalAddress(100),
    ]) {
      const { kernel } = machine();
      kernel.enter(() => {
        const memory = required(mmAllocateContiguousMemory(100, ANY));
        expect(bugcheckOf(() => access(memory))).toMatch(/^PAGE_FAULT_IN_NONPAGED_AREA/);
      });
    }
  });

  it('is one per MDL; MmGetSystemAddressForMdlSafe gives the one there is', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      const mapping = mmMapLockedPages(mdl);
      expect(mmGetSystemAddressForMdlSafe(mdl)).toBe(mapping);
      mmUnmapLockedPages(mapping, mdl);
      const again = mmGetSystemAddressForMdlSafe(mdl);
      expect(again.virtualAddress).not.toBe(mapping.virtualAddress);
      expect(bugcheckOf(() => mmMapLockedPages(mdl))).toMatch(/^DRIVER_VERIFIER_DETECTED_VIOLATION/);
    });
  });

  it('is unmapped once, with its own MDL', () => {
    const { kernel } = machine();
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      const mapping = mmMapLockedPages(mdl);
      mmUnmapLockedPages(mapping, mdl);
      expect(bugcheckOf(() => mmUnmapLockedPages(mapping, mdl))).toMatch(
        /^MEMORY_MANAGEMENT: .*unmapped before/,
      );
    });
  });

  it('reads and writes scattered pages like one buffer (any access)', () => {
    const access = fc.record({
      offset: fc.nat(5 * PAGE_SIZE - 1),
      length: fc.nat(2 * PAGE_SIZE),
      kind: fc.constantFrom('write', 'fill', 'uchar', 'ushort', 'ulong'),
      value: fc.nat(0xffff_ffff),
    });
    fc.assert(
      fc.property(
        fc.array(access, { maxLength: 30 }),
        fc.boolean(),
        fc.boolean(),
        (accesses, scatter, viewless) => {
          const { kernel, platform } = machine({ ramBytes: MIB });
          if (viewless) hideViews(platform);
          kernel.memory.scatterPages = scatter;
          kernel.enter(() => {
            const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, 5 * PAGE_SIZE));
            const mapping = mmMapLockedPages(mdl);
            expect(mapping.isContiguous).toBe(!scatter);
            const model = new Uint8Array(5 * PAGE_SIZE);
            const view = new DataView(model.buffer);
            for (const { offset, length, kind, value } of accesses) {
              const room = model.length - offset;
              const bytes = Uint8Array.from({ length: Math.min(length, room) }, (_, i) => value + i);
              if (kind === 'write') {
                mapping.write(offset, bytes);
                model.set(bytes, offset);
              } else if (kind === 'fill') {
                mapping.fill(offset, bytes.length, value & 0xff);
                model.fill(value & 0xff, offset, offset + bytes.length);
              } else if (kind === 'uchar') {
                mapping.writeUchar(offset, value & 0xff);
                view.setUint8(offset, value & 0xff);
                expect(mapping.readUchar(offset)).toBe(value & 0xff);
              } else if (kind === 'ushort' && room >= 2) {
                mapping.writeUshort(offset, value & 0xffff);
                view.setUint16(offset, value & 0xffff, true);
                expect(mapping.readUshort(offset)).toBe(value & 0xffff);
              } else if (kind === 'ulong' && room >= 4) {
                mapping.writeUlong(offset, value);
                view.setUint32(offset, value, true);
                expect(mapping.readUlong(offset)).toBe(value);
              }
            }
            const all = new Uint8Array(model.length);
            mapping.read(0, all);
            expect(Buffer.compare(all, model)).toBe(0);
            for (let page = 0; page < 5; page++) {
              const bytes = new Uint8Array(PAGE_SIZE);
              platform.ram.read(mapping.physicalAddress(page * PAGE_SIZE), bytes);
              expect(Buffer.compare(bytes, model.subarray(page * PAGE_SIZE, (page + 1) * PAGE_SIZE))).toBe(0);
            }
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('gives views without a copy where pages are neighbours', () => {
    const { kernel, platform } = machine({ ramBytes: MIB });
    kernel.enter(() => {
      const mapping = mmMapLockedPages(required(mmAllocatePagesForMdl(0, ANY, 0, 2 * PAGE_SIZE)));
      const view = required(mapping.view(PAGE_SIZE - 4, 8));
      view.fill(7);
      expect(platform.ram.readUlong(mapping.physicalAddress(PAGE_SIZE))).toBe(0x07070707);
      kernel.memory.scatterPages = true;
      const scattered = mmMapLockedPages(required(mmAllocatePagesForMdl(0, ANY, 0, 2 * PAGE_SIZE)));
      expect(scattered.view(PAGE_SIZE - 4, 8)).toBeNull();
      expect(scattered.view(PAGE_SIZE, 8)).not.toBeNull();
    });
  });

  it('of register space makes bus cycles of the accessor’s width', () => {
    const { kernel, platform } = machine();
    const cycles: string[] = [];
    platform.addMemory(0xfebf_0000, 0x1000, {
      read: (offset, size) => {
        cycles.push(`r${size}@${offset}`);
        return 0x11 * size;
      },
      write: (offset, size, value) => cycles.push(`w${size}@${offset}=${value}`),
    });
    kernel.enter(() => {
      const mdl = mmBuildMdlForIoSpace(0xfebf_0010, 16);
      const mapping = mmMapLockedPages(mdl);
      expect(mapping.isIoSpace).toBe(true);
      expect(mapping.readUlong(4)).toBe(0x44);
      mapping.writeUshort(2, 9);
      mapping.read(1, new Uint8Array(7));
      expect(mapping.view(0, 4)).toBeNull();
      expect(cycles).toEqual(['r4@20', 'w2@18=9', 'r1@17', 'r2@18', 'r4@20']);
      mmUnmapLockedPages(mapping, mdl);
      ioFreeMdl(mdl);
      expect(kernel.leakReport().leaks).toEqual([]);
    });
  });
});

/** A machine whose RAM is in another process: no views. */
function hideViews(platform: TestPlatform): void {
  const ram: Ram = platform.ram;
  Object.defineProperty(ram, 'view', { value: () => null });
}

describe('process memory', () => {
  it('is zeroed, in RAM, and faults outside', () => {
    const { kernel } = machine();
    const process = new UserProcess(kernel, 'player');
    const address = process.allocateMemory(5000);
    expect(address % 0x1_0000).toBe(0);
    expect(address).toBeGreaterThan(FOUR_GIB);
    process.writeMemory(address + 4998, Uint8Array.of(1, 2));
    const bytes = new Uint8Array(3);
    process.readMemory(address + 4997, bytes);
    expect([...bytes]).toEqual([0, 1, 2]);
    expect(process.memoryView(address, 5000)?.[4999]).toBe(2);
    expect(statusOf(() => process.readMemory(address + 2 * PAGE_SIZE, new Uint8Array(1)))).toBe(
      'STATUS_ACCESS_VIOLATION',
    );
    expect(statusOf(() => process.writeMemory(0, new Uint8Array(1)))).toBe('STATUS_ACCESS_VIOLATION');
    process.freeMemory(address);
    expect(statusOf(() => process.readMemory(address, bytes))).toBe('STATUS_ACCESS_VIOLATION');
    expect(kernel.memory.freePageCount).toBe(255);
  });

  it('can be locked by a driver, which then sees the same bytes, also after the process has freed it', () => {
    const { kernel } = machine();
    const process = new UserProcess(kernel, 'player');
    kernel.memory.scatterPages = true;
    const address = process.allocateMemory(3 * PAGE_SIZE);
    process.writeMemory(address + PAGE_SIZE - 2, Uint8Array.of(1, 2, 3, 4));
    kernel.enter(() => {
      const mdl = mmProbeAndLockPages(process, address + PAGE_SIZE - 2, 4);
      expect(mdl.byteOffset).toBe(PAGE_SIZE - 2);
      expect(mdl.pages.length).toBe(2);
      const bytes = new Uint8Array(4);
      process.freeMemory(address);
      mmGetSystemAddressForMdlSafe(mdl).read(0, bytes);
      expect([...bytes]).toEqual([1, 2, 3, 4]);
      expect(kernel.memory.freePageCount).toBe(252);
      mmUnlockPages(mdl);
      expect(kernel.memory.freePageCount).toBe(255);
      expect(statusOf(() => mmProbeAndLockPages(process, address, 4))).toBe('STATUS_ACCESS_VIOLATION');
      expect(bugcheckOf(() => mmUnlockPages(mdl))).toMatch(/^PFN_LIST_CORRUPT/);
    });
  });

  it('left locked by a driver stops the machine when the process ends', () => {
    const { kernel } = machine();
    const process = new UserProcess(kernel, 'player');
    const address = process.allocateMemory(1);
    kernel.enter(() => mmProbeAndLockPages(process, address, 1));
    expect(bugcheckOf(() => process.terminate())).toMatch(/^PROCESS_HAS_LOCKED_PAGES: Process 'player'/);
  });

  it('shows a driver’s pages and registers at a user address', () => {
    const { kernel, platform } = machine();
    const process = new UserProcess(kernel, 'player');
    platform.addMemory(0xfebf_0000, 0x1000, { read: (offset) => offset, write: () => undefined });
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      const mapping = mmMapLockedPages(mdl);
      const address = mmMapMdlToProcess(mdl, process);
      const view = required(process.memoryView(address, PAGE_SIZE));
      mapping.writeUlong(8, 0xaabbccdd);
      expect(view[8]).toBe(0xdd);
      mmUnmapFromProcess(process, address, mdl);
      mmUnmapLockedPages(mapping, mdl);
      mmFreePagesFromMdl(mdl);
      expect(statusOf(() => process.readMemory(address, new Uint8Array(1)))).toBe('STATUS_ACCESS_VIOLATION');

      const registers = mmBuildMdlForIoSpace(0xfebf_0024, 4);
      const position = mmMapMdlToProcess(registers, process);
      expect(position % PAGE_SIZE).toBe(0x24);
      const bytes = new Uint8Array(4);
      process.readMemory(position, bytes);
      expect([...bytes]).toEqual([0x24, 0, 0, 0]);
      expect(process.memoryView(position, 4)).toBeNull();
      mmUnmapFromProcess(process, position, registers);
      expect(bugcheckOf(() => mmUnmapFromProcess(process, position, registers))).toMatch(
        /^MEMORY_MANAGEMENT/,
      );
    });
  });

  it('gives back everything when the process ends; what a driver left mapped is a finding', () => {
    const { kernel } = machine();
    const process = new UserProcess(kernel, 'player');
    process.allocateMemory(10);
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, PAGE_SIZE));
      mmMapMdlToProcess(mdl, process);
      process.terminate();
      expect(kernel.trace.findings.map((finding) => finding.text)).toEqual([
        'A driver left its pages mapped into a process that has ended.',
      ]);
      expect(statusOf(() => mmMapMdlToProcess(mdl, process))).toBe('STATUS_PROCESS_IS_TERMINATING');
      mmFreePagesFromMdl(mdl);
    });
    expect(kernel.memory.freePageCount).toBe(255);
    expect(kernel.leakReport().leaks).toEqual([]);
  });
});

describe('DMA isolation', () => {
  it('opens a range at the first mapping and closes it at the last', () => {
    const { kernel, platform } = machine();
    const { memory } = kernel;
    memory.mapForDma('pci:00:05.0', 0x8000, 4096);
    memory.mapForDma('pci:00:05.0', 0x8000, 4096);
    memory.mapForDma(null, 0x8000, 16);
    expect(platform.dmaRanges).toEqual([
      { busDevice: 'pci:00:05.0', physicalAddress: 0x8000, length: 4096 },
      { busDevice: null, physicalAddress: 0x8000, length: 16 },
    ]);
    expect(kernel.leakReport().leaks.map((leak) => leak.name)).toEqual([
      'pci:00:05.0: 4096 bytes at 0x8000',
      'every device: 16 bytes at 0x8000',
    ]);
    memory.unmapForDma('pci:00:05.0', 0x8000, 4096);
    expect(platform.dmaRanges.length).toBe(2);
    memory.unmapForDma('pci:00:05.0', 0x8000, 4096);
    memory.unmapForDma(null, 0x8000, 16);
    expect(platform.dmaRanges).toEqual([]);
    expect(kernel.leakReport().leaks).toEqual([]);
    kernel.enter(() => {
      expect(bugcheckOf(() => memory.unmapForDma(null, 0x8000, 16))).toMatch(
        /^DRIVER_VERIFIER_DETECTED_VIOLATION/,
      );
    });
  });

  it('closes a range whose pages are freed, and says so', () => {
    const { kernel, platform } = machine();
    kernel.enter(() => {
      const mdl = required(mmAllocatePagesForMdl(0, ANY, 0, 2 * PAGE_SIZE));
      kernel.memory.mapForDma('pci:00:05.0', mdlPhysicalAddress(mdl, 0), 2 * PAGE_SIZE);
      mmFreePagesFromMdl(mdl);
    });
    expect(platform.dmaRanges).toEqual([]);
    expect(kernel.trace.findings[0]?.data).toMatchObject({ busDevice: 'pci:00:05.0' });
  });
});
