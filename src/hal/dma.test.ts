import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyCard } from '../../test/support/copy-card.ts';
import { CopyDriver } from '../../test/support/copy-driver.ts';
import {
  BugcheckError,
  keLowerIrql,
  keRaiseIrqlToDpcLevel,
  type MDL,
  MM_HIGHEST_PHYSICAL_ADDRESS,
  mdlPhysicalAddress,
  mmAllocatePagesForMdl,
  mmFreePagesFromMdl,
  NtError,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../kernel/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import { highestDmaAddress } from './bus-master-dma.ts';
import { ioGetDmaAdapter } from './dma.ts';
import {
  type DEVICE_DESCRIPTION,
  DEVICE_DESCRIPTION_VERSION3,
  DeallocateObject,
  DeallocateObjectKeepRegisters,
  type DMA_ADAPTER,
  type IO_ALLOCATION_ACTION,
  KeepObject,
  type MapRegisterBase,
} from './dma-types.ts';

const BUS_DEVICE = 'pci:00:05.0';
const GIB_4 = 0x1_0000_0000;
const PAGE = 4096;

/** A machine with memory on both sides of 4 GiB and a card; `run` executes kernel code with an adapter for it. */
function setUp(description: Partial<DEVICE_DESCRIPTION> = {}) {
  const machine = new SimMachine({ ramBytes: 4 << 20, highRamBytes: 16 << 20 });
  const card = new CopyCard();
  machine.plugPci(card, 5);
  const driver = new CopyDriver();
  machine.installDriver(driver.package);
  machine.start();
  const { device } = driver;
  const run = <T>(fn: (adapter: DMA_ADAPTER) => T): T =>
    machine.kernel.enter(() => {
      const adapter = ioGetDmaAdapter(device.pdo, {
        master: true,
        scatterGather: true,
        dma32BitAddresses: true,
        maximumLength: 0x1_0000,
        ...description,
      });
      const result = fn(adapter);
      adapter.putDmaAdapter();
      return result;
    });
  return { machine, card, device, run, busMaster: card.slot.busMaster };
}

function statusOf(fn: () => unknown): number | null {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
  return null;
}

function allocateMdl(low: number, high: number, bytes: number): MDL {
  const mdl = mmAllocatePagesForMdl(low, high, 0, bytes);
  if (!mdl || mdl.byteCount !== bytes) throw new Error('Memory for the test is short.');
  return mdl;
}

function readMdl(machine: SimMachine, mdl: MDL): Uint8Array {
  const bytes = new Uint8Array(mdl.byteCount);
  for (let at = 0; at < bytes.length; at += PAGE) {
    machine.platform.ram.read(
      mdlPhysicalAddress(mdl, at),
      bytes.subarray(at, Math.min(at + PAGE, bytes.length)),
    );
  }
  return bytes;
}

function writeMdl(machine: SimMachine, mdl: MDL, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE) {
    machine.platform.ram.write(
      mdlPhysicalAddress(mdl, at),
      bytes.subarray(at, Math.min(at + PAGE, bytes.length)),
    );
  }
}

function bytesIn(ranges: readonly { readonly length: number }[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}

describe('common buffers', () => {
  it('lie where the device can address them, zeroed, open to it alone and no byte further', () => {
    const { machine, run, busMaster } = setUp();
    run((adapter) => {
      const buffer = adapter.allocateCommonBuffer(300, true);
      expect(buffer.logicalAddress + 300).toBeLessThanOrEqual(GIB_4);
      expect(buffer.byteLength).toBe(300);
      buffer.writeUlong(0, 0x1122_3344);
      expect(busMaster.readUlong(buffer.logicalAddress)).toBe(0x1122_3344);
      expect(busMaster.write(buffer.logicalAddress + 296, Uint8Array.of(1, 2, 3, 4))).toBe(true);
      expect(buffer.readUlong(296)).toBe(0x0403_0201);
      expect(busMaster.write(buffer.logicalAddress + 297, Uint8Array.of(1, 2, 3, 4))).toBe(false);
      expect(machine.platform.dma.allows('pci:00:06.0', buffer.logicalAddress, 1)).toBe(false);
      adapter.freeCommonBuffer(buffer);
      expect(busMaster.readUlong(buffer.logicalAddress)).toBeNull();
    });
  });

  it('lie above 4 GiB for a device that drives 64 address bits', () => {
    const { run, busMaster } = setUp({ dma64BitAddresses: true });
    run((adapter) => {
      const buffer = adapter.allocateCommonBuffer(PAGE, true);
      expect(buffer.logicalAddress).toBeGreaterThanOrEqual(GIB_4);
      expect(busMaster.write(buffer.logicalAddress, Uint8Array.of(7))).toBe(true);
      expect(buffer.readUchar(0)).toBe(7);
      adapter.freeCommonBuffer(buffer);
    });
  });

  it('are refused when no such memory is free', () => {
    const { run } = setUp();
    expect(run((adapter) => statusOf(() => adapter.allocateCommonBuffer(64 << 20, true)))).toBe(
      STATUS_INSUFFICIENT_RESOURCES,
    );
  });

  it('are found in the leak report, as their adapter is, when they are not freed', () => {
    const { machine, device } = setUp();
    machine.kernel.enter(() => {
      const adapter = ioGetDmaAdapter(device.pdo, {
        master: true,
        dma32BitAddresses: true,
        maximumLength: PAGE,
      });
      adapter.allocateCommonBuffer(64, true);
    });
    const kinds = machine.dispose().leaks.map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['DMA mapping', 'DMA_ADAPTER', 'contiguous memory']);
  });

  it('stop the machine when they are freed twice', () => {
    const { run } = setUp();
    const twice = () =>
      run((adapter) => {
        const buffer = adapter.allocateCommonBuffer(64, true);
        adapter.freeCommonBuffer(buffer);
        adapter.freeCommonBuffer(buffer);
      });
    expect(twice).toThrow(BugcheckError);
  });
});

describe('scatter/gather lists', () => {
  it('name the buffer’s own pages where the device can address them, neighbours as one element', () => {
    const { run } = setUp();
    run((adapter) => {
      const mdl = allocateMdl(0, GIB_4 - 1, 3 * PAGE);
      const list = adapter.getScatterGatherList(mdl, 100, 2 * PAGE, true);
      expect(list.elements).toEqual([{ address: mdlPhysicalAddress(mdl, 100), length: 2 * PAGE }]);
      adapter.putScatterGatherList(list, true);
      mmFreePagesFromMdl(mdl);
    });
  });

  it('replace pages that the device cannot address by pages that it can', () => {
    const { machine, run, busMaster } = setUp();
    run((adapter) => {
      const mdl = allocateMdl(GIB_4, MM_HIGHEST_PHYSICAL_ADDRESS, 2 * PAGE);
      writeMdl(machine, mdl, new Uint8Array(2 * PAGE).fill(0x5a));
      const free = machine.kernel.memory.freePageCount;
      const list = adapter.getScatterGatherList(mdl, 0, 2 * PAGE, false);
      expect(machine.kernel.memory.freePageCount).toBe(free - 2);
      const [element] = list.elements;
      if (!element) throw new Error('The list is empty.');
      expect(element.address + element.length).toBeLessThanOrEqual(GIB_4);
      expect(busMaster.write(element.address + 10, Uint8Array.of(1, 2, 3))).toBe(true);
      adapter.putScatterGatherList(list, false);
      expect([...readMdl(machine, mdl).subarray(8, 15)]).toEqual([0x5a, 0x5a, 1, 2, 3, 0x5a, 0x5a]);
      expect(machine.kernel.memory.freePageCount).toBe(free);
      mmFreePagesFromMdl(mdl);
    });
  });

  it('are refused beyond the buffer and beyond the map registers', () => {
    const { run } = setUp({ maximumLength: 2 * PAGE });
    run((adapter) => {
      expect(adapter.numberOfMapRegisters).toBe(3);
      const mdl = allocateMdl(0, MM_HIGHEST_PHYSICAL_ADDRESS, 5 * PAGE);
      expect(statusOf(() => adapter.getScatterGatherList(mdl, 0, 5 * PAGE + 1, true))).toBe(
        STATUS_BUFFER_TOO_SMALL,
      );
      expect(statusOf(() => adapter.getScatterGatherList(mdl, 0, 4 * PAGE, true))).toBe(
        STATUS_INSUFFICIENT_RESOURCES,
      );
      const list = adapter.getScatterGatherList(mdl, PAGE - 1, 2 * PAGE, true);
      adapter.putScatterGatherList(list, true);
      mmFreePagesFromMdl(mdl);
    });
  });

  it('carry every byte both ways, wherever the pages lie, and open nothing else', () => {
    const scenario = fc.record({
      pages: fc.integer({ min: 1, max: 6 }),
      high: fc.boolean(),
      scatter: fc.boolean(),
      scatterGather: fc.boolean(),
      from: fc.nat(PAGE * 2),
      length: fc.integer({ min: 1, max: PAGE * 4 }),
      seed: fc.nat(255),
    });
    fc.assert(
      fc.property(scenario, ({ pages, high, scatter, scatterGather, from, length, seed }) => {
        const { machine, run, busMaster } = setUp({ scatterGather });
        machine.kernel.memory.scatterPages = scatter;
        run((adapter) => {
          const size = pages * PAGE;
          const mdl = high
            ? allocateMdl(GIB_4, MM_HIGHEST_PHYSICAL_ADDRESS, size)
            : allocateMdl(0, GIB_4 - 1, size);
          const offset = Math.min(from, size - 1);
          const bytes = Math.min(length, size - offset);
          const contents = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed + (i >> 8)) & 0xff);
          writeMdl(machine, mdl, contents);
          const before = machine.platform.dma.rangesOf(BUS_DEVICE);

          const toCard = adapter.getScatterGatherList(mdl, offset, bytes, true);
          if (!scatterGather) expect(toCard.numberOfElements).toBe(1);
          const seen = new Uint8Array(bytes);
          let at = 0;
          for (const { address, length: part } of toCard.elements) {
            expect(address + part).toBeLessThanOrEqual(GIB_4);
            expect(busMaster.read(address, seen.subarray(at, at + part))).toBe(true);
            at += part;
          }
          expect(at).toBe(bytes);
          expect(seen).toEqual(contents.slice(offset, offset + bytes));
          adapter.putScatterGatherList(toCard, true);

          const fromCard = adapter.getScatterGatherList(mdl, offset, bytes, false);
          const opened = fromCard.elements.reduce((sum, element) => sum + element.length, 0);
          expect(opened).toBe(bytes);
          expect(bytesIn(machine.platform.dma.rangesOf(BUS_DEVICE))).toBe(bytesIn(before) + bytes);
          const written = Uint8Array.from({ length: bytes }, (_, i) => (i * 17 + 5 + seed) & 0xff);
          at = 0;
          for (const { address, length: part } of fromCard.elements) {
            expect(busMaster.write(address, written.subarray(at, at + part))).toBe(true);
            at += part;
          }
          adapter.putScatterGatherList(fromCard, false);
          contents.set(written, offset);
          expect(readMdl(machine, mdl)).toEqual(contents);
          expect(machine.platform.dma.rangesOf(BUS_DEVICE)).toEqual(before);
          mmFreePagesFromMdl(mdl);
        });
        expect(machine.dispose().leaks).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

describe('packet transfers (AllocateAdapterChannel, MapTransfer)', () => {
  function atDispatchLevel<T>(fn: () => T): T {
    const old = keRaiseIrqlToDpcLevel();
    const result = fn();
    keLowerIrql(old);
    return result;
  }

  it('map a buffer piece by piece for a scatter/gather device', () => {
    const { machine, run, busMaster, device } = setUp();
    run((adapter) => {
      machine.kernel.memory.scatterPages = true;
      const mdl = allocateMdl(0, GIB_4 - 1, 3 * PAGE);
      const pieces: { logicalAddress: number; length: number }[] = [];
      let registers: MapRegisterBase | null = null;
      atDispatchLevel(() => {
        adapter.allocateAdapterChannel(
          device.fdo,
          4,
          (_device, _irp, base) => {
            registers = base;
            for (let at = 0; at < 3 * PAGE; ) {
              const piece = adapter.mapTransfer(mdl, base, at, 3 * PAGE - at, false);
              expect(
                busMaster.write(piece.logicalAddress, new Uint8Array(piece.length).fill(pieces.length + 1)),
              ).toBe(true);
              pieces.push(piece);
              at += piece.length;
            }
            return DeallocateObjectKeepRegisters;
          },
          null,
        );
        if (!registers) throw new Error('The channel was free, and AdapterControl not called.');
        expect(adapter.flushAdapterBuffers(mdl, registers, 0, 3 * PAGE, false)).toBe(true);
        adapter.freeMapRegisters(registers, 4);
      });
      expect(pieces).toHaveLength(3);
      expect([0, PAGE, 2 * PAGE].map((at) => readMdl(machine, mdl)[at])).toEqual([1, 2, 3]);
      expect(busMaster.write(pieces[0]?.logicalAddress ?? 0, Uint8Array.of(9))).toBe(false);
      mmFreePagesFromMdl(mdl);
    });
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('make a scattered buffer one piece for a device without scatter/gather', () => {
    const { machine, run, busMaster, device } = setUp({ scatterGather: false });
    run((adapter) => {
      const mdl = allocateMdl(GIB_4, MM_HIGHEST_PHYSICAL_ADDRESS, 3 * PAGE);
      writeMdl(
        machine,
        mdl,
        Uint8Array.from({ length: 3 * PAGE }, (_, i) => i >> 8),
      );
      atDispatchLevel(() =>
        adapter.allocateAdapterChannel(
          device.fdo,
          4,
          (_device, _irp, base) => {
            const piece = adapter.mapTransfer(mdl, base, 10, 3 * PAGE - 20, true);
            expect(piece.length).toBe(3 * PAGE - 20);
            const seen = new Uint8Array(piece.length);
            expect(busMaster.read(piece.logicalAddress, seen)).toBe(true);
            expect(seen).toEqual(readMdl(machine, mdl).slice(10, 3 * PAGE - 10));
            adapter.flushAdapterBuffers(mdl, base, 10, 3 * PAGE - 20, true);
            return DeallocateObject;
          },
          null,
        ),
      );
      mmFreePagesFromMdl(mdl);
    });
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('wait for the channel while a driver keeps it', () => {
    const { run, device } = setUp();
    run((adapter) =>
      atDispatchLevel(() => {
        const order: string[] = [];
        const note = (what: string, action: IO_ALLOCATION_ACTION) => () => {
          order.push(what);
          return action;
        };
        adapter.allocateAdapterChannel(device.fdo, 1, note('first', KeepObject), null);
        adapter.allocateAdapterChannel(device.fdo, 1, note('second', DeallocateObject), null);
        expect(order).toEqual(['first']);
        adapter.freeAdapterChannel();
        expect(order).toEqual(['first', 'second']);
        const tooMany = statusOf(() =>
          adapter.allocateAdapterChannel(device.fdo, 1000, () => DeallocateObject, null),
        );
        expect(tooMany).toBe(STATUS_INSUFFICIENT_RESOURCES);
      }),
    );
  });
});

describe('IoGetDmaAdapter', () => {
  it('takes the address width from the description', () => {
    const base = { master: true, maximumLength: 1 };
    expect(highestDmaAddress(base)).toBe(0xff_ffff);
    expect(highestDmaAddress({ ...base, dma32BitAddresses: true })).toBe(0xffff_ffff);
    expect(highestDmaAddress({ ...base, dma64BitAddresses: true })).toBe(MM_HIGHEST_PHYSICAL_ADDRESS);
    const version3 = { ...base, version: DEVICE_DESCRIPTION_VERSION3 };
    expect(highestDmaAddress({ ...version3, dmaAddressWidth: 30 })).toBe(0x3fff_ffff);
    expect(statusOf(() => highestDmaAddress(version3))).toBe(STATUS_INVALID_PARAMETER);
  });

  it('has nothing for devices that do not master the bus, nor for a transfer of no length', () => {
    const { machine, device } = setUp();
    const ask = (description: DEVICE_DESCRIPTION) =>
      machine.kernel.enter(() => statusOf(() => ioGetDmaAdapter(device.pdo, description)));
    expect(ask({ master: false, maximumLength: PAGE })).toBe(STATUS_NOT_SUPPORTED);
    expect(ask({ master: true, dma32BitAddresses: true, maximumLength: 0 })).toBe(STATUS_INVALID_PARAMETER);
  });

  it('reports an adapter that is put with buffers outstanding, and stops the machine when it is used afterwards', () => {
    const { machine, device } = setUp();
    machine.kernel.enter(() => {
      const adapter = ioGetDmaAdapter(device.pdo, {
        master: true,
        dma32BitAddresses: true,
        maximumLength: PAGE,
      });
      adapter.allocateCommonBuffer(64, true);
      adapter.putDmaAdapter();
      expect(machine.trace.findings.at(-1)?.text).toMatch(/PutDmaAdapter while 1 common buffer/);
      expect(() => adapter.allocateCommonBuffer(64, true)).toThrow(/after PutDmaAdapter/);
    });
    expect(machine.kernel.stopped?.name).toBe('DRIVER_VERIFIER_DETECTED_VIOLATION');
  });
});
