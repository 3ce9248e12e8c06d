import { describe, expect, it } from 'vitest';
import { Kernel, TestPlatform, type TestTarget, Trace, TraceKind } from '../kernel/index.ts';
import * as hal from './access.ts';
import { mmMapIoSpace, mmUnmapIoSpace } from './map-io-space.ts';

/** Little-endian bytes that log the accesses made to them. */
function recorder(length: number): TestTarget & { readonly log: string[]; readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(length);
  const log: string[] = [];
  return {
    log,
    bytes,
    read(offset, size) {
      log.push(`r${offset}.${size}`);
      let value = 0;
      for (let i = size - 1; i >= 0; i--) value = value * 256 + (bytes[offset + i] ?? 0);
      return value;
    },
    write(offset, size, value) {
      log.push(`w${offset}.${size}=${value.toString(16)}`);
      for (let i = 0; i < size; i++) bytes[offset + i] = value >>> (8 * i);
    },
  };
}

function setUp(trace = new Trace()) {
  const platform = new TestPlatform();
  const kernel = new Kernel(platform, { trace });
  const ports = recorder(64);
  const memory = recorder(256);
  platform.addPorts(0xe000, 64, ports);
  platform.addMemory(0xf000_0000, 256, memory);
  return { platform, kernel, ports, memory, trace };
}

describe('port access', () => {
  it('is one cycle of the width that the name says, with the value cut to it', () => {
    const { kernel, ports } = setUp();
    kernel.enter(() => {
      hal.WRITE_PORT_UCHAR(0xe001, 0x1ab);
      hal.WRITE_PORT_USHORT(0xe002, -1);
      hal.WRITE_PORT_ULONG(0xe004, -2);
      expect(hal.READ_PORT_UCHAR(0xe001)).toBe(0xab);
      expect(hal.READ_PORT_USHORT(0xe002)).toBe(0xffff);
      expect(hal.READ_PORT_ULONG(0xe004)).toBe(0xffff_fffe);
      expect(hal.READ_PORT_ULONG(0x1234)).toBe(0xffff_ffff);
    });
    expect(ports.log).toEqual(['w1.1=ab', 'w2.2=ffff', 'w4.4=fffffffe', 'r1.1', 'r2.2', 'r4.4']);
  });

  it('moves buffers through one port', () => {
    const { kernel, ports } = setUp();
    kernel.enter(() => {
      hal.WRITE_PORT_BUFFER_UCHAR(0xe000, Uint8Array.of(1, 2));
      hal.WRITE_PORT_BUFFER_USHORT(0xe002, Uint16Array.of(3, 4));
      hal.WRITE_PORT_BUFFER_ULONG(0xe004, Uint32Array.of(5, 6));
      const bytes = new Uint8Array(2);
      hal.READ_PORT_BUFFER_UCHAR(0xe000, bytes);
      expect([...bytes]).toEqual([2, 2]);
      const words = new Uint16Array(2);
      hal.READ_PORT_BUFFER_USHORT(0xe002, words);
      expect([...words]).toEqual([4, 4]);
      const dwords = new Uint32Array(1);
      hal.READ_PORT_BUFFER_ULONG(0xe004, dwords);
      expect([...dwords]).toEqual([6]);
    });
    expect(ports.log.slice(0, 6)).toEqual(['w0.1=1', 'w0.1=2', 'w2.2=3', 'w2.2=4', 'w4.4=5', 'w4.4=6']);
  });
});

describe('register access', () => {
  it('goes to mapped device memory, 64 bits as two dwords, low first', () => {
    const { kernel, memory } = setUp();
    kernel.enter(() => {
      const base = mmMapIoSpace(0xf000_0000, 256);
      hal.WRITE_REGISTER_UCHAR(base + 1, 0x1ff);
      hal.WRITE_REGISTER_USHORT(base + 2, 0x1_2345);
      hal.WRITE_REGISTER_ULONG(base + 4, 0x89ab_cdef);
      hal.WRITE_REGISTER_ULONG64(base + 8, 0x1122_3344_5566_7788n);
      expect(hal.READ_REGISTER_UCHAR(base + 1)).toBe(0xff);
      expect(hal.READ_REGISTER_USHORT(base + 2)).toBe(0x2345);
      expect(hal.READ_REGISTER_ULONG(base + 4)).toBe(0x89ab_cdef);
      expect(hal.READ_REGISTER_ULONG64(base + 8)).toBe(0x1122_3344_5566_7788n);
      mmUnmapIoSpace(base, 256);
    });
    expect(memory.log.slice(3)).toEqual([
      'w8.4=55667788',
      'w12.4=11223344',
      'r1.1',
      'r2.2',
      'r4.4',
      'r8.4',
      'r12.4',
    ]);
  });

  it('moves buffers through consecutive registers', () => {
    const { kernel, memory } = setUp();
    kernel.enter(() => {
      const base = mmMapIoSpace(0xf000_0000, 256);
      hal.WRITE_REGISTER_BUFFER_UCHAR(base, Uint8Array.of(1, 2));
      hal.WRITE_REGISTER_BUFFER_USHORT(base + 2, Uint16Array.of(3, 4));
      hal.WRITE_REGISTER_BUFFER_ULONG(base + 8, Uint32Array.of(5, 6));
      hal.WRITE_REGISTER_BUFFER_ULONG64(base + 16, BigUint64Array.of(7n, 8n));
      const quads = new BigUint64Array(2);
      hal.READ_REGISTER_BUFFER_ULONG64(base + 16, quads);
      expect([...quads]).toEqual([7n, 8n]);
      const dwords = new Uint32Array(2);
      hal.READ_REGISTER_BUFFER_ULONG(base + 8, dwords);
      expect([...dwords]).toEqual([5, 6]);
      const words = new Uint16Array(2);
      hal.READ_REGISTER_BUFFER_USHORT(base + 2, words);
      expect([...words]).toEqual([3, 4]);
      const bytes = new Uint8Array(2);
      hal.READ_REGISTER_BUFFER_UCHAR(base, bytes);
      expect([...bytes]).toEqual([1, 2]);
      mmUnmapIoSpace(base, 256);
    });
    expect(memory.log.slice(0, 6)).toEqual(['w0.1=1', 'w1.1=2', 'w2.2=3', 'w4.2=4', 'w8.4=5', 'w12.4=6']);
  });

  it('stops the machine at an address that is not mapped, and says what is probably wrong', () => {
    const physical = setUp();
    expect(() => physical.kernel.enter(() => hal.READ_REGISTER_ULONG(0xf000_0000))).toThrow(
      /without MmMapIoSpace/,
    );
    expect(physical.kernel.stopped?.name).toBe('PAGE_FAULT_IN_NONPAGED_AREA');

    const unmapped = setUp();
    const useAfterUnmap = () =>
      unmapped.kernel.enter(() => {
        const base = mmMapIoSpace(0xf000_0000, 256);
        hal.READ_REGISTER_ULONG(base);
        mmUnmapIoSpace(base, 256);
        hal.READ_REGISTER_ULONG(base);
      });
    expect(useAfterUnmap).toThrow(/no longer\) mapped/);
  });

  it('reports an access beyond the mapping that a PC would let pass', () => {
    const { kernel, trace } = setUp();
    kernel.enter(() => {
      const base = mmMapIoSpace(0xf000_0000, 16);
      expect(hal.READ_REGISTER_ULONG(base + 16)).toBe(0);
      expect(trace.findings.map(({ text }) => text)).toEqual([
        expect.stringContaining('beyond what MmMapIoSpace'),
      ]);
      expect(() => hal.READ_REGISTER_ULONG(base + 4096)).toThrow(/not \(or no longer\) mapped/);
    });
  });

  it('lists what is never unmapped in the leak report, and refuses to unmap it otherwise than it was mapped', () => {
    const { kernel } = setUp();
    kernel.enter(() => {
      const base = mmMapIoSpace(0xf000_0000, 16);
      expect(kernel.leakReport().leaks.map(({ kind }) => kind)).toEqual(['I/O mapping']);
      expect(() => mmUnmapIoSpace(base, 8)).toThrow(/nothing is mapped so/);
    });
  });
});

describe('accesses on the timeline', () => {
  it('are recorded when register events are wanted, with kind, address and value', () => {
    const { kernel, trace } = setUp(new Trace({ mask: TraceKind.Register }));
    kernel.enter(() => {
      hal.WRITE_PORT_USHORT(0xe010, 0x1234);
      const base = mmMapIoSpace(0xf000_0000, 256);
      hal.READ_REGISTER_UCHAR(base + 4);
      mmUnmapIoSpace(base, 256);
    });
    expect(trace.events().map(({ source, name, data }) => ({ source, name, data }))).toEqual([
      { source: 'test', name: 'WRITE_PORT_USHORT 0xE010', data: { address: 0xe010, size: 2, value: 0x1234 } },
      {
        source: 'test',
        name: 'READ_REGISTER_UCHAR 0xF0000004',
        data: { address: 0xf000_0004, size: 1, value: 0 },
      },
    ]);
  });
});

describe('interrupts that an access raises', () => {
  it('are serviced before the access returns, or as soon as the level allows', async () => {
    const { platform, kernel } = setUp();
    const { ioConnectInterrupt, keRaiseIrql, keLowerIrql, HIGH_LEVEL, ioDisconnectInterrupt } = await import(
      '../kernel/index.ts'
    );
    platform.addPorts(0x100, 1, {
      read: () => 0,
      write: (_offset, _size, value) => platform.setInterrupt(5, value === 1),
    });
    const order: string[] = [];
    kernel.enter(() => {
      const interrupt = ioConnectInterrupt({
        serviceRoutine: () => {
          order.push('service');
          hal.WRITE_PORT_UCHAR(0x100, 0);
          return true;
        },
        serviceContext: null,
        vector: 5,
        irql: 5,
        synchronizeIrql: 5,
        interruptMode: 'LevelSensitive',
        shareVector: false,
        line: 5,
      });
      hal.WRITE_PORT_UCHAR(0x100, 1);
      order.push('after the write');
      const old = keRaiseIrql(HIGH_LEVEL);
      hal.WRITE_PORT_UCHAR(0x100, 1);
      order.push('still at HIGH_LEVEL');
      keLowerIrql(old);
      order.push('lowered');
      ioDisconnectInterrupt(interrupt);
    });
    expect(order).toEqual(['service', 'after the write', 'still at HIGH_LEVEL', 'service', 'lowered']);
  });
});
