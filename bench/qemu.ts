import { measureRegisterAccessCost } from '../src/cardtest/index.node.ts';
import { QemuError } from '../src/machines/qemu/index.ts';
import type { Figure } from './measure.ts';

/** What register and RAM accesses cost on the machine `qemu`; none, with a line that says why, where QEMU cannot be had. */
export async function qemuFigures(accesses: number): Promise<Figure[]> {
  try {
    const cost = await measureRegisterAccessCost(accesses);
    const figure = (name: string, value: number): Figure => ({
      name,
      value,
      unit: 'µs',
      aim: null,
      higherIsBetter: false,
      ofMemoryCopy: null,
    });
    return [
      figure('QEMU: register read', cost.readMicroseconds),
      figure('QEMU: register write', cost.writeMicroseconds),
      figure('QEMU: 4 KiB of RAM read', cost.readPageMicroseconds),
      figure('QEMU: 4 KiB of RAM written', cost.writePageMicroseconds),
    ];
  } catch (error) {
    if (!(error instanceof QemuError) || !error.missing) throw error;
    console.warn(`The figures of QEMU are left out. ${error.message}`);
    return [];
  }
}
