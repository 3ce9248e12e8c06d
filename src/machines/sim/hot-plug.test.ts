import { describe, expect, it } from 'vitest';
import { COPY_STATUS_DONE, COPY_TICKS, CopyCard } from '../../../test/support/copy-card.ts';
import { CopyDriver } from '../../../test/support/copy-driver.ts';
import { SimMachine } from './sim-machine.ts';

function boot() {
  const machine = new SimMachine();
  const card = new CopyCard();
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

describe('hot plugging', () => {
  it('survives that a card is pulled out in the middle of a transfer', () => {
    const { machine, card, busDevice, driver } = boot();
    startCopy(machine, driver);
    machine.runFor(COPY_TICKS / 2);
    machine.unplug(busDevice);
    machine.runFor(COPY_TICKS * 10);
    expect(card.log).toEqual(['attach', 'reset', 'detach']);
    expect(driver.events).toEqual(['start', 'surprise removal', 'remove', 'unload']);
    expect(machine.pciBus.config.read(5, 0, 0, 4)).toBe(0xffff_ffff);
    expect(machine.kernel.pnp.findDevice(busDevice)).toBeNull();
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('loses the interrupt of a card that is pulled out while it asserts, and others on the line go on', () => {
    const machine = new SimMachine();
    const ids = [3, 7].map((slot) => machine.plugPci(new CopyCard(), slot));
    machine.start();
    const card = machine.cardAt(ids[0] ?? '');
    if (!(card instanceof CopyCard)) throw new Error('The card is gone.');
    const line = machine.platform.pciInterruptLine(3, 1);
    card.slot.interrupt.setLevel(true);
    expect(machine.platform.isInterruptAsserted(line)).toBe(true);
    machine.unplug(ids[0] ?? '');
    expect(machine.platform.isInterruptAsserted(line)).toBe(false);
    card.slot.interrupt.setLevel(true);
    expect(machine.platform.isInterruptAsserted(line)).toBe(false);
    expect(card.slot.busMaster.write(0x1000, new Uint8Array(4))).toBe(false);
    machine.dispose();
  });

  it('starts the driver again on a card that is plugged in again', () => {
    const { machine, busDevice, driver } = boot();
    const first = driver.device.resources;
    machine.unplug(busDevice);
    expect(machine.plugPci(new CopyCard(), 5)).toBe(busDevice);
    machine.runFor(1);
    expect(driver.events).toEqual(['start', 'surprise removal', 'remove', 'unload', 'start']);
    expect(driver.device.resources).toEqual(first);
    startCopy(machine, driver);
    machine.runFor(COPY_TICKS);
    expect(driver.device.statuses).toEqual([COPY_STATUS_DONE]);
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('takes a card that is pulled out from within an event of the machine', () => {
    const { machine, busDevice, driver } = boot();
    startCopy(machine, driver);
    const alarm = machine.platform.clock.createAlarm(() => machine.unplug(busDevice));
    alarm.set(machine.platform.clock.now + 10);
    machine.runFor(COPY_TICKS * 2);
    expect(driver.events).toEqual(['start', 'surprise removal', 'remove', 'unload']);
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('finds a card that is plugged in while the machine runs, and gives it the driver', () => {
    const machine = new SimMachine();
    const driver = new CopyDriver();
    machine.installDriver(driver.package);
    machine.start();
    expect(machine.kernel.pnp.devices).toEqual([]);
    const busDevice = machine.plugPci(new CopyCard());
    expect(driver.events).toEqual(['start']);
    expect(machine.kernel.pnp.findDevice(busDevice)?.state).toBe('DeviceNodeStarted');
    expect(machine.dispose().leaks).toEqual([]);
  });

  it('finds the functions of a card when its function 0 is there', () => {
    const machine = new SimMachine();
    machine.start();
    machine.plugPci(new CopyCard(), 8, 1);
    expect(machine.kernel.pnp.devices).toEqual([]);
    machine.plugPci(new CopyCard(), 8, 0);
    expect(machine.kernel.pnp.devices.map(({ busDevice }) => busDevice)).toEqual([
      'pci:00:08.0',
      'pci:00:08.1',
    ]);
    machine.dispose();
  });

  it('knows no card in an empty slot', () => {
    const { machine, busDevice } = boot();
    expect(machine.cardAt('pci:00:06.0')).toBeNull();
    expect(() => machine.unplug('pci:00:06.0')).toThrow(RangeError);
    machine.unplug(busDevice);
    expect(() => machine.unplug(busDevice)).toThrow(RangeError);
    machine.dispose();
  });
});
