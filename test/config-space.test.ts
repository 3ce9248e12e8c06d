import { describe, expect, test } from 'vitest';
import * as es1370 from '../src/adapters/es1370/index.ts';
import { AudioClient } from '../src/client/index.ts';
import { PCI_WHICHSPACE_ROM } from '../src/hal/index.ts';
import { Es1370Card } from '../src/hardware/es1370/index.ts';
import { formatLeakReport, keLowerIrql, keRaiseIrql } from '../src/kernel/index.ts';
import { SimMachine } from '../src/machines/sim/index.ts';
import { bugcheckText, ConfigDriver, checkConfigAccess } from './support/config-driver.ts';
import { COPY_STATUS_ABORT, COPY_STATUS_DONE, CopyCard } from './support/copy-card.ts';
import { CopyDriver } from './support/copy-driver.ts';

const HARDWARE_ID = 'PCI\\VEN_1274&DEV_5000';
const COMMAND = 0x04;
const COMMAND_BUS_MASTER = 0x0004;

function machineWith(driver: ConfigDriver): { machine: SimMachine; slot: string } {
  const machine = new SimMachine();
  const slot = machine.plugPci(new Es1370Card({}));
  machine.installDriver(driver.package);
  machine.start();
  return { machine, slot };
}

describe("an adapter driver and its card's configuration space", () => {
  test('IRPs and bus interface reach the same bytes, within limits and levels', () => {
    let problems: string[] | null = null;
    const driver = new ConfigDriver(HARDWARE_ID, (self) => {
      problems = checkConfigAccess(self, 0x1274, 0x5000);
    });
    const { machine } = machineWith(driver);
    expect(problems).toEqual([]);
    expect(formatLeakReport(machine.dispose())).toBe('');
  });

  test('a request from DISPATCH_LEVEL is a bugcheck; so is the ROM by interface', () => {
    for (const action of [
      (self: ConfigDriver) => self.read({ buffer: new Uint8Array(4), offset: 0, irql: 2 }),
      (self: ConfigDriver) => self.write({ buffer: new Uint8Array(1), offset: 0x3c, irql: 2 }),
      (self: ConfigDriver) => {
        const old = keRaiseIrql(2);
        self.bus?.getBusData(PCI_WHICHSPACE_ROM, new Uint8Array(4), 0, 4);
        keLowerIrql(old);
      },
    ]) {
      const driver = new ConfigDriver(HARDWARE_ID, (self) => void action(self));
      expect(bugcheckText(() => machineWith(driver))).toMatch(/IRQL.*(READ_CONFIG|WRITE_CONFIG|GetBusData)/);
    }
  });

  test('a card that is gone has none: all ones on the bus, no such device once the stack knows', () => {
    const machine = new SimMachine();
    const slot = machine.plugPci(new Es1370Card({}));
    machine.installDriver(es1370.install);
    machine.start();
    const audio = new AudioClient(machine.kernel);
    // Somebody has the device open: its stack outlives the card.
    const handle = audio.process.createFile(audio.filterPaths()[0] ?? '');
    const driver = new ConfigDriver(HARDWARE_ID);
    driver.pdo = machine.kernel.pnp.findDevice(slot)?.physicalDeviceObject ?? null;
    const bytes = new Uint8Array(4);
    const read = () => machine.kernel.enter(() => driver.read({ buffer: bytes, offset: 0 }));
    expect(read().status).toBe('STATUS_SUCCESS');
    machine.platform.hostBridge.unplug(3, 0);
    expect(read().status).toBe('STATUS_SUCCESS');
    expect([...bytes]).toEqual([0xff, 0xff, 0xff, 0xff]);
    machine.unplug(slot);
    expect(read()).toEqual({ status: 'STATUS_NO_SUCH_DEVICE', information: 0 });
    audio.process.closeHandle(handle);
    audio.close();
    expect(machine.trace.findings).toEqual([]);
    expect(formatLeakReport(machine.dispose())).toBe('');
  });

  test('a driver that takes bus mastering away stops its card’s DMA, and gives it back', () => {
    const driver = new CopyDriver();
    const machine = new SimMachine();
    const slot = machine.plugPci(new CopyCard());
    machine.installDriver(driver.package);
    machine.start();
    const node = machine.kernel.pnp.findDevice(slot);
    if (node === null) throw new Error('there is no device');
    const { device } = driver;
    const config = new ConfigDriver(HARDWARE_ID);
    config.pdo = node.physicalDeviceObject;
    const command = new Uint8Array(2);
    const set = (on: boolean) =>
      machine.kernel.enter(() => {
        config.read({ buffer: command, offset: COMMAND });
        command[0] = on ? (command[0] ?? 0) | COMMAND_BUS_MASTER : (command[0] ?? 0) & ~COMMAND_BUS_MASTER;
        return config.write({ buffer: command, offset: COMMAND });
      });
    const copy = () => {
      machine.kernel.enter(() => {
        const { logicalAddress } = device.buffer ?? { logicalAddress: 0 };
        device.copy(logicalAddress, logicalAddress + 128, 64);
      });
      machine.runFor(10_000);
      return device.statuses.at(-1);
    };
    expect(copy()).toBe(COPY_STATUS_DONE);
    expect(set(false)).toEqual({ status: 'STATUS_SUCCESS', information: 2 });
    expect(copy()).toBe(COPY_STATUS_DONE | COPY_STATUS_ABORT);
    expect(machine.trace.findings.map(({ text }) => text).join()).toMatch(/bus mastering is not enabled/);
    set(true);
    expect(copy()).toBe(COPY_STATUS_DONE);
    expect(formatLeakReport(machine.dispose())).toBe('');
  });
});
