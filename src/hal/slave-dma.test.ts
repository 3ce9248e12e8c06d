import { describe, expect, it } from 'vitest';
import { IsaDriver } from '../../test/support/isa-driver.ts';
import { MemorySink } from '../hardware/analog.ts';
import { Sb16Card } from '../hardware/sb16/index.ts';
import {
  currentKernel,
  ioConnectInterrupt,
  ioDisconnectInterrupt,
  ioFreeMdl,
  type KINTERRUPT,
  keLowerIrql,
  keRaiseIrqlToDpcLevel,
  type MDL,
  mdlPhysicalAddress,
  mmAllocatePagesForMdl,
  mmFreePagesFromMdl,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../kernel/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import { READ_PORT_UCHAR, WRITE_PORT_UCHAR } from './access.ts';
import { ioGetDmaAdapter } from './dma.ts';
import {
  type CommonBuffer,
  type DEVICE_DESCRIPTION,
  DeallocateObject,
  type DMA_ADAPTER,
  KeepObject,
  type MapRegisterBase,
} from './dma-types.ts';
import { interruptLineOfVector } from './interrupt-translation.ts';

const BLOCK_FRAMES = 441;
const BUFFER_BYTES = 4 * BLOCK_FRAMES * 2;

function statusOf(run: () => unknown): number | null {
  try {
    run();
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
  return null;
}

function boot(options: { readonly ramBytes?: number } = {}) {
  const sink = new MemorySink();
  const card = new Sb16Card({ lineOut: sink });
  const machine = new SimMachine({ ramBytes: options.ramBytes ?? 32 << 20 });
  machine.plugIsa(card);
  const driver = new IsaDriver(['*CTL0031']);
  machine.installDriver(driver.package);
  machine.start();
  const adapterOf = (description: Partial<DEVICE_DESCRIPTION> = {}): DMA_ADAPTER =>
    ioGetDmaAdapter(driver.device.pdo, {
      master: false,
      dmaChannel: 5,
      dmaWidth: 'Width16Bits',
      interfaceType: 'Isa',
      maximumLength: 0x1_0000,
      ...description,
    });
  const base = driver.device.ports(0).start;
  const dsp = (...bytes: readonly number[]) => {
    for (const byte of bytes) WRITE_PORT_UCHAR(base + 0xc, byte);
  };
  const mixer = (index: number, value: number) => {
    WRITE_PORT_UCHAR(base + 4, index);
    WRITE_PORT_UCHAR(base + 5, value);
  };
  return { machine, driver, card, sink, adapterOf, base, dsp, mixer };
}

/** Takes the channel as an AdapterControl routine does, and keeps it. */
function take(adapter: DMA_ADAPTER, device: IsaDriver['device']): MapRegisterBase {
  let base: MapRegisterBase | null = null;
  const irql = keRaiseIrqlToDpcLevel();
  adapter.allocateAdapterChannel(
    device.fdo,
    adapter.numberOfMapRegisters,
    (_device, _irp, registers) => {
      base = registers;
      return KeepObject;
    },
    null,
  );
  keLowerIrql(irql);
  if (base === null) throw new Error('The channel was not free.');
  return base;
}

function mdlOf(buffer: CommonBuffer): MDL {
  const first = buffer.logicalAddress / 4096;
  const pages = Array.from({ length: Math.ceil(buffer.byteLength / 4096) }, (_, i) => first + i);
  return currentKernel().memory.newMdl('Contiguous', pages, buffer.byteLength, 0);
}

function atDispatch<T>(run: () => T): T {
  const irql = keRaiseIrqlToDpcLevel();
  try {
    return run();
  } finally {
    keLowerIrql(irql);
  }
}

describe('slave DMA adapters', () => {
  it('play a cyclic common buffer through the system DMA controller, with an interrupt a block', () => {
    const { machine, driver, sink, adapterOf, base, dsp, mixer } = boot();
    const { device } = driver;
    let interrupt: KINTERRUPT | null = null;
    const counters: number[] = [];
    const { adapter, buffer, mdl, registers } = machine.kernel.enter(() => {
      const adapter = adapterOf({ autoInitialize: true });
      const buffer = adapter.allocateCommonBuffer(BUFFER_BYTES, false);
      expect(buffer.logicalAddress + BUFFER_BYTES).toBeLessThanOrEqual(0x100_0000);
      for (let i = 0; i < BUFFER_BYTES / 2; i++) buffer.writeUshort(2 * i, (i * 257) & 0xffff);
      const mdl = mdlOf(buffer);
      const registers = take(adapter, device);
      const resource = device.resources.find((one) => one.type === 'Interrupt');
      if (!resource) throw new Error('The device has no interrupt.');
      interrupt = ioConnectInterrupt({
        serviceRoutine: () => {
          READ_PORT_UCHAR(base + 0xf);
          counters.push(adapter.readDmaCounter());
          return true;
        },
        serviceContext: null,
        vector: resource.vector,
        irql: resource.level,
        synchronizeIrql: resource.level,
        interruptMode: 'Latched',
        shareVector: false,
        line: interruptLineOfVector(resource.vector),
      });
      atDispatch(() => adapter.mapTransfer(mdl, registers, 0, BUFFER_BYTES, true));
      for (const index of [0x30, 0x31, 0x32, 0x33]) mixer(index, 0xf8);
      dsp(0x41, 44100 >> 8, 44100 & 0xff);
      dsp(0xb4, 0x30, (2 * BLOCK_FRAMES - 1) & 0xff, (2 * BLOCK_FRAMES - 1) >> 8);
      return { adapter, buffer, mdl, registers };
    });
    machine.runFor(500_000);
    expect(counters).toEqual([
      BUFFER_BYTES / 2,
      BUFFER_BYTES,
      BUFFER_BYTES / 2,
      BUFFER_BYTES,
      BUFFER_BYTES / 2,
    ]);
    const expected = Int16Array.from(
      { length: 5 * 2 * BLOCK_FRAMES },
      (_, i) => (i % (BUFFER_BYTES / 2)) * 257,
    );
    expect(sink.samples).toEqual(expected);
    machine.runFor(11_339);
    machine.kernel.enter(() => {
      // 50 frames on: 200 bytes.
      expect(adapter.readDmaCounter()).toBe(BUFFER_BYTES / 2 - 200);
      dsp(0xd5, 0xd9);
      atDispatch(() => {
        adapter.flushAdapterBuffers(mdl, registers, 0, BUFFER_BYTES, true);
        adapter.freeAdapterChannel();
      });
      expect(adapter.readDmaCounter()).toBe(0);
      ioFreeMdl(mdl);
      adapter.freeCommonBuffer(buffer);
      adapter.putDmaAdapter();
      if (interrupt) ioDisconnectInterrupt(interrupt);
    });
    expect(machine.trace.findings).toEqual([]);
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('carry buffers that the controller cannot reach through memory that it can, both ways', () => {
    const { machine, driver, card, adapterOf, dsp } = boot();
    machine.kernel.enter(() => {
      const mdl: MDL | null = mmAllocatePagesForMdl(0x100_0000, 0x1ff_ffff, 0, 8192);
      if (!mdl) throw new Error('Memory for the test is short.');
      const { ram } = machine.platform;
      const at = (offset: number) => mdlPhysicalAddress(mdl, offset);
      expect(at(0)).toBeGreaterThanOrEqual(0x100_0000);
      ram.write(
        at(0),
        Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff),
      );
      ram.write(at(4096), new Uint8Array(4096).fill(0x55));
      const adapter = adapterOf({ dmaChannel: 1, dmaWidth: 'Width8Bits' });
      const registers = take(adapter, driver.device);
      // Recording without a source writes silence: 80h in unsigned bytes.
      atDispatch(() => adapter.mapTransfer(mdl, registers, 10, 6000, false));
      dsp(0x42, 40000 >> 8, 40000 & 0xff, 0xc8, 0x00, 5999 & 0xff, 5999 >> 8);
      machine.kernel.stall(1_500_000);
      expect(adapter.readDmaCounter()).toBe(0);
      expect(card.position(8).dmaBytes).toBe(6000);
      const bytes = new Uint8Array(4096);
      ram.read(at(0), bytes);
      expect(bytes[100]).toBe(100);
      atDispatch(() => {
        adapter.flushAdapterBuffers(mdl, registers, 10, 6000, false);
        adapter.freeAdapterChannel();
      });
      ram.read(at(0), bytes);
      expect([bytes[9], bytes[10], bytes[4095]]).toEqual([9, 0x80, 0x80]);
      ram.read(at(4096), bytes);
      expect([bytes[0], bytes[1913], bytes[1914]]).toEqual([0x80, 0x80, 0x55]);
      expect(machine.platform.dma.rangesOf('isa-dma')).toEqual([]);
      adapter.putDmaAdapter();
      mmFreePagesFromMdl(mdl);
    });
    machine.dispose();
  });

  it('wait for a channel that another adapter holds', () => {
    const { machine, driver, adapterOf } = boot();
    machine.kernel.enter(() => {
      const [one, other] = [adapterOf(), adapterOf()];
      const registers = take(one, driver.device);
      const events: string[] = [];
      atDispatch(() =>
        other.allocateAdapterChannel(
          driver.device.fdo,
          1,
          () => {
            events.push('other');
            return DeallocateObject;
          },
          null,
        ),
      );
      expect(events).toEqual([]);
      expect(registers.numberOfMapRegisters).toBe(one.numberOfMapRegisters);
      atDispatch(() => one.freeAdapterChannel());
      expect(events).toEqual(['other']);
      one.putDmaAdapter();
      other.putDmaAdapter();
    });
    machine.dispose();
  });

  it('keep every buffer within a page of its channel', () => {
    const { machine, adapterOf } = boot();
    machine.kernel.enter(() => {
      const adapter = adapterOf({ dmaChannel: 1, dmaWidth: 'Width8Bits' });
      const wide = adapterOf({ maximumLength: 0x2_0000 });
      for (const [one, length, page] of [
        [adapter, 0x1_0000, 0x1_0000],
        [adapter, 0x9000, 0x1_0000],
        [wide, 0x2_0000, 0x2_0000],
      ] as const) {
        const buffers = Array.from({ length: 4 }, () => one.allocateCommonBuffer(length, false));
        for (const buffer of buffers) {
          const first = Math.floor(buffer.logicalAddress / page);
          expect(Math.floor((buffer.logicalAddress + length - 1) / page)).toBe(first);
        }
        for (const buffer of buffers) one.freeCommonBuffer(buffer);
      }
      adapter.putDmaAdapter();
      wide.putDmaAdapter();
    });
    machine.dispose();
  });

  it('refuse what no controller can do', () => {
    const { machine, driver, adapterOf } = boot();
    machine.kernel.enter(() => {
      expect(statusOf(() => adapterOf({ dmaChannel: 4 }))).toBe(STATUS_INVALID_PARAMETER);
      expect(statusOf(() => adapterOf({ dmaChannel: 8 }))).toBe(STATUS_INVALID_PARAMETER);
      expect(statusOf(() => adapterOf({ dmaWidth: 'Width8Bits' }))).toBe(STATUS_INVALID_PARAMETER);
      const adapter = adapterOf();
      const buffer = adapter.allocateCommonBuffer(64, false);
      const mdl = mdlOf(buffer);
      expect(statusOf(() => adapter.getScatterGatherList(mdl, 0, 1, true))).toBe(STATUS_NOT_SUPPORTED);
      const registers = take(adapter, driver.device);
      expect(statusOf(() => atDispatch(() => adapter.mapTransfer(mdl, registers, 0, 63, true)))).toBe(
        STATUS_INVALID_PARAMETER,
      );
      atDispatch(() => adapter.freeAdapterChannel());
      ioFreeMdl(mdl);
      adapter.freeCommonBuffer(buffer);
      adapter.putDmaAdapter();
    });
    machine.dispose();
  });
});
