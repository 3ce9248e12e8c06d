import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CopyCard } from '../../test/support/copy-card.ts';
import {
  GUID_BUS_INTERFACE_STANDARD,
  type INTERFACE,
  NtError,
  PCI_WHICHSPACE_CONFIG,
  type PnpChild,
  resourceDescriptors,
  STATUS_CONFLICTING_ADDRESSES,
} from '../kernel/index.ts';
import { SimMachine } from '../machines/sim/index.ts';
import type { PciBar, PciCard } from './bus.ts';
import {
  interruptLineOfVector,
  irqlOfInterruptLine,
  vectorOfInterruptLine,
} from './interrupt-translation.ts';
import { PciBusDriver, type PciBusOptions } from './pci-bus.ts';
import { PciBusInterface, pciFindCapability } from './pci-bus-interface.ts';

const target = { read: () => 0, write: () => {} };

/** A card with the given windows that does nothing. */
class DeadCard implements PciCard {
  readonly name = 'dead card';
  readonly vendorId = 0x8086;
  readonly deviceId = 0x2415;
  readonly revisionId = 0x01;
  readonly classCode = 0x040100;
  readonly subsystemVendorId = 0x1028;
  readonly subsystemId = 0x00ab;
  readonly interruptPin: number;
  readonly bars: readonly (PciBar | null)[];
  readonly capabilitiesPointer?: number;
  readonly configExtra?: NonNullable<PciCard['configExtra']>;

  constructor(
    bars: readonly (PciBar | null)[],
    more: Partial<Pick<PciCard, 'interruptPin' | 'capabilitiesPointer' | 'configExtra'>> = {},
  ) {
    this.bars = bars;
    this.interruptPin = more.interruptPin ?? 1;
    if (more.capabilitiesPointer !== undefined) this.capabilitiesPointer = more.capabilitiesPointer;
    if (more.configExtra !== undefined) this.configExtra = more.configExtra;
  }

  attach(): void {}
  reset(): void {}
  detach(): void {}
}

const io = (size: number): PciBar => ({ kind: 'io', size, target });
const memory = (size: number, prefetchable = false): PciBar => ({
  kind: 'memory32',
  size,
  prefetchable,
  target,
});
const memory64 = (size: number, prefetchable = false): PciBar => ({
  kind: 'memory64',
  size,
  prefetchable,
  target,
});

function bus(cards: readonly (readonly [PciCard, number, number?])[], options: PciBusOptions = {}) {
  const machine = new SimMachine();
  for (const [card, device, func] of cards) machine.plugPci(card, device, func);
  const driver = new PciBusDriver(machine.kernel, options);
  const enumerate = () => machine.kernel.enter(() => driver.enumerate());
  return { machine, driver, enumerate };
}

function only(children: readonly PnpChild[]): PnpChild {
  const [child] = children;
  if (!child || children.length !== 1) throw new Error(`One device was expected, not ${children.length}.`);
  return child;
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

describe('PCI bus driver: what it finds', () => {
  it('reports ids in the order that the documentation gives', () => {
    const { enumerate } = bus([[new DeadCard([io(256)]), 5]]);
    const child = only(enumerate());
    expect(child.deviceId).toBe('PCI\\VEN_8086&DEV_2415&SUBSYS_00AB1028&REV_01');
    expect(child.hardwareIds).toEqual([
      'PCI\\VEN_8086&DEV_2415&SUBSYS_00AB1028&REV_01',
      'PCI\\VEN_8086&DEV_2415&SUBSYS_00AB1028',
      'PCI\\VEN_8086&DEV_2415&REV_01',
      'PCI\\VEN_8086&DEV_2415',
      'PCI\\VEN_8086&DEV_2415&CC_040100',
      'PCI\\VEN_8086&DEV_2415&CC_0401',
    ]);
    expect(child.compatibleIds).toEqual([
      'PCI\\VEN_8086&DEV_2415&REV_01',
      'PCI\\VEN_8086&DEV_2415',
      'PCI\\VEN_8086&CC_040100',
      'PCI\\VEN_8086&CC_0401',
      'PCI\\VEN_8086',
      'PCI\\CC_040100',
      'PCI\\CC_0401',
    ]);
    expect(child.instanceId).toMatch(/&28$/);
    expect(child.location).toBe('PCI bus 0, device 5, function 0');
    expect(child.description).toBe('Multimedia Audio Controller');
    expect(child.capabilities?.address).toBe(0x5_0000);
  });

  it('leaves the bridge alone and finds all functions of a device', () => {
    const { enumerate } = bus([
      [new DeadCard([io(16)]), 4, 3],
      [new DeadCard([io(16)]), 4, 0],
      [new DeadCard([io(16)]), 9, 0],
      [new DeadCard([io(16)]), 10, 2],
    ]);
    // Without function 0 a device is not there (PCI 3.0, section 3.2.2.3.4).
    expect(enumerate().map(({ busDevice }) => busDevice)).toEqual([
      'pci:00:04.0',
      'pci:00:04.3',
      'pci:00:09.0',
    ]);
  });

  it('keeps what it knows of a function from one look to the next', () => {
    const { machine, enumerate } = bus([[new DeadCard([io(16)]), 4]]);
    const [first] = enumerate();
    machine.plugPci(new DeadCard([io(16)]), 6);
    const second = enumerate();
    expect(second[0]).toBe(first);
    expect(second).toHaveLength(2);
    machine.unplug('pci:00:04.0');
    expect(enumerate().map(({ busDevice }) => busDevice)).toEqual(['pci:00:06.0']);
    machine.plugPci(new CopyCard(), 4);
    expect(enumerate()[0]?.hardwareIds[3]).toBe('PCI\\VEN_1B36&DEV_4350');
  });

  it('sizes windows without leaving a trace in the registers', () => {
    const { machine, enumerate } = bus([[new DeadCard([io(1024), null, memory64(1 << 20, true)]), 5]]);
    const { config } = machine.pciBus;
    config.write(5, 0, 0x10, 4, 0xc000);
    const before = Array.from({ length: 16 }, (_, i) => config.read(5, 0, 4 * i, 4));
    const child = only(enumerate());
    expect(Array.from({ length: 16 }, (_, i) => config.read(5, 0, 4 * i, 4))).toEqual(before);
    const [list] = child.resourceRequirements?.alternativeLists ?? [];
    expect(list?.map(({ type, length, alignment, flags }) => ({ type, length, alignment, flags }))).toEqual([
      { type: 'Port', length: 1024, alignment: 1024, flags: 0x11 },
      { type: 'Memory', length: 1 << 20, alignment: 1 << 20, flags: 0x04 },
      { type: 'Interrupt', length: 1, alignment: 1, flags: 0 },
    ]);
  });
});

describe('PCI bus driver: resources', () => {
  it('places windows, enables what they need, and writes the interrupt line', () => {
    const { machine, enumerate } = bus([[new DeadCard([io(1024), memory(4096)]), 5]]);
    const child = only(enumerate());
    const assigned = machine.kernel.enter(() => child.assignResources(null));
    const line = machine.platform.pciInterruptLine(5, 1);
    expect(resourceDescriptors(assigned?.raw ?? null)).toMatchObject([
      { type: 'Port', start: 0x1000, length: 1024, flags: 0x11 },
      { type: 'Memory', start: 0xe000_0000, length: 4096, flags: 0 },
      { type: 'Interrupt', level: line, vector: line, shareDisposition: 'Shared', flags: 0 },
    ]);
    const [, , interrupt] = resourceDescriptors(assigned?.translated ?? null);
    expect(interrupt).toMatchObject({
      level: irqlOfInterruptLine(line),
      vector: vectorOfInterruptLine(line),
    });
    const { config } = machine.pciBus;
    expect(config.read(5, 0, 0x04, 2)).toBe(0);
    machine.kernel.enter(() => child.start?.());
    expect(config.read(5, 0, 0x04, 2)).toBe(0x0007);
    expect(config.read(5, 0, 0x10, 4)).toBe(0x1001);
    expect(config.read(5, 0, 0x14, 4)).toBe(0xe000_0000);
    expect(config.read(5, 0, 0x3c, 1)).toBe(line);
    machine.kernel.enter(() => child.stop?.());
    expect(config.read(5, 0, 0x04, 2)).toBe(0);
  });

  it('gives a device without an interrupt pin no interrupt', () => {
    const { machine, enumerate } = bus([[new DeadCard([io(16)], { interruptPin: 0 }), 5]]);
    const assigned = machine.kernel.enter(() => only(enumerate()).assignResources(null));
    expect(resourceDescriptors(assigned?.translated ?? null).map(({ type }) => type)).toEqual(['Port']);
  });

  it('puts a 64-bit window above 4 GiB when there is no room below', () => {
    const { machine, driver, enumerate } = bus([[new DeadCard([memory64(0x4000_0000)]), 5]]);
    const child = only(enumerate());
    const assigned = machine.kernel.enter(() => child.assignResources(null));
    expect(resourceDescriptors(assigned?.raw ?? null)[0]).toMatchObject({
      type: 'Memory',
      start: 0x80_0000_0000,
    });
    machine.kernel.enter(() => child.start?.());
    expect(driver.config.read(5, 0, 0x10, 4)).toBe(0x0000_0004);
    expect(driver.config.read(5, 0, 0x14, 4)).toBe(0x80);
    expect(machine.platform.readMemory(0x80_0000_0000, 4)).toBe(0);
  });

  it('says what it has no room for', () => {
    const { machine, enumerate } = bus([[new DeadCard([memory(0x4000_0000)]), 5]]);
    const child = only(enumerate());
    const status = statusOf(() => machine.kernel.enter(() => child.assignResources(null)));
    expect(status).toBe(STATUS_CONFLICTING_ADDRESSES);
  });

  it('keeps to requirements that the driver narrowed', () => {
    const { machine, enumerate } = bus([[new DeadCard([io(256)]), 5]]);
    const child = only(enumerate());
    const narrowed = (minimum: number, maximum: number) => {
      const requirements = child.resourceRequirements;
      if (!requirements) throw new Error('The device has requirements.');
      const [list = []] = requirements.alternativeLists;
      return {
        ...requirements,
        alternativeLists: [list.map((one) => (one.type === 'Port' ? { ...one, minimum, maximum } : one))],
      };
    };
    const at = (minimum: number, maximum: number) => {
      const assigned = machine.kernel.enter(() => child.assignResources(narrowed(minimum, maximum)));
      const [port] = resourceDescriptors(assigned?.raw ?? null);
      return port?.type === 'Port' ? port.start : null;
    };
    expect(at(0xd000, 0xdfff)).toBe(0xd000);
    expect(at(0xc000, 0xffff)).toBe(0xd000);
    expect(at(0xe000, 0xffff)).toBe(0xe000);
    expect(statusOf(() => at(0xe000, 0xe07f))).toBe(STATUS_CONFLICTING_ADDRESSES);
  });

  it('leaves windows where firmware put them, and others out of their way', () => {
    const { machine, driver, enumerate } = bus([
      [new DeadCard([io(256)]), 5],
      [new DeadCard([io(256)]), 6],
    ]);
    driver.config.write(6, 0, 0x10, 4, 0x1000);
    driver.config.write(6, 0, 0x04, 2, 0x0001);
    const starts = machine.kernel.enter(() =>
      enumerate().map((child) => {
        const [port] = resourceDescriptors(child.assignResources(null)?.raw ?? null);
        return port?.type === 'Port' ? port.start : null;
      }),
    );
    expect(starts).toEqual([0x1100, 0x1000]);
  });

  it('never gives two windows the same address, whatever the cards', () => {
    const bar = fc.oneof(
      fc.integer({ min: 2, max: 11 }).map((bits) => io(2 ** bits)),
      fc.integer({ min: 4, max: 24 }).map((bits) => memory(2 ** bits)),
      fc.integer({ min: 4, max: 30 }).map((bits) => memory64(2 ** bits, true)),
    );
    const bars = fc
      .array(bar, { maxLength: 3 })
      .map((list) => list.flatMap((one) => (one.kind === 'memory64' ? [one, null] : [one])));
    fc.assert(
      fc.property(fc.array(bars, { minLength: 1, maxLength: 12 }), (cards) => {
        const { machine, enumerate } = bus(cards.map((list, i) => [new DeadCard(list), i + 1]));
        const taken: { type: string; start: number; length: number }[] = [];
        machine.kernel.enter(() => {
          for (const child of enumerate()) {
            const assigned = child.assignResources(null);
            for (const one of resourceDescriptors(assigned?.raw ?? null)) {
              if (one.type !== 'Port' && one.type !== 'Memory') continue;
              expect(one.start % one.length).toBe(0);
              const clash = taken.find(
                (other) =>
                  other.type === one.type &&
                  other.start < one.start + one.length &&
                  one.start < other.start + other.length,
              );
              expect(clash).toBeUndefined();
              taken.push(one);
            }
            child.start?.();
          }
        });
        const windows = [...machine.platform.io.regions, ...machine.platform.memory.regions];
        expect(windows).toHaveLength(taken.length + 1);
        expect(machine.trace.findings).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('PCI bus driver: a device’s own configuration space', () => {
  function openInterface(card: PciCard) {
    const { machine, enumerate } = bus([[card, 5]]);
    const child = only(enumerate());
    const found: INTERFACE | null = child.queryInterface?.(GUID_BUS_INTERFACE_STANDARD, 1) ?? null;
    if (!(found instanceof PciBusInterface)) throw new Error('The bus has no standard interface.');
    return { machine, child, bus: found, enter: <T>(fn: () => T) => machine.kernel.enter(fn) };
  }

  it('is read and written in any length at any offset, and the bytes moved are returned', () => {
    const card = new DeadCard([io(256)], {
      configExtra: [
        { offset: 0x40, bytes: [1, 2, 3, 4, 5, 6, 7], writable: [255, 255, 255, 255, 255, 255, 255] },
      ],
    });
    const { bus: face, enter } = openInterface(card);
    const buffer = new Uint8Array(8);
    expect(enter(() => face.getBusData(PCI_WHICHSPACE_CONFIG, buffer, 0x41, 5))).toBe(5);
    expect([...buffer]).toEqual([2, 3, 4, 5, 6, 0, 0, 0]);
    expect(enter(() => face.setBusData(PCI_WHICHSPACE_CONFIG, Uint8Array.of(9, 8, 7), 0x42, 3))).toBe(3);
    expect(enter(() => face.getBusData(PCI_WHICHSPACE_CONFIG, buffer, 0x40, 8))).toBe(8);
    expect([...buffer]).toEqual([1, 2, 9, 8, 7, 6, 7, 0]);
    expect(enter(() => face.getBusData(PCI_WHICHSPACE_CONFIG, buffer, 0xfe, 8))).toBe(2);
    expect(enter(() => face.getBusData(PCI_WHICHSPACE_CONFIG, buffer, 0x100, 4))).toBe(0);
    expect(enter(() => face.getBusData(0x5269_6350, buffer, 0, 4))).toBe(0);
  });

  it('reads all ones once the card is gone', () => {
    const { machine, bus: face, enter } = openInterface(new DeadCard([io(256)]));
    machine.unplug('pci:00:05.0');
    const buffer = new Uint8Array(4);
    expect(enter(() => face.getBusData(PCI_WHICHSPACE_CONFIG, buffer, 0, 4))).toBe(4);
    expect([...buffer]).toEqual([255, 255, 255, 255]);
  });

  it('is in the leak report while it is referenced', () => {
    const { machine, bus: face } = openInterface(new DeadCard([io(256)]));
    face.interfaceReference();
    face.interfaceReference();
    face.interfaceDereference();
    expect(machine.kernel.leakReport().leaks.map(({ kind }) => kind)).toEqual(['BUS_INTERFACE_STANDARD']);
    face.interfaceDereference();
    expect(machine.kernel.leakReport().leaks).toEqual([]);
  });

  it('finds capabilities, and no end of a list that bites its tail', () => {
    const pm = { offset: 0x50, bytes: [0x01, 0x60, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00] };
    const vendor = { offset: 0x60, bytes: [0x09, 0x50, 0x10] };
    const { bus: face, enter } = openInterface(
      new DeadCard([io(256)], { capabilitiesPointer: 0x50, configExtra: [pm, vendor] }),
    );
    expect(enter(() => pciFindCapability(face, 0x01))).toBe(0x50);
    expect(enter(() => pciFindCapability(face, 0x09))).toBe(0x60);
    expect(enter(() => pciFindCapability(face, 0x05))).toBeNull();
    const without = openInterface(new DeadCard([io(256)]));
    expect(without.enter(() => pciFindCapability(without.bus, 0x01))).toBeNull();
  });

  it('follows the device’s power state in its power management capability and restores what D3 lost', () => {
    const pm = { offset: 0x50, bytes: [0x01, 0x00, 0x02, 0x00, 0x00, 0x00], writable: [0, 0, 0, 0, 0x03, 0] };
    const { machine, child, enter } = openInterface(
      new DeadCard([io(256)], { capabilitiesPointer: 0x50, configExtra: [pm] }),
    );
    const { config } = machine.pciBus;
    enter(() => {
      child.assignResources(null);
      child.start?.();
      child.setPowerState?.(4);
    });
    expect(config.read(5, 0, 0x54, 2)).toBe(3);
    config.write(5, 0, 0x04, 2, 0);
    config.write(5, 0, 0x10, 4, 0);
    enter(() => child.setPowerState?.(1));
    expect(config.read(5, 0, 0x54, 2)).toBe(0);
    expect(config.read(5, 0, 0x04, 2)).toBe(0x0005);
    expect(config.read(5, 0, 0x10, 4)).toBe(0x1001);
  });
});

describe('interrupt translation', () => {
  it('gives every line a level of its own vector, and back', () => {
    const vectors = Array.from({ length: 24 }, (_, line) => vectorOfInterruptLine(line));
    expect(new Set(vectors).size).toBe(24);
    for (const [line, vector] of vectors.entries()) {
      expect(interruptLineOfVector(vector)).toBe(line);
      expect(vector >> 4).toBe(irqlOfInterruptLine(line));
      expect(irqlOfInterruptLine(line)).toBeGreaterThanOrEqual(3);
      expect(irqlOfInterruptLine(line)).toBeLessThanOrEqual(12);
    }
  });
});
