import { expect, test } from 'vitest';
import { chooseCard, findCard, qemuDeviceArguments } from '../../src/catalog.ts';
import { QEMU_AUDIO_ID, QemuMachine } from '../../src/machines/qemu/index.ts';
import { ConfigDriver } from '../support/config-driver.ts';
import { describeWithQemu } from '../support/with-qemu.ts';

const BAR0 = 0x10;
const GCAP = 0x00;
const GCTL = 0x08;
const STATESTS = 0x0e;
const DEVICES = 32;

/** The slot of the function with this vendor and device. */
function slotOf(machine: QemuMachine, id: number): number {
  for (let device = 0; device < DEVICES; device++)
    if (machine.pciBus.config.read(device, 0, 0, 4) === id) return device;
  throw new Error(`QEMU has no ${id.toString(16)}`);
}

describeWithQemu("QEMU's HDA controller behind its memory window", () => {
  test.each([
    ['ich6', 0x2668_8086],
    ['ich9', 0x293e_8086],
  ])('%s answers where the bus driver has put it', async (controller, id) => {
    const hda = findCard('hda');
    const card = hda && chooseCard(hda, { controller });
    if (!card?.qemu) throw new Error('the catalogue has no hda');
    const machine = await QemuMachine.launch({
      deviceArguments: qemuDeviceArguments(card.qemu, QEMU_AUDIO_ID),
      audio: {},
    });
    try {
      const driver = new ConfigDriver(card.hardwareId, () => {});
      machine.installDriver(driver.package);
      machine.start();
      const { platform, pciBus } = machine;
      const slot = slotOf(machine, id);
      expect(machine.kernel.pnp.findDevice(`pci:00:${slot.toString(16).padStart(2, '0')}.0`)).not.toBeNull();
      const window = pciBus.config.read(slot, 0, BAR0, 4) & ~0xf;
      expect(window).not.toBe(0);
      expect(platform.readMemory((window >>> 0) + GCAP, 2)).toBe(0x4401);
      platform.writeMemory((window >>> 0) + GCTL, 4, 1);
      expect(platform.readMemory((window >>> 0) + GCTL, 4)).toBe(1);
      expect(platform.readMemory((window >>> 0) + STATESTS, 2)).toBe(1);
    } finally {
      machine.dispose();
    }
  });
});
