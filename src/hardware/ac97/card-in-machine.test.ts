import { describe, expect, test } from 'vitest';
import { SimMachine } from '../../machines/sim/index.ts';
import { MemorySink } from '../analog.ts';
import { Ac97Card } from './card.ts';
import { CNT_COLD_RESET, CR_IOCE, CR_RPBM, SR_BCIS, SR_FIFOE } from './registers.ts';

const NAM = 0xc000;
const NABM = 0xc400;
const LIST = 0x20_0000;
const DATA = 0x20_1000;

/** The card at device 5 of a machine without a driver, its windows where a BIOS might have put them. */
function plugged() {
  const sink = new MemorySink();
  const machine = new SimMachine();
  const busDevice = machine.plugPci(
    new Ac97Card({ lineOut: sink, codecReadyTicks: 0, sectionReadyTicks: 0 }),
    5,
  );
  const { platform } = machine;
  const config = (offset: number): number => {
    platform.writePort(0xcf8, 4, (0x8000_0000 | (5 << 11) | offset) >>> 0);
    return platform.readPort(0xcfc, 4);
  };
  const setConfig = (offset: number, value: number): void => {
    platform.writePort(0xcf8, 4, (0x8000_0000 | (5 << 11) | offset) >>> 0);
    platform.writePort(0xcfc, 4, value);
  };
  return { machine, platform, busDevice, sink, config, setConfig };
}

describe('in a machine', () => {
  test('configuration space shows the function and sizes its windows', () => {
    const { machine, config, setConfig } = plugged();
    expect(config(0x00)).toBe(0x2415_8086);
    expect(config(0x08) >>> 8).toBe(0x04_01_00);
    setConfig(0x10, 0xffff_ffff);
    setConfig(0x14, 0xffff_ffff);
    expect([config(0x10) & 0xffff, config(0x14) & 0xffff]).toEqual([0xff01, 0xffc1]);
    expect((config(0x3c) >>> 8) & 0xff).toBe(1);
    machine.dispose();
  });

  test('a buffer is played through ports, DMA and the interrupt line; without bus master enable it is not', () => {
    const { machine, platform, busDevice, sink, setConfig } = plugged();
    setConfig(0x10, NAM);
    setConfig(0x14, NABM);
    setConfig(0x04, 0x0001);
    platform.writePort(NABM + 0x2c, 4, CNT_COLD_RESET);
    platform.writePort(NAM + 0x02, 2, 0x0000);
    platform.writePort(NAM + 0x18, 2, 0x0808);
    const samples = Int16Array.from({ length: 960 }, (_, index) => index + 1);
    platform.ram.write(DATA, new Uint8Array(samples.buffer));
    platform.ram.writeUlong(LIST, DATA);
    platform.ram.writeUlong(LIST + 4, (0xc000_0000 | 960) >>> 0);
    platform.mapDma(busDevice, LIST, 8);
    platform.mapDma(busDevice, DATA, 1920);
    platform.writePort(NABM + 0x10, 4, LIST);
    platform.writePort(NABM + 0x15, 1, 0);
    platform.writePort(NABM + 0x1b, 1, CR_RPBM | CR_IOCE);
    machine.runFor(10_000);
    expect(platform.readPort(NABM + 0x16, 2)).toBe(SR_FIFOE);
    setConfig(0x04, 0x0005);
    platform.writePort(NABM + 0x16, 2, SR_FIFOE);
    const line = platform.pciInterruptLine(5, 1);
    expect(platform.isInterruptAsserted(line)).toBe(false);
    machine.runFor(200_000);
    expect(sink.samples).toEqual(samples);
    expect(platform.isInterruptAsserted(line)).toBe(true);
    platform.writePort(NABM + 0x16, 2, SR_BCIS);
    expect(platform.isInterruptAsserted(line)).toBe(false);
    machine.dispose();
  });

  test('a descriptor that points outside what was mapped moves nothing', () => {
    const { machine, platform, busDevice, sink, setConfig } = plugged();
    setConfig(0x14, NABM);
    setConfig(0x04, 0x0005);
    platform.writePort(NABM + 0x2c, 4, CNT_COLD_RESET);
    platform.ram.writeUlong(LIST, DATA);
    platform.ram.writeUlong(LIST + 4, 960);
    platform.mapDma(busDevice, LIST, 8);
    platform.writePort(NABM + 0x10, 4, LIST);
    platform.writePort(NABM + 0x1b, 1, CR_RPBM);
    machine.runFor(1_000_000);
    expect(platform.readPort(NABM + 0x16, 2)).toBe(SR_FIFOE);
    expect(platform.readPort(NABM + 0x18, 2)).toBe(960);
    expect(sink.frames).toBe(0);
    machine.dispose();
  });
});
