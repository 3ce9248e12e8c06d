import { expect, test } from 'vitest';
import { formatLeakReport } from '../../src/kernel/index.ts';
import { QemuMachine } from '../../src/machines/qemu/index.ts';
import { ConfigDriver, checkConfigAccess } from '../support/config-driver.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

describeWithQemu("configuration space of QEMU's card", () => {
  test('IRPs and bus interface reach the same bytes, within limits and levels', async () => {
    let problems: string[] | null = null;
    const machine = await QemuMachine.launch({ deviceArguments: ['-device', 'ES1370'] });
    try {
      const driver = new ConfigDriver('PCI\\VEN_1274&DEV_5000', (self) => {
        problems = checkConfigAccess(self, 0x1274, 0x5000);
      });
      machine.installDriver(driver.package);
      machine.start();
      expect(problems).toEqual([]);
      expect(formatLeakReport(machine.dispose())).toBe('');
    } finally {
      machine.dispose();
    }
  });
});
