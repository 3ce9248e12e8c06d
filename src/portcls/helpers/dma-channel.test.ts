import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IsaDriver } from '../../../test/support/isa-driver.ts';
import { IID_IUnknown } from '../../com/index.ts';
import { WRITE_PORT_UCHAR } from '../../hal/index.ts';
import { Sb16Card } from '../../hardware/sb16/index.ts';
import {
  BugcheckError,
  DISPATCH_LEVEL,
  keLowerIrql,
  keRaiseIrql,
  NtError,
  ntStatusName,
  STATUS_SUCCESS,
} from '../../kernel/index.ts';
import { SimMachine } from '../../machines/sim/index.ts';
import {
  CLSID_PortWaveCyclic,
  type IDmaChannelSlave,
  IID_IDmaChannel,
  IID_IDmaChannelSlave,
  IID_IPortWaveCyclic,
  pcNewDmaChannel,
  pcNewPort,
} from '../index.ts';
import { FakeMachine } from '../test-helpers.ts';

function statusOf(act: () => unknown): string {
  try {
    act();
    return ntStatusName(STATUS_SUCCESS);
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
}

function atDispatch<T>(act: () => T): T {
  const irql = keRaiseIrql(DISPATCH_LEVEL);
  try {
    return act();
  } finally {
    keLowerIrql(irql);
  }
}

const MASTER = { master: true, scatterGather: true, dma32BitAddresses: true, maximumLength: 0x2_0000 };

describe('a master DMA channel', () => {
  function withChannel(
    use: (channel: ReturnType<typeof pcNewDmaChannel>, machine: FakeMachine) => void,
  ): void {
    const machine = new FakeMachine({ startDevice: () => {} });
    machine.kernel.enter(() => {
      const channel = pcNewDmaChannel(null, MASTER, machine.deviceObject);
      use(channel, machine);
      channel.release();
    });
    expect(machine.end()).toEqual([]);
  }

  it('has one buffer at a time, contiguous, open to the device until it is freed', () => {
    withChannel((channel, machine) => {
      expect(channel.systemAddress()).toBe(null);
      expect([channel.allocatedBufferSize(), channel.bufferSize(), channel.physicalAddress()]).toEqual([
        0, 0, 0,
      ]);
      channel.allocateBuffer(10_000);
      const mapping = channel.systemAddress();
      expect(mapping?.byteLength).toBe(10_000);
      expect(mapping?.isContiguous).toBe(true);
      expect(mapping?.physicalAddress(0)).toBe(channel.physicalAddress());
      expect(machine.platform.dmaRanges).toEqual([
        { busDevice: 'fake:1', physicalAddress: channel.physicalAddress(), length: 10_000 },
      ]);
      expect(statusOf(() => channel.allocateBuffer(100))).toBe('STATUS_INVALID_DEVICE_REQUEST');
      channel.freeBuffer();
      channel.freeBuffer();
      expect(machine.platform.dmaRanges).toEqual([]);
      expect(channel.systemAddress()).toBe(null);
      channel.allocateBuffer(100);
    });
  });

  it('tells its sizes', () => {
    withChannel((channel) => {
      expect(channel.maximumBufferSize()).toBe(0x2_0000);
      channel.allocateBuffer(10_000);
      expect([channel.allocatedBufferSize(), channel.bufferSize()]).toEqual([10_000, 10_000]);
      expect(channel.maximumBufferSize()).toBe(3 * 4096);
      channel.setBufferSize(1234);
      expect([channel.allocatedBufferSize(), channel.bufferSize()]).toEqual([10_000, 1234]);
      expect(channel.transferCount()).toBe(0);
    });
  });

  it('refuses sizes that it cannot have', () => {
    withChannel((channel) => {
      for (const size of [0, -1, 0x2_0001, Number.NaN]) {
        expect(statusOf(() => channel.allocateBuffer(size))).toBe('STATUS_INVALID_PARAMETER');
      }
      expect(statusOf(() => channel.allocateBuffer(0x1_0001, 0xffff))).toBe('STATUS_INVALID_PARAMETER');
      expect(channel.systemAddress()).toBe(null);
    });
  });

  it('keeps buffers within their constraint, wherever memory is free', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.constantFrom(0xfff, 0x3fff, 0xffff, 0x1_ffff),
        fc.integer({ min: 1, max: 100 }),
        (pagesTaken, constraint, percent) => {
          const machine = new FakeMachine({ startDevice: () => {} });
          machine.kernel.enter(() => {
            const taken = pcNewDmaChannel(null, MASTER, machine.deviceObject);
            if (pagesTaken > 0 && pagesTaken <= 32) taken.allocateBuffer(pagesTaken * 4096);
            const channel = pcNewDmaChannel(null, MASTER, machine.deviceObject);
            const size = Math.ceil(((constraint + 1) * percent) / 100);
            channel.allocateBuffer(size, constraint);
            const first = channel.physicalAddress();
            const page = (address: number) => Math.floor(address / (constraint + 1));
            expect(page(first + size - 1)).toBe(page(first));
            channel.release();
            taken.release();
          });
          expect(machine.end()).toEqual([]);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('copies to and from its buffer at any level, pieces too', () => {
    withChannel((channel) => {
      channel.allocateBuffer(4096);
      atDispatch(() => {
        channel.copyTo(100, new Uint8Array([1, 2, 3, 4, 5]), 5);
        channel.copyTo(103, new Uint8Array([9, 8, 7]), 2, 1);
        const into = new Uint8Array(8);
        channel.copyFrom(into, 100, 6, 1);
        expect([...into]).toEqual([0, 1, 2, 3, 8, 7, 0, 0]);
      });
    });
  });

  it('stops the machine when a copy leaves the buffer', () => {
    for (const [offset, count] of [
      [4090, 10],
      [-1, 4],
    ] as const) {
      for (const to of [true, false]) {
        const machine = new FakeMachine({ startDevice: () => {} });
        machine.kernel.enter(() => {
          const channel = pcNewDmaChannel(null, MASTER, machine.deviceObject);
          channel.allocateBuffer(4096);
          const bytes = new Uint8Array(count);
          expect(() =>
            to ? channel.copyTo(offset, bytes, count) : channel.copyFrom(bytes, offset, count),
          ).toThrow(/PAGE_FAULT_IN_NONPAGED_AREA/);
        });
      }
    }
  });

  it('refuses to copy without a buffer', () => {
    withChannel((channel) => {
      expect(statusOf(() => channel.copyTo(0, new Uint8Array(1), 1))).toBe('STATUS_INVALID_DEVICE_REQUEST');
      expect(statusOf(() => channel.copyFrom(new Uint8Array(1), 0, 1))).toBe('STATUS_INVALID_DEVICE_REQUEST');
    });
  });

  it('lends its adapter object', () => {
    withChannel((channel) => {
      const adapter = channel.getAdapterObject();
      const own = adapter.allocateCommonBuffer(100, true);
      expect(own.byteLength).toBe(100);
      adapter.freeCommonBuffer(own);
    });
  });

  it('is an IDmaChannel and no slave, and counts its references', () => {
    withChannel((channel) => {
      using same = channel.queryInterface(IID_IDmaChannel);
      expect(same).toBe(channel);
      channel.queryInterface(IID_IUnknown).release();
      expect(statusOf(() => channel.queryInterface(IID_IDmaChannelSlave))).toBe('STATUS_INVALID_PARAMETER');
    });
  });

  it('is made, and allocates and frees, at PASSIVE_LEVEL only', () => {
    for (const act of [
      (channel: ReturnType<typeof pcNewDmaChannel>) => channel.allocateBuffer(100),
      (channel: ReturnType<typeof pcNewDmaChannel>) => channel.freeBuffer(),
      (_channel: unknown, machine: FakeMachine) => pcNewDmaChannel(null, MASTER, machine.deviceObject),
    ]) {
      const machine = new FakeMachine({ startDevice: () => {} });
      machine.kernel.enter(() => {
        const channel = pcNewDmaChannel(null, MASTER, machine.deviceObject);
        keRaiseIrql(DISPATCH_LEVEL);
        expect(() => act(channel, machine)).toThrow(BugcheckError);
        expect(machine.kernel.stopped?.name).toBe('IRQL_NOT_LESS_OR_EQUAL');
      });
    }
  });
});

/** A Sound Blaster whose DSP takes bytes from DMA channel 1, and a driver that starts its channel. */
function boot() {
  const card = new Sb16Card({});
  const machine = new SimMachine({ ramBytes: 32 << 20 });
  machine.plugIsa(card);
  const driver = new IsaDriver(['*CTL0031']);
  machine.installDriver(driver.package);
  machine.start();
  const base = driver.device.ports(0).start;
  const dsp = (...bytes: readonly number[]) => {
    for (const byte of bytes) WRITE_PORT_UCHAR(base + 0xc, byte);
  };
  const another = () => {
    const made = pcNewDmaChannel(
      null,
      {
        master: false,
        autoInitialize: true,
        dmaChannel: driver.device.dmaChannel(0),
        dmaWidth: 'Width8Bits',
        interfaceType: 'Isa',
        maximumLength: 0x1_0000,
      },
      driver.device.fdo,
    );
    const slave = made.queryInterface(IID_IDmaChannelSlave);
    made.release();
    return slave;
  };
  const channel = machine.kernel.enter(another);
  /** 8-bit mono at 10 kHz, auto-initialised, in blocks of the whole buffer: a byte every 100 µs. */
  const play = (length: number) => {
    dsp(0x41, 10_000 >> 8, 10_000 & 0xff, 0xc6, 0x00, (length - 1) & 0xff, (length - 1) >> 8);
  };
  const halt = () => dsp(0xd0, 0xda);
  const end = () => {
    machine.kernel.enter(() => channel.release());
    expect(machine.dispose().leaks).toEqual([]);
  };
  return { machine, channel, another, play, halt, end };
}

describe('a slave DMA channel', () => {
  it('counts down from the map size, round after round, until it is stopped', () => {
    const { machine, channel, play, halt, end } = boot();
    machine.kernel.enter(() => {
      channel.allocateBuffer(4000, 0xffff);
      expect([channel.readCounter(), channel.transferCount()]).toEqual([0, 0]);
      channel.start(1000, true);
      expect([channel.readCounter(), channel.transferCount()]).toEqual([1000, 1000]);
      play(1000);
    });
    machine.runFor(300_000);
    const left = machine.kernel.enter(() => channel.readCounter());
    // 300 bytes are played; the card has taken a few more into its FIFO.
    expect(left).toBeGreaterThanOrEqual(680);
    expect(left).toBeLessThanOrEqual(700);
    machine.runFor(1_000_000);
    // A round later it stands where it stood.
    expect(machine.kernel.enter(() => channel.readCounter())).toBe(left);
    machine.kernel.enter(() => {
      halt();
      atDispatch(() => channel.stop());
      atDispatch(() => channel.stop());
      expect([channel.readCounter(), channel.transferCount()]).toEqual([0, 0]);
    });
    end();
  });

  it('does not start twice, nor beyond its buffer, nor without one', () => {
    const { machine, channel, end } = boot();
    machine.kernel.enter(() => {
      expect(statusOf(() => channel.start(100, true))).toBe('STATUS_UNSUCCESSFUL');
      channel.allocateBuffer(1000);
      expect(statusOf(() => channel.start(1001, true))).toBe('STATUS_UNSUCCESSFUL');
      expect(statusOf(() => channel.start(0, true))).toBe('STATUS_UNSUCCESSFUL');
      channel.start(1000, true);
      expect(statusOf(() => channel.start(1000, true))).toBe('STATUS_UNSUCCESSFUL');
      channel.stop();
      channel.start(500, false);
      // Freeing the buffer ends the transfer.
      channel.freeBuffer();
      expect(channel.transferCount()).toBe(0);
    });
    end();
  });

  it('waits for the end of a round, or until its time is over', () => {
    const { machine, channel, play, halt, end } = boot();
    machine.kernel.enter(() => {
      channel.allocateBuffer(1000);
      expect(statusOf(() => channel.waitForTC(100))).toBe('STATUS_UNSUCCESSFUL');
      channel.start(1000, true);
      const { clock } = machine.kernel;
      let from = clock.now;
      expect(statusOf(() => channel.waitForTC(1009))).toBe('STATUS_IO_TIMEOUT');
      expect(clock.now - from).toBe(10_000);
      play(1000);
      from = clock.now;
      channel.waitForTC(1_000_000);
      expect(clock.now - from).toBeGreaterThan(950_000);
      expect(clock.now - from).toBeLessThan(1_050_000);
      halt();
      channel.stop();
    });
    end();
  });

  it('is stopped by its last release', () => {
    const { machine, channel, end } = boot();
    machine.kernel.enter(() => {
      channel.allocateBuffer(1000);
      channel.start(1000, true);
    });
    end();
  });

  it('shares the controller’s channel: who comes second waits, and is told when it stays taken', () => {
    const { machine, channel, another, end } = boot();
    machine.kernel.enter(() => {
      const second = another();
      for (const one of [channel, second]) one.allocateBuffer(1000);
      channel.start(1000, true);
      const from = machine.kernel.clock.now;
      expect(statusOf(() => second.start(1000, true))).toBe('STATUS_UNSUCCESSFUL');
      expect(machine.kernel.clock.now - from).toBe(10_000_000);
      channel.stop();
      second.start(1000, true);
      second.stop();
      channel.start(1000, true);
      channel.stop();
      second.release();
    });
    end();
  });
});

describe('IPortWaveCyclic', () => {
  it('makes master channels of an initialised port, and slave channels of a Dma resource only', () => {
    let channels = 0;
    const machine = new FakeMachine({
      startDevice: (_device, _irp, resourceList) => {
        using created = pcNewPort(CLSID_PortWaveCyclic);
        using port = created.queryInterface(IID_IPortWaveCyclic);
        expect(statusOf(() => port.newMasterDmaChannel(null, null, 4096, true, false))).toBe(
          'STATUS_INVALID_DEVICE_REQUEST',
        );
        expect(
          statusOf(
            (): IDmaChannelSlave => port.newSlaveDmaChannel(null, resourceList, 0, 4096, false, 'Compatible'),
          ),
        ).toBe('STATUS_INVALID_PARAMETER');
        channels++;
      },
    });
    expect(channels).toBe(1);
    expect(machine.end()).toEqual([]);
  });
});
