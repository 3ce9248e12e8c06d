import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  COPY_STATUS_ABORT,
  COPY_STATUS_DONE,
  COPY_TICKS,
  CopyCard,
} from '../../../test/support/copy-card.ts';
import { CopyDriver } from '../../../test/support/copy-driver.ts';
import { Trace, TraceKind } from '../../kernel/index.ts';
import { SimMachine } from './sim-machine.ts';

function boot(kind: 'io' | 'memory32' | 'memory64' = 'io', trace?: Trace) {
  const machine = new SimMachine(trace ? { trace } : {});
  const card = new CopyCard(kind);
  const busDevice = machine.plugPci(card, 5);
  const driver = new CopyDriver();
  machine.installDriver(driver.package);
  machine.start();
  return { machine, card, busDevice, driver };
}

/** Has the card copy from the first to the second half of the driver's buffer. */
function startCopy(machine: SimMachine, driver: CopyDriver, length = 64) {
  const { buffer } = driver.device;
  if (!buffer) throw new Error('The driver has no buffer.');
  machine.kernel.enter(() => driver.device.copy(buffer.logicalAddress, buffer.logicalAddress + 128, length));
  return buffer;
}

describe('simulated machine', () => {
  it('starts a driver on a card that it finds, with the resources of its window and pin', () => {
    const { machine, busDevice, driver, card } = boot();
    expect(busDevice).toBe('pci:00:05.0');
    expect(card.log).toEqual(['attach', 'reset']);
    expect(driver.events).toEqual(['start']);
    expect(driver.device.resources.map(({ type }) => type)).toEqual(['Port', 'Interrupt']);
    expect(machine.kernel.pnp.problems).toEqual([]);
    expect(machine.dispose().leaks).toEqual([]);
    expect(driver.events).toEqual(['start', 'remove', 'unload']);
  });

  it.each(['io', 'memory32', 'memory64'] as const)(
    'moves data by bus mastering and interrupts (%s window)',
    (kind) => {
      const { machine, driver } = boot(kind);
      const { buffer } = driver.device;
      buffer?.write(
        0,
        Uint8Array.from({ length: 64 }, (_, i) => i + 1),
      );
      startCopy(machine, driver);
      machine.runFor(COPY_TICKS - 1);
      expect(driver.device.statuses).toEqual([]);
      machine.runFor(1);
      expect(driver.device.statuses).toEqual([COPY_STATUS_DONE]);
      expect(driver.device.copiesDone).toBe(1);
      expect(buffer?.readUchar(128 + 63)).toBe(64);
      expect(machine.trace.findings).toEqual([]);
      expect(machine.dispose().leaks).toEqual([]);
    },
  );

  it('stops a transfer that leaves what was mapped, and says so', () => {
    const { machine, driver, busDevice } = boot();
    const buffer = startCopy(machine, driver, 129);
    machine.runFor(COPY_TICKS);
    expect(driver.device.statuses).toEqual([COPY_STATUS_DONE | COPY_STATUS_ABORT]);
    const [finding] = machine.trace.findings;
    expect(finding).toMatchObject({
      source: 'copy card',
      data: { direction: 'write', busAddress: buffer.logicalAddress + 128, length: 129, busDevice },
    });
    expect(finding?.text).toMatch(/129 bytes .* not all of it is mapped/);
    expect(machine.pciBus.config.read(5, 0, 0x06, 2) & 0x2000).toBe(0x2000);
    machine.dispose();
  });

  it('never moves a byte that is not mapped, whatever the card is told', () => {
    const { machine, driver, busDevice } = boot();
    const { kernel, platform } = machine;
    const BASE = 0x10_0000;
    const SPACE = 512;
    const range = { start: fc.integer({ min: 0, max: SPACE - 1 }), length: fc.integer({ min: 1, max: 128 }) };
    const scenario = fc.record({
      maps: fc.array(fc.record(range), { maxLength: 6 }),
      copies: fc.array(
        fc.record({
          source: fc.integer({ min: -64, max: SPACE }),
          destination: fc.integer({ min: -64, max: SPACE }),
          length: fc.integer({ min: 1, max: 96 }),
        }),
        { minLength: 1, maxLength: 4 },
      ),
    });
    fc.assert(
      fc.property(scenario, ({ maps, copies }) => {
        const mapped = new Set<number>();
        for (const { start, length } of maps) {
          platform.mapDma(busDevice, BASE + start, length);
          for (let i = 0; i < length; i++) mapped.add(start + i);
        }
        const memory = Uint8Array.from({ length: SPACE + 512 }, (_, i) => (i * 7 + 3) & 0xff);
        platform.ram.write(BASE - 128, memory);
        for (const { source, destination, length } of copies) {
          kernel.enter(() => driver.device.copy(BASE + source, BASE + destination, length));
          machine.runFor(COPY_TICKS);
          const allowed = (at: number) =>
            Array.from({ length }, (_, i) => at + i).every((byte) => mapped.has(byte));
          if (allowed(source) && allowed(destination)) {
            memory.copyWithin(128 + destination, 128 + source, 128 + source + length);
          }
        }
        const after = new Uint8Array(memory.length);
        platform.ram.read(BASE - 128, after);
        expect(after).toEqual(memory);
        for (const { start, length } of maps) platform.unmapDma(busDevice, BASE + start, length);
      }),
      { numRuns: 60 },
    );
    machine.dispose();
  });

  it('does no bus mastering while the command register forbids it', () => {
    const { machine, driver } = boot();
    startCopy(machine, driver);
    const { config } = machine.pciBus;
    config.write(5, 0, 0x04, 2, config.read(5, 0, 0x04, 2) & ~0x0004);
    machine.runFor(COPY_TICKS);
    expect(driver.device.statuses).toEqual([COPY_STATUS_DONE | COPY_STATUS_ABORT]);
    expect(machine.trace.findings[0]?.text).toMatch(/bus mastering is not enabled/);
    machine.dispose();
  });

  it('keeps an interrupt back while INTx# is disabled, and asserts it once it is not', () => {
    const { machine, driver } = boot();
    const { config } = machine.pciBus;
    const command = config.read(5, 0, 0x04, 2);
    config.write(5, 0, 0x04, 2, command | 0x0400);
    startCopy(machine, driver);
    machine.runFor(COPY_TICKS);
    expect(driver.device.asked).toBe(0);
    expect(config.read(5, 0, 0x06, 2) & 0x0008).toBe(0x0008);
    config.write(5, 0, 0x04, 2, command);
    machine.kernel.drain();
    expect(driver.device.statuses).toEqual([COPY_STATUS_DONE]);
    machine.dispose();
  });

  it('shares one interrupt line between cards whose pins meet there', () => {
    const machine = new SimMachine();
    // Devices 3 and 7 are four apart: the rotation brings their INTA# to the same line.
    for (const slot of [3, 7]) machine.plugPci(new CopyCard(), slot);
    const driver = new CopyDriver();
    machine.installDriver(driver.package);
    machine.start();
    const [a, b] = driver.devices;
    if (!a?.buffer || !b?.buffer) throw new Error('Two devices were expected.');
    expect(a.interrupt?.line).toBe(b.interrupt?.line);
    const { buffer } = b;
    machine.kernel.enter(() => b.copy(buffer.logicalAddress, buffer.logicalAddress + 128, 16));
    machine.runFor(COPY_TICKS);
    expect(b.statuses).toEqual([COPY_STATUS_DONE]);
    expect(a.statuses).toEqual([]);
    expect(a.asked).toBeGreaterThan(0);
    const both = [a, b];
    machine.kernel.enter(() => {
      for (const one of both)
        one.copy(one.buffer?.logicalAddress ?? 0, (one.buffer?.logicalAddress ?? 0) + 128, 16);
    });
    machine.runFor(COPY_TICKS);
    expect(both.map(({ copiesDone }) => copiesDone)).toEqual([1, 2]);
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('gives a card no window but where its base address register says, also when that changes', () => {
    const { machine, driver } = boot();
    const [port] = driver.device.resources;
    if (port?.type !== 'Port') throw new Error('A port resource was expected.');
    const { platform, pciBus } = machine;
    expect(platform.readPort(port.start, 4)).toBe(0x5950_4f43);
    pciBus.config.write(5, 0, 0x10, 4, 0xd000);
    expect(platform.readPort(port.start, 4)).toBe(0xffff_ffff);
    expect(platform.readPort(0xd000, 4)).toBe(0x5950_4f43);
    pciBus.config.write(5, 0, 0x04, 2, 0);
    expect(platform.readPort(0xd000, 4)).toBe(0xffff_ffff);
    machine.dispose();
  });

  it('names registers and transfers of a card on the timeline, and what the card does not name by its port', () => {
    const trace = new Trace({ mask: TraceKind.Register | TraceKind.Dma, keep: 1000 });
    const { machine, driver } = boot('io', trace);
    const before = trace.lastSequence;
    startCopy(machine, driver);
    machine.runFor(COPY_TICKS);
    const events = trace.events().filter(({ sequence }) => sequence > before);
    const port = driver.device.resources[0];
    const base = port?.type === 'Port' ? port.start.toString(16).toUpperCase() : '';
    expect(events.map(({ source, name }) => `${source}: ${name}`)).toEqual([
      `sim: WRITE_PORT_ULONG 0x${base.slice(0, -1)}4`,
      `sim: WRITE_PORT_ULONG 0x${base.slice(0, -1)}8`,
      `sim: WRITE_PORT_ULONG 0x${base.slice(0, -1)}C`,
      `sim: WRITE_PORT_ULONG 0x${base.slice(0, -2)}10`,
      'copy card: copy',
      'copy card: STATUS',
      `sim: WRITE_PORT_ULONG 0x${base.slice(0, -2)}14`,
    ]);
    machine.dispose();
  });

  it('runs twice in exactly the same way', () => {
    const run = () => {
      const trace = new Trace({ mask: TraceKind.All, keep: 5000 });
      const { machine, driver } = boot('memory32', trace);
      for (let i = 0; i < 5; i++) {
        startCopy(machine, driver, 16 + i);
        machine.runFor(70 + 13 * i);
      }
      machine.dispose();
      return trace.events();
    };
    expect(run()).toEqual(run());
  });

  it('fills its slots from 3 on, and has no more than 31', () => {
    const machine = new SimMachine();
    expect(machine.plugPci(new CopyCard())).toBe('pci:00:03.0');
    expect(machine.plugPci(new CopyCard(), 4, 2)).toBe('pci:00:04.2');
    for (let i = 0; i < 30; i++) machine.plugPci(new CopyCard());
    expect(() => machine.plugPci(new CopyCard())).toThrow(/taken/);
    expect(() => machine.plugPci(new CopyCard(), 3)).toThrow(/taken/);
    machine.start();
    const devices = machine.kernel.pnp.devices.map((device) => device.busDevice);
    expect(devices).toContain('pci:00:04.2');
    expect(devices).toHaveLength(32);
    machine.dispose();
  });
});
